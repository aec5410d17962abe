import type { StageName } from "@sluice/pipeline";
import type { Metrics } from "@sluice/runtime";
import type { ScrubCounts } from "@sluice/catalog";
import { Counter, Gauge } from "prom-client";

/** What the janitor counts. */
export interface JanitorMetrics {
  readonly requeued: (stage: StageName, versions: number) => void;
  /** What the retention policy has deleted and archived. */
  readonly retained: (action: "trash" | "delete" | "archive", count: number) => void;
  /** What has gone from the trash for good. */
  readonly purged: (what: "scripts" | "versions" | "blobs" | "copies", count: number) => void;
  /** A pack of so many blobs and bytes was written. */
  readonly packed: (blobs: number, bytes: number) => void;
  readonly scrubbed: (counts: Partial<ScrubCounts>) => void;
  /** An attempt to send an event. */
  readonly webhookAttempt: (webhook: string, outcome: string) => void;
  readonly webhookBacklogs: (states: readonly { name: string; backlog: number }[]) => void;
  readonly orphanDeleted: () => void;
  readonly maintained: (task: string, outcome: "done" | "failed") => void;
  /** An export of the catalog was written, of so many bytes. */
  readonly exported: (size: number) => void;
  readonly judged: (versions: number, changed: number) => void;
}

export function createJanitorMetrics({ registry }: Metrics): JanitorMetrics {
  const requeued = new Counter({
    name: "sluice_requeued_total",
    help: "Versions that the queue had lost and that were enqueued again",
    labelNames: ["stage"],
    registers: [registry],
  });
  const orphans = new Counter({
    name: "sluice_orphans_deleted_total",
    help: "Objects that no row referred to",
    registers: [registry],
  });
  const retained = new Counter({
    name: "sluice_retention_actions_total",
    help: "Scripts and versions that the retention policy has put into the trash, deleted or archived",
    labelNames: ["action"],
    registers: [registry],
  });
  const purged = new Counter({
    name: "sluice_purged_total",
    help: "What has gone from the trash for good: scripts, versions, blobs that nothing referred to any more, and their copies",
    labelNames: ["what"],
    registers: [registry],
  });
  const packedBlobs = new Counter({
    name: "sluice_archive_blobs_total",
    help: "Blobs that went into a pack of the archive",
    registers: [registry],
  });
  const packedBytes = new Counter({
    name: "sluice_archive_bytes_total",
    help: "Bytes of the packs that were written",
    registers: [registry],
  });
  const scrubbed = new Counter({
    name: "sluice_scrub_total",
    help: "What the scrub has read (blobs, documents, bytes), found damaged, missing or unknown, repaired, and could not repair",
    labelNames: ["what"],
    registers: [registry],
  });
  const judged = new Counter({
    name: "sluice_reevaluated_total",
    help: "Stored versions that were judged by another policy",
    registers: [registry],
  });
  const changed = new Counter({
    name: "sluice_reevaluated_changed_total",
    help: "Stored versions whose state another policy has changed",
    registers: [registry],
  });
  const maintained = new Counter({
    name: "sluice_maintenance_runs_total",
    help: "Runs of the tasks on the schedule, by how they ended",
    labelNames: ["task", "outcome"],
    registers: [registry],
  });
  const exported = new Counter({
    name: "sluice_export_bytes_total",
    help: "Bytes of the catalog's exports that were written to the backup store",
    registers: [registry],
  });
  const exportedAt = new Gauge({
    name: "sluice_export_last_timestamp_seconds",
    help: "When the newest export of the catalog was written by this process",
    registers: [registry],
  });
  const webhookAttempts = new Counter({
    name: "sluice_webhook_attempts_total",
    help: "Attempts to send an event: delivered, failed, gone",
    labelNames: ["webhook", "outcome"],
    registers: [registry],
  });
  const webhookBacklog = new Gauge({
    name: "sluice_webhook_backlog",
    help: "Events that an endpoint is still to be told of",
    labelNames: ["webhook"],
    registers: [registry],
  });
  return {
    webhookAttempt: (webhook, outcome) => webhookAttempts.inc({ webhook, outcome }),
    webhookBacklogs: (states) => {
      webhookBacklog.reset();
      for (const { name, backlog } of states) webhookBacklog.set({ webhook: name }, backlog);
    },
    exported: (size) => {
      exported.inc(size);
      exportedAt.setToCurrentTime();
    },
    maintained: (task, outcome) => maintained.inc({ task, outcome }),
    requeued: (stage, versions) => requeued.inc({ stage }, versions),
    retained: (action, count) => retained.inc({ action }, count),
    purged: (what, count) => purged.inc({ what }, count),
    packed: (blobs, bytes) => {
      packedBlobs.inc(blobs);
      packedBytes.inc(bytes);
    },
    scrubbed: (counts) => {
      for (const [what, number] of Object.entries(counts)) scrubbed.inc({ what }, number);
    },
    orphanDeleted: () => orphans.inc(),
    judged: (versions, others) => {
      judged.inc(versions);
      changed.inc(others);
    },
  };
}
