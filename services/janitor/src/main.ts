import { StorageMonitor, storesToWatch, tellingWhenFull } from "@sluice/disk";
import { openObjectStore } from "@sluice/object-store";
import { activateAtStart, PolicyInForce } from "@sluice/policies";
import { openSchedule } from "@sluice/queue";
import { runService, serveHealth } from "@sluice/runtime";
import { checksOf, openStores } from "@sluice/worker";
import { every } from "./every.js";
import { createJanitorMetrics } from "./janitor-metrics.js";
import { expireApprovals } from "./expire-approvals.js";
import { MaintenanceRunner } from "./maintenance/runner.js";
import { maintenanceTasks } from "./maintenance/tasks.js";
import { reevaluate } from "./reevaluate.js";
import { requeueStuck } from "./requeue-stuck.js";
import { sweepOrphans } from "./sweep-orphans.js";
import { sendWebhooks, watchWebhooks } from "./webhooks/send-webhooks.js";
import { writeManifests } from "./write-manifests.js";

/** How late an event may be sent, at most, in milliseconds. */
const WEBHOOK_ROUND_MS = 1_000;

await runService("janitor", async (context) => {
  const { settings, log, metrics, shutdown } = context;
  const stores = await openStores(context);
  const openedBackup = await openObjectStore(settings.backupUrl);
  shutdown.add("backup store", () => openedBackup.close());
  const storage = new StorageMonitor({
    stores: storesToWatch(settings, { ...stores, backup: openedBackup }),
    catalog: stores.catalog,
    settings,
    log,
    metrics,
  });
  shutdown.add("storage monitor", () => storage.close());
  await storage.start();
  const backup = tellingWhenFull(openedBackup, (error) => storage.refused("backup", error));
  await serveHealth(checksOf(stores), context);
  const counters = createJanitorMetrics(metrics);
  const { catalog, queue } = stores;
  const objects = tellingWhenFull(stores.objects, (error) => storage.refused("objects", error));
  const { signal } = shutdown;

  const { janitorIntervalMs, orphanGraceMs: graceMs } = settings;
  every(
    janitorIntervalMs,
    "requeue-stuck",
    () => requeueStuck({ catalog, queue, log, onRequeued: counters.requeued }),
    context,
  );
  await activateAtStart(catalog, settings.policyFile, { log, signal });
  const policies = new PolicyInForce(catalog);
  every(
    janitorIntervalMs,
    "reevaluate",
    () => reevaluate({ catalog, queue, policies, log, signal, onJudged: counters.judged }),
    context,
  );
  every(
    janitorIntervalMs,
    "write-manifests",
    () => writeManifests({ catalog, backup, log, signal }),
    context,
  );
  every(
    janitorIntervalMs,
    "expire-approvals",
    () => expireApprovals({ catalog, log, signal }),
    context,
  );
  every(
    Math.max(graceMs / 4, janitorIntervalMs),
    "sweep-orphans",
    () =>
      sweepOrphans({ catalog, objects, log, graceMs, signal, onDeleted: counters.orphanDeleted }),
    context,
  );
  const { webhooks: endpoints } = settings;
  every(
    janitorIntervalMs,
    "watch-webhooks",
    watchWebhooks({ catalog, endpoints, log, onStates: counters.webhookBacklogs }),
    context,
  );
  for (const endpoint of endpoints) {
    every(
      WEBHOOK_ROUND_MS,
      `send-webhooks ${endpoint.name}`,
      () => sendWebhooks(endpoint, { catalog, log, signal, onAttempt: counters.webhookAttempt }),
      context,
    );
  }
  const schedule = openSchedule(settings.queueUrl, log);
  shutdown.add("schedule", () => schedule.close());
  const maintenance = new MaintenanceRunner(
    maintenanceTasks({
      settings,
      catalog,
      objects,
      backup,
      log,
      onExported: counters.exported,
      onScrubbed: counters.scrubbed,
      onRetained: counters.retained,
      onPurged: counters.purged,
      onPacked: counters.packed,
    }),
    {
      catalog,
      schedule,
      log,
      shutdown,
      leaseMs: settings.leaseMs,
      onRun: counters.maintained,
    },
  );
  every(janitorIntervalMs, "keep-schedule", () => maintenance.keep(), context);
  maintenance.start();
  log.info("ready");
});
