import { manifestOf, writeManifest } from "@sluice/backup";
import { type Catalog, listUnmanifested, recordManifest } from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import type { Logger } from "@sluice/runtime";

export interface WriteManifestsDeps {
  readonly catalog: Catalog;
  readonly backup: ObjectStore;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const BATCH = 200;

/**
 * Gives duplicates, which skip the backup stage because their bytes are backed up, a manifest of their
 * own: without it the backup store would know their bytes but not their names.
 */
export async function writeManifests({
  catalog,
  backup,
  log,
  signal,
}: WriteManifestsDeps): Promise<void> {
  let written = 0;
  for (;;) {
    const versions = await listUnmanifested(catalog, BATCH);
    for (const version of versions) {
      if (signal.aborted) return;
      const manifestKey = await writeManifest(backup, manifestOf(version));
      await recordManifest(catalog, { versionId: version.versionId, manifestKey });
      written += 1;
    }
    if (versions.length < BATCH) break;
  }
  if (written > 0) log.info({ manifests: written }, "manifests of duplicates written");
}
