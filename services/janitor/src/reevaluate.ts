import type { Catalog } from "@sluice/catalog";
import { toChunks } from "@sluice/pipeline";
import { type PolicyInForce, reevaluateBatch } from "@sluice/policies";
import type { Queue } from "@sluice/queue";
import type { Logger } from "@sluice/runtime";

export interface ReevaluateDeps {
  readonly catalog: Catalog;
  readonly queue: Queue;
  readonly policies: Pick<PolicyInForce, "current">;
  readonly log: Logger;
  /** Stops the work between two batches. */
  readonly signal: AbortSignal;
  /** Told of what stands by the policy in force now, and of how much of that changed state. */
  readonly onJudged: (versions: number, changed: number) => void;
}

/**
 * Lets what is stored stand by the policy in force, batch by batch, until nothing stands by an older one. Versions that were in the
 * pipeline when the policy came into force are found once they are through.
 */
export async function reevaluate(deps: ReevaluateDeps): Promise<void> {
  const { catalog, queue, policies, log, signal, onJudged } = deps;
  let judged = 0;
  let changed = 0;
  let again = 0;
  const policy = await policies.current();
  while (!signal.aborted) {
    const batch = await reevaluateBatch(catalog, policy);
    judged += batch.judged;
    changed += batch.changed.length;
    again += batch.startedOver.length;
    onJudged(batch.judged, batch.changed.length);
    const chunks = toChunks(batch.startedOver);
    // What is not enqueued now the catalog still has as pending.
    await queue
      .enqueue(
        "dedup",
        chunks.map((chunk) => ({ versions: chunk.map(({ versionId }) => versionId) })),
      )
      .catch((error: unknown) => log.warn({ err: error }, "not enqueued; the janitor will"));
    if (batch.left !== "some") break;
  }
  if (judged + again > 0) {
    const { version } = policy.document;
    log.info(
      { policy: version, judged, changed, started_over: again },
      "judged by the policy in force",
    );
  }
}
