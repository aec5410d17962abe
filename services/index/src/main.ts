import { openCatalog } from "@sluice/catalog";
import { openObjectStore } from "@sluice/object-store";
import { runService, serveHealth } from "@sluice/runtime";
import { createIndexMetrics } from "./index-metrics.js";
import { indexSome } from "./index-some.js";
import { keepIndexing } from "./keep-indexing.js";

await runService("index", async (context) => {
  const { settings, log, metrics, shutdown } = context;
  const catalog = openCatalog(settings.catalogUrl, { log, applicationName: "sluice-index" });
  shutdown.add("catalog", () => catalog.close());
  const objects = await openObjectStore(settings.objectStoreUrl);
  shutdown.add("object store", () => objects.close());
  await serveHealth(
    [
      { name: "catalog", check: () => catalog.check() },
      { name: "object_store", check: () => objects.check() },
    ],
    context,
  );
  const counters = createIndexMetrics(metrics, catalog);
  keepIndexing(() => indexSome({ catalog, objects, log, ...counters }), context);
  log.info("ready");
});
