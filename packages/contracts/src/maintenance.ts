import { z } from "zod";

/** One task that the janitor runs on its schedule. */
export const maintenanceTask = z
  .object({
    name: z.string(),
    running: z.boolean().describe("A janitor holds it at this moment"),
    last_started_at: z.iso.datetime().nullable(),
    last_finished_at: z.iso.datetime().nullable().describe("Of the last run that succeeded"),
    failures: z.int().describe("How many runs have failed since one succeeded"),
    last_error: z.string().nullable().describe("What the last of them said"),
  })
  .meta({ id: "MaintenanceTask" });
export type MaintenanceTask = z.infer<typeof maintenanceTask>;

/** `GET /maintenance`. */
export const maintenanceList = z
  .object({ items: z.array(maintenanceTask) })
  .meta({ id: "MaintenanceList" });
export type MaintenanceList = z.infer<typeof maintenanceList>;
