import { advanceBulkChange, type Catalog, tidyBulkChanges } from "@sluice/catalog";
import type { MaintenanceTask } from "./maintenance/task.js";

/** Scripts whose rows are held at once: an upload of one of them waits for no more than these. */
const STEP = 100;
const ROWS = 2_000;
const HOUR_MS = 3_600_000;
/** Much longer than an `Idempotency-Key` is remembered: none names a change that is gone. */
const KEPT_MS = 90 * 24 * HOUR_MS;

/** Goes on with bulk changes of the user's fields, from wherever they are. */
export function bulkChangesTask(catalog: Catalog): MaintenanceTask {
  return {
    name: "bulk-changes",
    everyMs: 5_000,
    run: async ({ signal }) => {
      while (!signal.aborted && (await advanceBulkChange(catalog, STEP)) > 0);
    },
  };
}

/** Deletes records of bulk changes that were over 90 days ago. */
export function tidyBulkChangesTask(catalog: Catalog): MaintenanceTask {
  return {
    name: "tidy-bulk-changes",
    everyMs: HOUR_MS,
    run: async ({ signal }) => {
      const endedBefore = new Date(Date.now() - KEPT_MS);
      while (!signal.aborted && (await tidyBulkChanges(catalog, { endedBefore, limit: ROWS })) > 0);
    },
  };
}
