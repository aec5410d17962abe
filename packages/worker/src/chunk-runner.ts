import { randomUUID } from "node:crypto";
import {
  type Catalog,
  freeDeadLeases,
  leaseStage,
  releaseLeases,
  renewLeases,
  type StageScript,
} from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import type { StageName } from "@sluice/pipeline";
import type { Delivery, Queue } from "@sluice/queue";
import type { Logger } from "@sluice/runtime";
import pLimit from "p-limit";
import type { Handler } from "./handler.js";
import { runScript } from "./run-script.js";
import { createSettler, persistently } from "./settler.js";
import type { StageMetrics } from "./stage-metrics.js";

export interface ChunkRunnerOptions<Stage extends StageName, Deps> {
  readonly stage: Stage;
  readonly handler: Handler<Stage, Deps>;
  readonly deps: Deps;
  readonly catalog: Catalog;
  readonly queue: Queue;
  readonly objects: ObjectStore;
  readonly log: Logger;
  readonly metrics: StageMetrics;
  /** Scripts at once in this process, over all chunks. */
  readonly concurrency: number;
  readonly leaseMs: number;
  /** Once aborted, no script is begun any more; what was not begun goes back. */
  readonly stopping: AbortSignal;
}

/**
 * Works off a delivered chunk: leases what is due of it, runs the handler on each script, commits each
 * ending, and lets the queue complete the job only after that. Scripts of a chunk fare apart.
 */
export function createChunkRunner<Stage extends StageName, Deps>(
  options: ChunkRunnerOptions<Stage, Deps>,
): (delivery: Delivery) => Promise<void> {
  const { stage, catalog, queue, log, metrics, leaseMs, stopping } = options;
  const limit = pLimit(options.concurrency);
  const settle = createSettler(stage, options);

  const runOne = async (script: StageScript, token: string): Promise<StageScript | undefined> => {
    if (stopping.aborted) return script;
    const scriptLog = log.child({
      request_id: script.requestId,
      script_id: script.scriptId,
      version: script.version,
      version_id: script.versionId,
    });
    const run = await runScript(stage, options.handler, script, options.deps, scriptLog);
    const { ending, durationMs, garbage } = run;
    const held = await settle({ versionId: script.versionId, token, durationMs, ending, script });
    metrics.observe(held ? ending.kind : "fenced_off", durationMs);
    const facts = { duration_ms: Math.round(durationMs), outcome: ending.kind };
    if (!held) {
      scriptLog.warn(facts, "the lease was lost; the result was thrown away");
      return undefined;
    }
    if (ending.kind === "failed") scriptLog.error({ ...facts, error: ending.error }, "failed");
    else scriptLog.info(facts, "done");
    for (const key of garbage) {
      await options.objects.delete(key).catch((error: unknown) => {
        scriptLog.warn({ err: error, key }, "not deleted; the orphan sweep will");
      });
    }
    return undefined;
  };

  return async (delivery) => {
    if (delivery.redelivered && delivery.versions.length > 1) {
      await splitInHalves(options, delivery);
      return;
    }
    const token = randomUUID();
    const scripts = await persistently(() =>
      leaseStage(catalog, {
        stage,
        versionIds: delivery.versions,
        token,
        leaseMs,
        takeOver: delivery.redelivered,
      }),
    );
    if (scripts.length === 0) return;
    metrics.began(scripts.length);
    const renewal = setInterval(() => {
      renewLeases(catalog, { stage, token, leaseMs }).catch((error: unknown) =>
        log.warn({ err: error }, "leases not renewed"),
      );
    }, leaseMs / 3);
    try {
      const runs = await Promise.all(scripts.map((script) => limit(runOne, script, token)));
      const versionIds = runs.flatMap((script) => script?.versionId ?? []);
      if (versionIds.length > 0) {
        const released = await releaseLeases(catalog, { stage, token, versionIds });
        await queue.enqueue(stage, [{ versions: released }]);
      }
    } finally {
      clearInterval(renewal);
    }
  };
}

/**
 * A chunk whose worker died comes back in halves, so that a script that kills its worker is soon alone
 * with it.
 */
async function splitInHalves<Stage extends StageName, Deps>(
  { catalog, queue, stage, log }: ChunkRunnerOptions<Stage, Deps>,
  delivery: Delivery,
): Promise<void> {
  const freed = await persistently(() =>
    freeDeadLeases(catalog, { stage, versionIds: delivery.versions }),
  );
  log.warn({ job_id: delivery.jobId, versions: freed.length }, "a worker died; its chunk is split");
  const middle = Math.ceil(freed.length / 2);
  const halves = [freed.slice(0, middle), freed.slice(middle)].filter((half) => half.length > 0);
  await queue.enqueue(
    stage,
    halves.map((versions) => ({ versions })),
  );
}
