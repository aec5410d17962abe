import { listTasks } from "@sluice/catalog";
import type { MaintenanceList } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import { route, type Route } from "../http/route.js";

export function listMaintenance({ catalog }: Dependencies): Route {
  return route("listMaintenance", async ({ res }) => {
    const body: MaintenanceList = {
      items: (await listTasks(catalog)).map((task) => ({
        name: task.name,
        running: task.running,
        last_started_at: task.lastStartedAt?.toISOString() ?? null,
        last_finished_at: task.lastFinishedAt?.toISOString() ?? null,
        failures: task.failures,
        last_error: task.lastError ?? null,
      })),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}
