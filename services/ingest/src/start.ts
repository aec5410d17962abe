import { availableParallelism } from "node:os";
import {
  createRegistrar,
  createStatusReader,
  openCatalog,
  readStatuses,
  recordUse,
} from "@sluice/catalog";
import { StorageMonitor, storesToWatch, tellingWhenFull } from "@sluice/disk";
import { DeferredObjectStore, openObjectStore } from "@sluice/object-store";
import { FIRST_STAGE } from "@sluice/pipeline";
import { openQueue } from "@sluice/queue";
import type { ServiceContext } from "@sluice/runtime";
import { SearchThreads } from "@sluice/search";
import { createApp } from "./app.js";
import { Comparer } from "./compare/comparer.js";
import { ContentHealer } from "./content/heal.js";
import { KnownForms } from "./content/known-forms.js";
import { enqueueQuietly } from "./enqueue.js";
import { createIngestMetrics, createPipelineMetrics } from "./metrics.js";
import { KeyClaims } from "./key-claims.js";
import { listen } from "./server.js";
import { StatusWatch } from "./status/watch.js";
import { HeldBytes } from "./upload/held-bytes.js";
import { Intake } from "./upload/intake.js";
import { OneAtATime } from "./upload/one-at-a-time.js";
import { UseNotes } from "./use/use-notes.js";

const WATCH_TICK_MS = 200;

/** Retention counts on uses to be noted within a minute. */
const NOTE_USES_MS = 20_000;

/** Searches that ask the catalog at once: apart from uploads, so that they never wait for them. */
const SEARCHES = 4;
/** As many as leave uploads half of the machine. */
const SEARCH_THREADS = Math.min(4, Math.ceil(availableParallelism() / 2));
const MAX_WAITING_SEARCHES = 64;

/** Opens the stores and serves the API until the shutdown closes it. */
export async function startIngest({
  settings,
  log,
  metrics,
  shutdown,
}: ServiceContext): Promise<void> {
  const catalog = openCatalog(settings.catalogUrl, {
    log,
    poolSize: 16,
    applicationName: "ingest",
  });
  shutdown.add("catalog", () => catalog.close());
  const searchCatalog = openCatalog(settings.catalogUrl, {
    log,
    poolSize: SEARCHES,
    applicationName: "ingest-search",
  });
  shutdown.add("search catalog", () => searchCatalog.close());
  const threads = new SearchThreads(SEARCH_THREADS, MAX_WAITING_SEARCHES);
  shutdown.add("search threads", () => threads.close());
  const queue = openQueue(settings.queueUrl, log);
  shutdown.add("queue", () => queue.close());
  const objects = await openObjectStore(settings.objectStoreUrl);
  shutdown.add("object store", () => objects.close());
  const storage = new StorageMonitor({
    stores: storesToWatch(settings, { catalog, queue, objects, backup: undefined }),
    catalog,
    settings,
    log,
    metrics,
  });
  shutdown.add("storage monitor", () => storage.close());
  await storage.start();
  const store = tellingWhenFull(objects, (error) => storage.refused("objects", error));
  const backup = new DeferredObjectStore(settings.backupUrl);
  shutdown.add("backup store", () => backup.close());

  const uses = new UseNotes({
    record: (some) => recordUse(catalog, some),
    log,
    everyMs: NOTE_USES_MS,
  });
  shutdown.add("use notes", () => uses.close());
  const held = new HeldBytes(settings.uploadMemoryMb * 1024 * 1024);
  const watch = new StatusWatch((refs) => readStatuses(catalog, refs), { tickMs: WATCH_TICK_MS });
  const counters = createIngestMetrics(metrics, { held, watch });
  const app = createApp({
    catalog,
    store,
    knownForms: new KnownForms(),
    healer: new ContentHealer({
      catalog,
      objects: store,
      backup,
      log,
      onRescued: (outcome) => counters.rescues.inc({ outcome }),
    }),
    queue,
    held,
    storage,
    intake: new Intake(storage),
    comparer: new Comparer(),
    watch,
    log,
    metrics,
    searching: { catalog: searchCatalog, threads },
    names: new OneAtATime(),
    uses,
    claims: new KeyClaims(catalog),
    statuses: createStatusReader(catalog),
    registrar: createRegistrar(catalog, {
      onCommitted: (uploads) => enqueueQuietly(queue, FIRST_STAGE, uploads, log),
    }),
    counters,
    observePipeline: createPipelineMetrics(metrics, { catalog, queue }),
    metricsPeers: settings.metricsPeers,
    apiKeys: settings.apiKeys,
    policyFile: settings.policyFile,
    useDaysKept: settings.useDaysKept,
    trashMs: settings.trashMs,
    version: VERSION,
  });
  const server = await listen(app, settings);
  shutdown.add("server", () => {
    // Whoever waits for news is answered now; everybody else within the time their work takes.
    watch.close();
    return server.close();
  });
  log.info({ url: `http://${settings.host}:${server.port}` }, "listening");
}

/** Of Sluice: all its packages bear the same one. */
const VERSION = "0.1.0";
