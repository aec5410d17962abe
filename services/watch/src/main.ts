import { openCatalog } from "@sluice/catalog";
import { runService, serveHealth } from "@sluice/runtime";
import { followAll } from "./follow-all.js";

await runService("watch", async (context) => {
  const { settings, log, shutdown } = context;
  const catalog = openCatalog(settings.catalogUrl, { log, applicationName: "sluice-watch" });
  shutdown.add("catalog", () => catalog.close());
  await serveHealth([{ name: "catalog", check: () => catalog.check() }], context);
  followAll(catalog, context);
  log.info({ directories: settings.watchDirs }, "ready");
});
