import { addStatisticChanges, type Catalog, forgetUseDays } from "@sluice/catalog";
import type { MaintenanceTask } from "./maintenance/task.js";

const CHANGES = 1_000;
const ROWS = 1_000;
const HOUR_MS = 3_600_000;

/** Keeps the sums that statistics are answered from a few seconds behind what happens. */
export function addStatisticsTask(catalog: Catalog): MaintenanceTask {
  return {
    name: "add-statistics",
    everyMs: 5_000,
    async run({ signal }) {
      while (!signal.aborted && (await addStatisticChanges(catalog, CHANGES)) === CHANGES);
    },
  };
}

/** Forgets on which days scripts were used, after so many days. */
export function forgetUseTask(catalog: Catalog, days: number): MaintenanceTask {
  return {
    name: "forget-use",
    everyMs: HOUR_MS,
    async run({ signal }) {
      while (!signal.aborted && (await forgetUseDays(catalog, { days, limit: ROWS })) === ROWS);
    },
  };
}
