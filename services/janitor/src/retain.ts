import { type Catalog, moveVersionsToTrash, queueForArchive } from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import { RETENTION_ACTOR, type RetentionActions, runRetention } from "@sluice/retention";
import type { ServiceSettings } from "@sluice/runtime";
import type { MaintenanceTask } from "./maintenance/task.js";

export interface RetainDeps {
  readonly settings: Pick<
    ServiceSettings,
    "retentionIntervalMs" | "retentionPerSecond" | "trashMs"
  >;
  readonly catalog: Catalog;
  readonly backup: ObjectStore;
  /** Told of what was done by the retention policy. */
  readonly onRetained: (action: "trash" | "delete" | "archive", count: number) => void;
}

/** Whether a round is to begin is looked at so often: one that was killed goes on then, too. */
const EVERY_MS = 60_000;

/** Deletes and archives what the retention policy says. */
export function retentionTask({
  settings,
  catalog,
  backup,
  onRetained,
}: RetainDeps): MaintenanceTask {
  const actions: RetentionActions = {
    deleteVersions: (tx, versions) =>
      moveVersionsToTrash(
        tx,
        versions.map(({ reason, ...version }) => ({ ...version, rule: reason })),
        { actor: RETENTION_ACTOR, trashMs: settings.trashMs },
      ),
    archive: async (versions) => {
      const sha256s = await queueForArchive(
        catalog,
        versions.map(({ sha256 }) => sha256),
      );
      return new Set(
        versions.filter(({ sha256 }) => sha256s.has(sha256)).map(({ versionId }) => versionId),
      );
    },
    checkBackup: async () => {
      await backup.stat("manifests/none");
    },
  };
  return {
    name: "retention",
    everyMs: EVERY_MS,
    // Clean-up that waits, as for the backup store, is told at once.
    failuresToTell: 1,
    run: (run) =>
      runRetention(
        {
          catalog,
          actions,
          intervalMs: settings.retentionIntervalMs,
          perSecond: settings.retentionPerSecond,
          trashMs: settings.trashMs,
          now: Date.now,
          onActed: onRetained,
        },
        run,
      ),
  };
}
