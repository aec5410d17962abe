import { type Catalog, expireIdempotencyKeys } from "@sluice/catalog";
import { bulkChangesTask, tidyBulkChangesTask } from "../bulk-changes.js";
import { addStatisticsTask, forgetUseTask } from "../add-statistics.js";
import { type ArchiveDeps, archiveTask } from "../archive/archive.js";
import type { ServiceSettings } from "@sluice/runtime";
import { exportCatalogTask, type ExportCatalogDeps } from "../export-catalog.js";
import { expireQuarantineTask, type ExpireQuarantineDeps } from "../purge/expire-quarantine.js";
import { type PurgeTrashDeps, purgeTrashTask } from "../purge/purge-trash.js";
import { type RetainDeps, retentionTask } from "../retain.js";
import { type ScrubDeps, scrubTask } from "../scrub/scrub.js";
import { tidySearchTask, type TidySearchDeps } from "../tidy-search.js";
import type { MaintenanceTask } from "./task.js";

export interface TaskDeps
  extends ArchiveDeps, ExportCatalogDeps, PurgeTrashDeps, RetainDeps, ScrubDeps, TidySearchDeps {
  readonly settings: ArchiveDeps["settings"] &
    ExpireQuarantineDeps["settings"] &
    ExportCatalogDeps["settings"] &
    PurgeTrashDeps["settings"] &
    RetainDeps["settings"] &
    ScrubDeps["settings"] &
    Pick<ServiceSettings, "useDaysKept">;
  readonly catalog: Catalog;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The one list of what runs on a schedule, and how often. */
export function maintenanceTasks(deps: TaskDeps): readonly MaintenanceTask[] {
  const { catalog } = deps;
  return [
    exportCatalogTask(deps),
    scrubTask(deps),
    bulkChangesTask(catalog),
    tidyBulkChangesTask(catalog),
    addStatisticsTask(catalog),
    forgetUseTask(catalog, deps.settings.useDaysKept),
    retentionTask(deps),
    purgeTrashTask(deps),
    archiveTask(deps),
    expireQuarantineTask(deps),
    tidySearchTask(deps),
    {
      name: "expire-idempotency-keys",
      everyMs: HOUR_MS,
      run: async () => {
        await expireIdempotencyKeys(catalog, new Date(Date.now() - DAY_MS));
      },
    },
  ];
}
