import { type Catalog, takeLostWork } from "@sluice/catalog";
import { STAGE_NAMES, type StageName, toChunks } from "@sluice/pipeline";
import type { Queue } from "@sluice/queue";
import type { Logger } from "@sluice/runtime";

export interface RequeueStuckDeps {
  readonly catalog: Catalog;
  readonly queue: Queue;
  readonly log: Logger;
  /** Told of what was enqueued again. */
  readonly onRequeued: (stage: StageName, versions: number) => void;
}

/**
 * How much younger than the oldest job a lost row may be, in milliseconds: the time between a commit
 * and its job, and between the clocks of two machines.
 */
const MARGIN_MS = 5_000;

/** Rows that are taken at once; the next round is for the rest. */
const LIMIT = 5_000;

/**
 * Enqueues what the catalog says is unfinished and the queue has lost. A queue is first in, first out:
 * a row that was enqueued before the oldest job that waits, and that nobody holds, has no job.
 * Enqueueing once too often does no harm, since a second delivery finds nothing to do.
 */
export async function requeueStuck(deps: RequeueStuckDeps): Promise<void> {
  for (const stage of STAGE_NAMES) {
    try {
      await requeueStage(stage, deps);
    } catch (error) {
      deps.log.warn({ err: error, stage }, "not looked for stuck work; the next round will");
    }
  }
}

async function requeueStage(
  stage: StageName,
  { catalog, queue, log, onRequeued }: RequeueStuckDeps,
): Promise<void> {
  const { oldestWaitingAt } = await queue.depth(stage);
  const since = new Date(Math.min(oldestWaitingAt?.getTime() ?? Infinity, Date.now()) - MARGIN_MS);
  const lost = await takeLostWork(catalog, { stage, since, limit: LIMIT });
  if (lost.length === 0) return;
  // What a worker has left behind may be what ended it: alone, it takes nobody with it.
  const alone = lost.filter(({ abandoned }) => abandoned).map((work) => [work]);
  const together = toChunks(lost.filter(({ abandoned }) => !abandoned));
  const chunks = [...alone, ...together].map((chunk) => ({
    versions: chunk.map(({ versionId }) => versionId),
  }));
  await queue.enqueue(stage, chunks);
  log.info({ stage, versions: lost.length, abandoned: alone.length }, "enqueued again");
  onRequeued(stage, lost.length);
}
