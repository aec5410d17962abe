import { backupBlobKey, backUpBlob, findCopy, healBlob, putVerified } from "@sluice/backup";
import { BlobCorruptError, sha256Of } from "@sluice/blobs";
import type { Catalog, LastBytes } from "@sluice/catalog";
import { blobKey, ObjectNotFoundError, type ObjectStore } from "@sluice/object-store";

export interface LastCopyDeps {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
}

/**
 * Sees to it that bytes that are about to go have a copy, which was read back and held against their hash: from a copy that is whole, or
 * else one that is made of the bytes themselves.
 *
 * @returns `false` where neither store gives the bytes back, and that was not told for a day at least: they stay where they are
 * @throws `StoreUnavailableError` where either store does not answer
 */
export async function ensureCopy(deps: LastCopyDeps, bytes: LastBytes): Promise<boolean> {
  const { sha256, place, rawKey, backupKey, earlyKey } = bytes;
  const { catalog, objects, backup } = deps;
  const hasCopy = async (): Promise<boolean> =>
    (await findCopy(backup, sha256, [backupKey, earlyKey])).state === "good";
  if (await hasCopy()) return true;
  try {
    if (place !== undefined) {
      if (backupKey !== undefined) await healBlob({ catalog, objects, backup }, sha256);
      else await backUpBlob(objects, backup, { place, sha256 });
      return (await hasCopy()) || bytes.isLost;
    }
    // Of what was never settled nobody would be told, since there is no blob that could be marked.
    if (rawKey === undefined) return true;
    const content = await objects.get(rawKey);
    if (sha256Of(content) !== sha256) return true;
    await putVerified(backup, backupBlobKey(blobKey(sha256)), content);
    return true;
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError) && !(error instanceof BlobCorruptError))
      throw error;
    return place === undefined || bytes.isLost;
  }
}
