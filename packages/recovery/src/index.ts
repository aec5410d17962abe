export { purgeCopies } from "./purge-copies.js";
export { type BackupKey, backupKey, KeyMissingError } from "./backup-key.js";
export { exportCatalog, type ExportDeps, type ExportOutcome } from "./export-catalog.js";
export {
  DamagedExportError,
  type ExportIndex,
  listExports,
  readChain,
  type Segment,
} from "./export-index.js";
export {
  BlobsLostError,
  restore,
  restoreMissingObjects,
  type RestoreDeps,
  type Restored,
} from "./restore.js";
export { OF_A_SCRIPT } from "./script-rows.js";
export { DERIVED_TABLES, NOT_OF_ONE_SCRIPT, readTables } from "./tables.js";
export { RestoreRefusedError } from "./target.js";
export { type Verified, verifyBackup, type VerifyDeps } from "./verify.js";
export { restoreScript, type RestoredScript, type RestoreScriptDeps } from "./restore-script.js";
export { rebuild, type RebuildDeps, type Rebuilt } from "./rebuild.js";
