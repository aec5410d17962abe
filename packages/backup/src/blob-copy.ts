import { decodeVerified, readStored } from "@sluice/blobs";
import {
  type BlobEncoding,
  blobKey,
  type BlobPlace,
  encodingOfKey,
  type ObjectStore,
  quarantineKey,
} from "@sluice/object-store";
import { putVerified } from "./manifest.js";
import { readable } from "./readable.js";

/** Where the copy of a blob is: `backups/blobs/sha256/ab/cd/<sha256>[.zst|.gz]`. */
export function backupBlobKey(blobKey: string): string {
  return `backups/${blobKey}`;
}

/** Where the copy of bytes goes that are stored there: an object of its own, also where they share theirs with others. */
export function copyKeyOf(
  sha256: string,
  { key, encoding }: Pick<BlobPlace, "key" | "encoding">,
): string {
  return backupBlobKey(
    key.startsWith("quarantine/") ? quarantineKey(sha256) : blobKey(sha256, encoding),
  );
}

/** Every key that a copy of these bytes may have in the backup store. */
export function copyKeys(sha256: string): string[] {
  return [
    ...(["zstd", "gzip", "identity"] as const).map((encoding) => blobKey(sha256, encoding)),
    quarantineKey(sha256),
  ].map(backupBlobKey);
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
  const key = copyKeyOf(sha256, place);
  await putVerified(backup, key, stored);
  return key;
}

/** A whole copy of a blob, read back. */
export interface BlobCopy {
  readonly key: string;
  readonly stored: Buffer;
  readonly content: Buffer;
  readonly encoding: BlobEncoding;
}

/** Why there is no copy to be had, or not the one that was asked for. */
export interface NoCopy {
  readonly state: "missing" | "damaged";
  /** What was found, for a person. */
  readonly why: string;
}

/**
 * Reads one copy back, decodes it and holds it against the hash. Whoever is about to delete or to move the bytes that it is a copy of
 * asks here first.
 *
 * @throws `StoreUnavailableError` where the backup store cannot be asked: that says nothing about the copy
 */
export async function verifyBackup(
  backup: ObjectStore,
  { sha256, backupKey }: { sha256: string; backupKey: string },
): Promise<({ readonly state: "good" } & BlobCopy) | NoCopy> {
  return readable(backup, async () => {
    const stored = await backup.get(backupKey);
    const copy = await decodeCopy(stored, backupKey, sha256);
    return { state: "good", key: backupKey, stored, ...copy };
  });
}

async function decodeCopy(
  stored: Buffer,
  key: string,
  sha256: string,
): Promise<Pick<BlobCopy, "content" | "encoding">> {
  const encoding = encodingOfKey(key);
  try {
    return { content: await decodeVerified(stored, { key, encoding }, sha256), encoding };
  } catch (error) {
    // In quarantine a key says nothing of how its bytes are stored.
    if (encoding !== "identity" || !key.includes("quarantine/")) throw error;
    for (const other of ["zstd", "gzip"] as const) {
      const content = await decodeVerified(stored, { key, encoding: other }, sha256).catch(
        () => undefined,
      );
      if (content !== undefined) return { content, encoding: other };
    }
    throw error;
  }
}

/**
 * The first copy that is whole.
 *
 * @param keys - where rows say that one is; where none of these is whole, it may be wherever a copy can be
 * @throws `StoreUnavailableError` as {@link verifyBackup} does
 */
export async function findCopy(
  backup: ObjectStore,
  sha256: string,
  keys: readonly (string | null | undefined)[],
): Promise<({ readonly state: "good" } & BlobCopy) | NoCopy> {
  let none: NoCopy = { state: "missing", why: "there is no copy" };
  const said = keys.filter((key) => key !== null && key !== undefined);
  for (const backupKey of new Set([...said, ...copyKeys(sha256)])) {
    const copy = await verifyBackup(backup, { sha256, backupKey });
    if (copy.state === "good") return copy;
    if (copy.state === "damaged") none = copy;
  }
  return none;
}
