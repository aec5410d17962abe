import { randomUUID } from "node:crypto";
import {
  type Catalog,
  type Ending,
  freeDeadLeases,
  leaseStage,
  releaseLeases,
  renewLeases,
  takeBackDeath,
  type StageScript,
} from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import type { StageName } from "@sluice/pipeline";
import type { Delivery, Queue } from "@sluice/queue";
import type { Logger } from "@sluice/runtime";
import pLimit from "p-limit";
import type { Handler } from "./handler.js";
import { removeSuperseded } from "./remove-superseded.js";
import { runScript, type ScriptRun } from "./run-script.js";
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

/** How long an ending may wait for others of its chunk to be committed together, in milliseconds. */
const SETTLE_MS = 250;

/** A script whose handler has come to an end that is not yet committed. */
interface Ended<Stage extends StageName> {
  readonly script: StageScript;
  readonly run: ScriptRun<Stage>;
  readonly log: Logger;
}

/**
 * Works off a delivered chunk: leases what is due of it, runs the handler on each script, commits the
 * endings, and lets the queue complete the job only after that. Scripts of a chunk fare apart.
 */
export function createChunkRunner<Stage extends StageName, Deps>(
  options: ChunkRunnerOptions<Stage, Deps>,
): (delivery: Delivery) => Promise<void> {
  const { stage, catalog, queue, log, leaseMs, stopping } = options;
  const limit = pLimit(options.concurrency);
  const settle = createSettler(stage, options);

  const runLeased = async (scripts: readonly StageScript[], token: string): Promise<void> => {
    const ended: Ended<Stage>[] = [];
    const notBegun: string[] = [];
    const settleEnded = async (): Promise<void> => {
      await Promise.all(
        ended.splice(0).map(async ({ script, run, log: scriptLog }) => {
          const { ending, durationMs } = run;
          const { versionId } = script;
          const settled = await settle({ versionId, token, durationMs, ending, script });
          if (settled === undefined && scripts.length === 1) {
            // Taken for dead, because the catalog took no renewal: that must not be counted against the script.
            await persistently(() => takeBackDeath(catalog, { stage, versionId, token }));
          }
          await afterSettling(options, script, run, settled, scriptLog);
        }),
      );
    };
    const settling: Promise<void>[] = [];
    const settleTimer = setInterval(() => {
      const settled = settleEnded();
      // Awaited with the others; until then its failure is nobody's to handle.
      settled.catch(() => {});
      settling.push(settled);
    }, SETTLE_MS);
    try {
      await Promise.all(
        scripts.map((script) =>
          limit(async () => {
            if (stopping.aborted) {
              notBegun.push(script.versionId);
              return;
            }
            const scriptLog = logOf(script, log);
            const run = await runScript(stage, options.handler, script, options.deps, scriptLog);
            ended.push({ script, run, log: scriptLog });
          }),
        ),
      );
    } finally {
      clearInterval(settleTimer);
    }
    await Promise.all([...settling, settleEnded()]);
    if (notBegun.length > 0) {
      const released = await releaseLeases(catalog, { stage, token, versionIds: notBegun });
      await queue.enqueue(stage, [{ versions: released }]);
    }
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
    options.metrics.began(scripts.length);
    const renewal = setInterval(() => {
      renewLeases(catalog, { stage, token, leaseMs, versionIds: delivery.versions }).catch(
        (error: unknown) => log.warn({ err: error }, "leases not renewed"),
      );
    }, leaseMs / 3);
    try {
      await runLeased(scripts, token);
    } finally {
      clearInterval(renewal);
    }
  };
}

function logOf(script: StageScript, log: Logger): Logger {
  return log.child({
    request_id: script.requestId,
    script_id: script.scriptId,
    version: script.version,
    version_id: script.versionId,
  });
}

/**
 * Counts, logs and tidies up after an ending: `settled` is the one that was committed, `undefined` where
 * it was thrown away with its lease. What a result makes garbage is needed until that very result is written.
 */
async function afterSettling<Stage extends StageName, Deps>(
  { metrics, objects, catalog }: ChunkRunnerOptions<Stage, Deps>,
  { sha256 }: StageScript,
  { ending, durationMs, garbage }: ScriptRun<Stage>,
  settled: Ending<Stage> | undefined,
  log: Logger,
): Promise<void> {
  metrics.observe(settled?.kind ?? "fenced_off", durationMs);
  const facts = { duration_ms: Math.round(durationMs), outcome: (settled ?? ending).kind };
  if (settled === undefined) {
    log.warn(facts, "the lease was lost; the result was thrown away");
    return;
  }
  if (settled.kind === "failed") log.error({ ...facts, error: settled.error }, "failed");
  else log.info(facts, "done");
  if (settled !== ending) return;
  for (const key of garbage) {
    const isUpload = key.startsWith("uploads/");
    const removed = isUpload
      ? objects.delete(key)
      : removeSuperseded({ catalog, objects }, { sha256, key });
    await removed.catch((error: unknown) => {
      log.warn({ err: error, key }, "not deleted; the orphan sweep will");
    });
  }
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
