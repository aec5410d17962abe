import type { NextWork } from "@sluice/catalog";
import { type StageName, toChunks } from "@sluice/pipeline";
import type { Queue } from "@sluice/queue";
import type { Logger } from "@sluice/runtime";

export type { NextWork } from "@sluice/catalog";

/** Enqueues what a commit made pending, as few jobs as chunks allow. Never throws. */
export async function enqueueWork(
  queue: Queue,
  work: readonly NextWork[],
  log: Pick<Logger, "warn">,
): Promise<void> {
  const groups = new Map<string, { stage: StageName; delayMs: number; versions: NextWork[] }>();
  for (const item of work) {
    const key = `${item.stage} ${item.delayMs}`;
    const group = groups.get(key) ?? { stage: item.stage, delayMs: item.delayMs, versions: [] };
    group.versions.push(item);
    groups.set(key, group);
  }
  await Promise.all(
    [...groups.values()].map(async ({ stage, delayMs, versions }) => {
      // What is tried again is tried alone, so that it holds up nobody.
      const chunks = delayMs > 0 ? versions.map((version) => [version]) : toChunks(versions);
      const jobs = chunks.map((chunk) => ({ versions: chunk.map(({ versionId }) => versionId) }));
      try {
        await queue.enqueue(stage, jobs, delayMs);
      } catch (error) {
        log.warn(
          { err: error, stage, versions: versions.length },
          "not enqueued; the janitor will",
        );
      }
    }),
  );
}
