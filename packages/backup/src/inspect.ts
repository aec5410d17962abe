import { decodeVerified, isNamedByItsBytes, packIdOf, readStored } from "@sluice/blobs";
import type { PackToScrub, ScrubbedBlob } from "@sluice/catalog";
import { hashOfKey, kindOfKey, type ObjectStore, packKey } from "@sluice/object-store";
import { type BlobCopy, type NoCopy, verifyBackup } from "./blob-copy.js";
import type { DocumentCondition } from "./heal-documents.js";
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

/**
 * Holds a whole pack against its name: its members, also those that nothing refers to any more, what lies beside them and between them,
 * and its index. One of before packs were named by their bytes is `stale`.
 *
 * @throws `StoreUnavailableError` where the store cannot be asked
 */
export async function inspectPack(
  objects: ObjectStore,
  { packId, size }: PackToScrub,
): Promise<DocumentCondition> {
  const key = packKey(packId);
  const found = await readable(objects, async () => {
    // Whatever somebody has put there, no more of it than that is held in memory.
    const pack = await objects.get(key, { offset: 0, length: size + 1 });
    return { bytes: pack.length, id: packIdOf(pack) };
  });
  if (!("id" in found)) return { ...found, bytes: 0 };
  const { bytes, id } = found;
  if (id === packId) return { state: "good", why: "", bytes };
  if (!isNamedByItsBytes(packId) && bytes === size) return { state: "stale", why: "", bytes };
  return { state: "damaged", why: `${key} is not what was written`, bytes };
}
