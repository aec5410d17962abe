export * from "./approvals.js";
export * from "./archive.js";
export * from "./audit.js";
export * from "./blobs.js";
export * from "./bulk-change-steps.js";
export * from "./bulk-changes.js";
export * from "./catalog.js";
export * from "./descriptions.js";
export * from "./events.js";
export * from "./group-commit.js";
export * from "./half-restored.js";
export * from "./idempotency.js";
export * from "./migrate.js";
export { createRegistrar, findUploadTarget, toRegistration } from "./uploads.js";
export type {
  CommittedUpload,
  OnConflict,
  RegisteredVersion,
  Registrar,
  Registration,
  Upload,
  UploadTarget,
} from "./uploads.js";
export * from "./leases.js";
export * from "./legal-holds.js";
export * from "./policies.js";
export * from "./purge.js";
export * from "./quarantine.js";
export * from "./purged-bytes.js";
export type { HistoricPolicy } from "./policy-history.js";
export * from "./reevaluation.js";
export * from "./retention-policies.js";
export * from "./retention-facts.js";
export * from "./retention-history.js";
export * from "./retention-state.js";
export { BlobIsGoingError, PolicyChangedError, type StageResults } from "./results.js";
export * from "./search.js";
export * from "./search-index.js";
export * from "./session.js";
export * from "./settle.js";
export * from "./lost-work.js";
export * from "./maintenance.js";
export * from "./manifests.js";
export {
  type BlobRow,
  claimOrphan,
  findBlobs,
  neededUploads,
  releaseOrphan,
  tidyOrphanClaims,
  withSupersededForm,
} from "./orphans.js";
export {
  type Damage,
  type BlobToScrub,
  listBlobsToScrub,
  listDamaged,
  listUploadsToScrub,
  markDamaged,
  readStoredBlobs,
  recordRepairedPlace,
  type ScrubbedBlob,
  type UploadToScrub,
  unmarkDamaged,
  withBlobHeld,
  withUploadHeld,
} from "./scrub.js";
export * from "./scrub-packs.js";
export * from "./scrub-passes.js";
export type { ScriptFilter } from "./script-filter.js";
export * from "./script-use.js";
export * from "./statistics.js";
export * from "./scripts.js";
export * from "./statuses.js";
export * from "./standing.js";
export * from "./storage-states.js";
export * from "./states.js";
export * from "./undelete.js";
export * from "./unknown-objects.js";
export * from "./trash.js";
export * from "./versions.js";
export * from "./user-metadata.js";
export * from "./watch-departures.js";
export * from "./watch.js";
export * from "./webhooks.js";
