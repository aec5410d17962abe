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
export { DERIVED_TABLES, readTables } from "./tables.js";
export { RestoreRefusedError } from "./target.js";
export { type Verified, verifyBackup, type VerifyDeps } from "./verify.js";
