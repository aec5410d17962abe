import { type Catalog, expireApprovals as expireSome } from "@sluice/catalog";
import type { Logger, Shutdown } from "@sluice/runtime";

export interface ExpireApprovalsDeps {
  readonly catalog: Catalog;
  readonly log: Logger;
  readonly signal: Shutdown["signal"];
}

const BATCH = 500;

/** Ends the decisions whose end date is over; versions that rest on them ask again. */
export async function expireApprovals({
  catalog,
  log,
  signal,
}: ExpireApprovalsDeps): Promise<void> {
  while (!signal.aborted) {
    const ended = await expireSome(catalog, BATCH);
    for (const { approvalId, scriptId, version } of ended) {
      log.info({ approval_id: approvalId, script_id: scriptId, version }, "a decision has ended");
    }
    if (ended.length === 0) return;
  }
}
