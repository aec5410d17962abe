import { type Catalog, expireIdempotencyKeys } from "@sluice/catalog";
import type { MaintenanceTask } from "./task.js";

export interface TaskDeps {
  readonly catalog: Catalog;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The one list of what runs on a schedule, and how often. */
export function maintenanceTasks({ catalog }: TaskDeps): readonly MaintenanceTask[] {
  return [
    {
      name: "expire-idempotency-keys",
      everyMs: HOUR_MS,
      run: async () => {
        await expireIdempotencyKeys(catalog, new Date(Date.now() - DAY_MS));
      },
    },
  ];
}
