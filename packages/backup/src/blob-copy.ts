import { decodeVerified, readStored } from "@sluice/blobs";
import type { BlobPlace, ObjectStore } from "@sluice/object-store";
import { putVerified } from "./manifest.js";

/** Where the copy of a blob is: `backups/blobs/sha256/ab/cd/<sha256>[.zst|.gz]`. */
export function backupBlobKey(blobKey: string): string {
  return `backups/${blobKey}`;
}

/**
 * Copies a blob as it is stored, having held it against its hash first: a damaged blob must not
 * overwrite a good copy.
 *
 * @returns the copy's key
 */
export async function backUpBlob(
  objects: ObjectStore,
  backup: ObjectStore,
  { place, sha256 }: { place: BlobPlace; sha256: string },
): Promise<string> {
  const stored = await readStored(objects, place);
  await decodeVerified(stored, place, sha256);
  const key = backupBlobKey(place.key);
  await putVerified(backup, key, stored);
  return key;
}
