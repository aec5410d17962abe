import type { OperationId } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import type { Route } from "../http/route.js";
import {
  cancelBulkChange,
  listBulkChangeFailures,
  listBulkChanges,
  readBulkChange,
  startBulkChange,
} from "./bulk-changes.js";
import { compareVersions } from "./compare-versions.js";
import { decideApproval } from "./decide-approval.js";
import { deleteScript } from "./delete-script.js";
import { listApprovals } from "./list-approvals.js";
import { liftLegalHold, placeLegalHold, readLegalHold } from "./legal-hold.js";
import { listAudit } from "./list-audit.js";
import { listEvents } from "./list-events.js";
import { listMaintenance } from "./list-maintenance.js";
import { listWebhookEndpoints } from "./list-webhooks.js";
import { listMetadataHistory } from "./list-metadata-history.js";
import { listScripts } from "./list-scripts.js";
import { listStorage } from "./list-storage.js";
import { listTrash } from "./list-trash.js";
import { listVersions } from "./list-versions.js";
import { listPolicies, readPolicy, readWrittenPolicy, updatePolicy } from "./policy.js";
import { readScriptUsage } from "./script-usage.js";
import { listDailyStatistics, listNamespaceStatistics, readStatistics } from "./statistics.js";
import { readContent } from "./read-content.js";
import { readMetadata } from "./read-metadata.js";
import { readReport } from "./read-report.js";
import { readScript } from "./read-script.js";
import { readStatus, readVersionStatus } from "./read-status.js";
import { readVersion } from "./read-version.js";
import { restoreVersion } from "./restore-version.js";
import {
  confirmRetention,
  listRetentionPolicies,
  readRetention,
  readWrittenRetentionPolicy,
  updateRetention,
} from "./retention.js";
import { retryScript } from "./retry-script.js";
import { listWatch } from "./list-watch.js";
import { readScriptRetention } from "./script-retention.js";
import { readScrub, startScrub } from "./scrub.js";
import { search } from "./search.js";
import { livez, metrics, openapi, readyz } from "./service.js";
import { listStages, pauseStage, resumeStage } from "./stages.js";
import { patchMetadata, updateMetadata } from "./update-metadata.js";
import { undeleteScript } from "./undelete-script.js";
import { undeleteVersion } from "./undelete-version.js";
import { uploadScript } from "./upload-script.js";

/** One route an operation: an operation without one is a type error. */
const ROUTES: Readonly<Record<OperationId, (deps: Dependencies) => Route>> = {
  uploadScript,
  listScripts,
  search,
  readScript,
  deleteScript,
  undeleteScript,
  undeleteVersion,
  listTrash,
  readContent,
  readStatus,
  retryScript,
  readMetadata,
  updateMetadata,
  patchMetadata,
  listMetadataHistory,
  startBulkChange,
  listBulkChanges,
  readBulkChange,
  listBulkChangeFailures,
  cancelBulkChange,
  readReport,
  listVersions,
  // Before readVersion, whose path would take `1...2` for the number of a version.
  compareVersions,
  readVersion,
  readVersionStatus,
  restoreVersion,
  decideApproval,
  listApprovals,
  listAudit,
  readPolicy,
  updatePolicy,
  listPolicies,
  readWrittenPolicy,
  readRetention,
  updateRetention,
  listRetentionPolicies,
  readWrittenRetentionPolicy,
  confirmRetention,
  readScriptRetention,
  readLegalHold,
  placeLegalHold,
  liftLegalHold,
  readScriptUsage,
  readStatistics,
  listDailyStatistics,
  listNamespaceStatistics,
  listEvents,
  listMaintenance,
  listStorage,
  listWebhooks: listWebhookEndpoints,
  listWatch,
  readScrub,
  startScrub,
  listStages,
  pauseStage,
  resumeStage,
  livez,
  readyz,
  metrics,
  openapi,
};

export function createRoutes(deps: Dependencies): Route[] {
  return Object.values(ROUTES).map((create) => create(deps));
}
