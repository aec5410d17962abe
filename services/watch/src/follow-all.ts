import type { Catalog } from "@sluice/catalog";
import type { ServiceContext } from "@sluice/runtime";
import { Follower } from "./follower.js";
import { Uploader } from "./uploader.js";
import { createWatchMetrics } from "./watch-metrics.js";

/** Follows every directory that the settings name, until shutdown. */
export function followAll(
  catalog: Catalog,
  { settings, log, metrics, shutdown }: ServiceContext,
): void {
  const counters = createWatchMetrics(metrics);
  const uploader = new Uploader(settings.watchUploadUrl, settings.apiKeys[0]?.key);
  for (const directory of new Set(settings.watchDirs)) {
    const follower = new Follower(directory, {
      catalog,
      uploader,
      settings,
      counters,
      log: log.child({ directory }),
      signal: shutdown.signal,
    });
    const ended = follower.run();
    shutdown.add(`watch of ${directory}`, () => ended);
  }
}
