import { type Catalog, openCatalog } from "@sluice/catalog";
import { type ObjectStore, openObjectStore, StoreFullError } from "@sluice/object-store";
import type { StageName } from "@sluice/pipeline";
import { openQueue, type Queue } from "@sluice/queue";
import { type Check, serveHealth, type ServiceContext } from "@sluice/runtime";
import { createChunkRunner } from "./chunk-runner.js";
import type { Handler } from "./handler.js";
import { createStageMetrics } from "./stage-metrics.js";

/** What every worker works with. */
export interface Stores {
  readonly catalog: Catalog;
  readonly queue: Queue;
  readonly objects: ObjectStore;
}

/** Opens the stores that the settings name; they are closed at shutdown, after what uses them. */
export async function openStores({ settings, log, shutdown }: ServiceContext): Promise<Stores> {
  const applicationName = `sluice-${String(log.bindings()["service"])}`;
  const catalog = openCatalog(settings.catalogUrl, { log, applicationName });
  shutdown.add("catalog", () => catalog.close());
  const objects = await openObjectStore(settings.objectStoreUrl);
  shutdown.add("object store", () => objects.close());
  const queue = openQueue(settings.queueUrl, log);
  shutdown.add("queue", () => queue.close());
  return { catalog, queue, objects };
}

/**
 * Runs a stage's handler on whatever its queue brings, until shutdown: then no script is begun any
 * more, those under way end and are committed, and the rest goes back to the queue.
 *
 * @param deps - what the handler asks for
 * @param checks - what `/readyz` asks beside the stores
 */
export async function runStage<Stage extends StageName, Deps>(
  stage: Stage,
  handler: Handler<Stage, Deps>,
  deps: Deps,
  stores: Stores,
  { settings, log, metrics, shutdown }: ServiceContext,
  checks: readonly Check[] = [],
): Promise<void> {
  await serveHealth([...checksOf(stores), ...checks], { settings, metrics, shutdown });
  const concurrency = settings.concurrency[stage];
  const run = createChunkRunner({
    stage,
    handler,
    deps,
    ...stores,
    log: log.child({ stage }),
    metrics: createStageMetrics(metrics, stage),
    concurrency,
    leaseMs: settings.leaseMs,
    stopping: shutdown.signal,
  });
  const consumer = stores.queue.consume(stage, run, concurrency);
  shutdown.add("consumer", () => consumer.close());
  log.info({ stage, concurrency }, "ready");
}

/** What `/readyz` of a process with these stores asks. */
export function checksOf({ catalog, queue, objects }: Stores): Check[] {
  return [
    { name: "catalog", check: () => catalog.check() },
    { name: "queue", check: () => queue.check() },
    // What needs no room, such as reading, goes on in a full store.
    {
      name: "object_store",
      check: () => objects.check(),
      tolerates: (error) => error instanceof StoreFullError,
    },
  ];
}
