import { type Check, startHealthServer } from "./health.js";
import type { ServiceContext } from "./service.js";

/** Serves health and metrics where the settings name a port for it. */
export async function serveHealth(
  checks: readonly Check[],
  { settings, metrics, shutdown }: Pick<ServiceContext, "settings" | "metrics" | "shutdown">,
): Promise<void> {
  if (settings.metricsPort === undefined) return;
  const server = await startHealthServer({
    host: settings.metricsHost,
    port: settings.metricsPort,
    checks,
    metrics,
  });
  shutdown.add("health server", () => server.close());
}
