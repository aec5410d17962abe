import { createLog, type Logger } from "./log.js";
import { createMetrics, type Metrics } from "./metrics.js";
import { loadServiceSettings, type ServiceSettings, SettingsError } from "./settings.js";
import { Shutdown } from "./shutdown.js";

/** What every service starts with. */
export interface ServiceContext {
  readonly settings: ServiceSettings;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
}

/** Exit code of a process whose settings are wrong: starting it again does not help. */
export const EXIT_WRONG_SETTINGS = 2;

/**
 * The frame of a service's `main.ts`: settings, log, metrics and shutdown, then what the service does.
 * Wrong settings are one line and exit code 2; a failed start closes what was opened, exit code 1.
 *
 * @param start - opens and starts everything; the process lives on after it has returned. A {@link SettingsError} from it is
 *   told like one of the settings themselves
 */
export async function runService(
  service: string,
  start: (context: ServiceContext) => Promise<void>,
): Promise<void> {
  let settings: ServiceSettings;
  try {
    settings = loadServiceSettings(process.env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    createLog(service, { logLevel: "info" }).fatal(error.message);
    process.exit(EXIT_WRONG_SETTINGS);
  }
  const log = createLog(service, settings);
  const shutdown = new Shutdown(log, settings.drainTimeoutMs);
  shutdown.listen();
  try {
    await start({ settings, log, metrics: createMetrics(service), shutdown });
  } catch (error) {
    // Stopped while it was still starting: what failed for that reason is no error.
    if (shutdown.signal.aborted) return;
    const wrongSettings = error instanceof SettingsError;
    if (wrongSettings) log.fatal(error.message);
    else log.fatal({ err: error }, "did not start");
    await shutdown.now();
    process.exit(wrongSettings ? EXIT_WRONG_SETTINGS : 1);
  }
}
