import { type StageName, toChunks } from "@sluice/pipeline";
import type { Queue } from "@sluice/queue";
import type { Logger } from "@sluice/runtime";

/**
 * The fast path to the queue. It is not waited for, and where it fails the janitor finds the versions
 * in the catalog and enqueues them: a queue that is down refuses nobody's upload.
 */
export function enqueueQuietly(
  queue: Queue,
  stage: StageName,
  versions: readonly { readonly versionId: string; readonly size: number }[],
  log: Logger,
): void {
  const chunks = toChunks(versions).map((chunk) => ({
    versions: chunk.map(({ versionId }) => versionId),
  }));
  queue.enqueue(stage, chunks).catch((error: unknown) => {
    log.warn(
      { err: error, stage, versions: versions.length },
      "could not enqueue; the janitor will",
    );
  });
}
