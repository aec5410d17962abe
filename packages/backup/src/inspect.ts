import { decodeVerified, readStored } from "@sluice/blobs";
import type { ScrubbedBlob } from "@sluice/catalog";
import { hashOfKey, kindOfKey, type ObjectStore } from "@sluice/object-store";
import { type BlobCopy, type NoCopy, verifyBackup } from "./blob-copy.js";
import { readable } from "./readable.js";

/** Whole bytes, decoded; or what is wrong with them. */
export type Condition =
  | { readonly state: "good"; readonly content: Buffer; readonly stored: Buffer }
  | NoCopy;

/**
 * Reads a blob and holds it against its hash. One whose object has bytes behind its own is damaged too: somebody has edited it.
 *
 * @throws `StoreUnavailableError` where the store cannot be asked, which says nothing about the blob
 */
export async function inspectBlob(
  objects: ObjectStore,
  { sha256, place }: ScrubbedBlob,
): Promise<Condition> {
  const alone = hashOfKey(place.key) === sha256 || kindOfKey(place.key) === "upload";
  return readable(objects, async () => {
    const read = await readStored(objects, alone ? { ...place, length: place.length + 1 } : place);
    const stored = read.subarray(0, place.length);
    const content = await decodeVerified(stored, place, sha256);
    if (read.length === place.length) return { state: "good", content, stored };
    return { state: "damaged", why: `${place.key} has bytes behind those that are its own` };
  });
}

/** Reads the copy that a blob's row names, as {@link inspectBlob} does the blob; `undefined` where it names none. */
export async function inspectCopy(
  backup: ObjectStore,
  { sha256, backupKey }: ScrubbedBlob,
): Promise<({ readonly state: "good" } & BlobCopy) | NoCopy | undefined> {
  if (backupKey === undefined) return undefined;
  return verifyBackup(backup, { sha256, backupKey });
}
