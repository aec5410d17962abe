import type { ObjectStore } from "@sluice/object-store";
import { backupKey, exportCatalog } from "@sluice/recovery";
import type { Logger, ServiceSettings } from "@sluice/runtime";
import type { MaintenanceTask } from "./maintenance/task.js";

export interface ExportCatalogDeps {
  readonly settings: Pick<
    ServiceSettings,
    "catalogUrl" | "backupSecrets" | "exportIntervalMs" | "exportKeepMs"
  >;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
  readonly log: Logger;
  /** Told of each export that was written: its size in bytes. */
  readonly onExported: (size: number) => void;
}

/** Writes what has changed in the catalog to the backup store: what is lost with all other stores is younger than one run. */
export function exportCatalogTask(deps: ExportCatalogDeps): MaintenanceTask {
  const { settings, objects, backup, log, onExported } = deps;
  const keys = settings.backupSecrets.map(backupKey);
  return {
    name: "export-catalog",
    everyMs: settings.exportIntervalMs,
    run: async ({ signal }) => {
      const outcome = await exportCatalog({
        catalogUrl: settings.catalogUrl,
        objects,
        backup,
        keys,
        signal,
        keepMs: settings.exportKeepMs,
      });
      if (outcome.kind !== "exported") return;
      const { id, kind, segments, missing } = outcome.index;
      const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
      const size = segments.reduce((sum, segment) => sum + segment.size, 0);
      log.info({ export: id, kind, rows, size }, "the catalog was exported");
      if (missing.length > 0)
        log.error({ export: id, blobs: missing }, "bytes that the catalog names are nowhere");
      const { unregistered } = outcome;
      if (unregistered !== undefined)
        log.warn({ export: id, err: unregistered }, "the object store has no register of it");
      onExported(size);
    },
  };
}
