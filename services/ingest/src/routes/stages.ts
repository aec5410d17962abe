import { type Backlog, readBacklogs } from "@sluice/catalog";
import type { StageOverview } from "@sluice/contracts";
import { isStageName, STAGE_NAMES, type StageName } from "@sluice/pipeline";
import type { QueueDepth } from "@sluice/queue";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";

export function listStages(deps: Dependencies): Route {
  return route("listStages", async ({ res }) => {
    const backlogs = await readBacklogs(deps.catalog);
    const items = await Promise.all(
      STAGE_NAMES.map(async (stage) => toOverview(stage, backlogs, await depthOf(deps, stage))),
    );
    res.json({ items });
  });
}

export function pauseStage(deps: Dependencies): Route {
  return route("pauseStage", async ({ params, res }) => {
    const stage = stageOf(params.stage);
    await askQueue(() => deps.queue.pause(stage));
    res.json(await overviewOf(deps, stage));
  });
}

export function resumeStage(deps: Dependencies): Route {
  return route("resumeStage", async ({ params, res }) => {
    const stage = stageOf(params.stage);
    await askQueue(() => deps.queue.resume(stage));
    res.json(await overviewOf(deps, stage));
  });
}

function stageOf(name: string): StageName {
  if (isStageName(name)) return name;
  throw new ProblemError("unknown_stage", `The stages are ${STAGE_NAMES.join(", ")}.`);
}

async function overviewOf(deps: Dependencies, stage: StageName): Promise<StageOverview> {
  const backlogs = await readBacklogs(deps.catalog);
  return toOverview(stage, backlogs, await depthOf(deps, stage));
}

function depthOf({ queue }: Dependencies, stage: StageName): Promise<QueueDepth> {
  return askQueue(() => queue.depth(stage));
}

async function askQueue<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (cause) {
    throw new ProblemError("queue_unavailable", "The queue's server gave no answer.", {
      dependency: "queue",
      headers: { "Retry-After": "2" },
      cause,
    });
  }
}

function toOverview(
  name: StageName,
  backlogs: ReadonlyMap<StageName, Backlog>,
  { waiting, active, delayed, paused }: QueueDepth,
): StageOverview {
  const backlog = backlogs.get(name);
  return {
    name,
    paused,
    versions: { pending: backlog?.pending ?? 0, running: backlog?.running ?? 0 },
    oldest_pending_at: backlog?.oldestPendingAt?.toISOString() ?? null,
    jobs: { waiting, active, delayed },
  };
}
