import { backUpBlob, writeManifest } from "@sluice/backup";
import type { ObjectStore } from "@sluice/object-store";
import { advance } from "@sluice/pipeline";
import type { Handler } from "@sluice/worker";

export interface BackupDeps {
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
}

/**
 * Copies the blob to the backup store, with a manifest of this version. Both are read back; both are
 * left alone where a try before this one has written them.
 */
export const backup: Handler<"backup", BackupDeps> = async (script, { objects, backup: store }) => {
  const { blob, sha256 } = script;
  if (blob === undefined) throw new Error("dedup has left no blob");
  const backupKey = await backUpBlob(objects, store, { place: blob, sha256 });
  const manifestKey = await writeManifest(store, {
    format: "sluice.manifest/1",
    script_id: script.scriptId,
    version_id: script.versionId,
    version: script.version,
    namespace: script.namespace,
    filename: script.filename,
    original_filename: script.originalFilename,
    sha256,
    size: script.size,
    upload_time: script.uploadTime.toISOString(),
    verdict: script.verdict ?? null,
    blob: { key: backupKey, encoding: blob.encoding },
  });
  return advance({ backupKey, manifestKey });
};
