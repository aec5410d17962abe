import { advanceBulkChange, type Catalog } from "@sluice/catalog";
import type { MaintenanceTask } from "./maintenance/task.js";

/** Scripts whose rows are held at once: an upload of one of them waits for no more than these. */
const STEP = 100;

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
