import { decodeVerified, encode, readStored } from "@sluice/blobs";
import {
  type Catalog,
  markDamaged,
  type NewEvent,
  type Queryable,
  recordEvents,
  recordRepairedPlace,
  type ScrubbedBlob,
  unmarkDamaged,
  withBlobHeld,
} from "@sluice/catalog";
import {
  type BlobEncoding,
  blobKey,
  type BlobPlace,
  encodingOfKey,
  hashOfKey,
  InvalidKeyError,
  type ObjectStore,
  quarantineKey,
} from "@sluice/object-store";
import { findCopy, type NoCopy } from "./blob-copy.js";
import { inspectBlob, inspectCopy } from "./inspect.js";
import { BackupNotVerifiedError, putVerified } from "./manifest.js";

export interface HealDeps {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
}

/** How a blob and its copy were found under the lock, and what was done. */
export interface Healed {
  /** What was wrong; absent where the bytes were good. */
  readonly blob?: NoCopy["state"] | undefined;
  readonly copy?: NoCopy["state"] | undefined;
  readonly repaired: number;
  /** The blob is marked: nothing gives its bytes back. */
  readonly unrepairable: boolean;
}

/**
 * Looks at a blob and its copy again, with the blob's row held so that nobody moves it, and repairs either from the other: only what
 * was found bad is written, only from bytes that were held against the hash, and what was written is read back. What cannot be
 * repaired is marked; a mark on what is good again goes.
 *
 * @param known - the content from elsewhere, held against the hash by the caller
 * @returns `undefined` where there is no such blob by now
 * @throws `StoreUnavailableError` where either store is away: nothing is marked then
 */
export async function healBlob(
  deps: HealDeps,
  sha256: string,
  known?: Buffer,
): Promise<Healed | undefined> {
  return withBlobHeld(deps.catalog, sha256, async (tx, blob) => {
    const found = await inspectBlob(deps.objects, blob);
    if (found.state === "good") {
      if (await unmarkDamaged(tx, sha256))
        await tell(tx, sha256, "The bytes of a blob that was marked are good again.", {});
      return { ...(await healCopy(deps, tx, blob, found)), unrepairable: false };
    }
    const source =
      known === undefined
        ? await findCopy(deps.backup, sha256, [blob.backupKey])
        : { state: "good" as const, key: "the caller", ...(await asStored(known, blob.place)) };
    if (source.state !== "good") {
      const why = `${found.why}; of its copy: ${source.why}`;
      await markDamaged(tx, sha256, { state: found.state, detail: why });
      return { blob: found.state, copy: source.state, repaired: 0, unrepairable: true };
    }
    const put = await putBack(deps.objects, blob, source);
    if ("why" in put) {
      const why = `${found.why}; it could not be put back: ${put.why}`;
      await markDamaged(tx, sha256, { state: found.state, detail: why });
      return { blob: found.state, repaired: 0, unrepairable: true };
    }
    await recordRepairedPlace(tx, sha256, put);
    await unmarkDamaged(tx, sha256);
    await recordEvents(tx, [toldOf(`blob.${found.state}`, sha256, found.why)]);
    await tell(tx, sha256, "A blob was repaired.", { key: put.key, from: source.key });
    const copy = await healCopy(deps, tx, blob, source);
    return { ...copy, blob: found.state, repaired: copy.repaired + 1, unrepairable: false };
  });
}

type Stored = Pick<BlobPlace, "encoding"> & { readonly stored: Buffer };

async function asStored(content: Buffer, { encoding }: BlobPlace): Promise<Stored> {
  return { stored: await encode(content, encoding), encoding };
}

/** Under the blob's own key, also where its bytes were part of an archive: others share that object. */
async function putBack(
  objects: ObjectStore,
  { sha256, place }: ScrubbedBlob,
  { stored, encoding }: Stored,
): Promise<Omit<BlobPlace, "offset"> | { readonly why: string }> {
  const key = place.key.startsWith("quarantine/")
    ? quarantineKey(sha256)
    : blobKey(sha256, encoding);
  const put = { key, length: stored.length, encoding };
  try {
    await objects.put(key, stored);
    await decodeVerified(await readStored(objects, { ...put, offset: 0 }), put, sha256);
  } catch (error) {
    // A directory lies in its place.
    if (error instanceof InvalidKeyError) return { why: error.message };
    throw error;
  }
  return put;
}

/** Repairs the copy that the blob's row names from bytes that are good. */
async function healCopy(
  { backup }: HealDeps,
  tx: Queryable,
  blob: ScrubbedBlob,
  good: { readonly stored: Buffer; readonly content?: Buffer; readonly encoding?: BlobEncoding },
): Promise<Pick<Healed, "copy" | "repaired">> {
  const { sha256, backupKey, place } = blob;
  const found = await inspectCopy(backup, blob);
  if (found === undefined || found.state === "good" || backupKey === undefined)
    return { repaired: 0 };
  await recordEvents(tx, [toldOf(`backup.${found.state}`, sha256, found.why)]);
  const wanted = encodingOfKey(backupKey);
  const has = good.encoding ?? place.encoding;
  const inQuarantine = hashOfKey(backupKey) === sha256 && backupKey.includes("quarantine/");
  const stored =
    has === wanted || inQuarantine
      ? good.stored
      : await encode(await decodeVerified(good.stored, { key: "", encoding: has }, sha256), wanted);
  try {
    await putVerified(backup, backupKey, stored);
  } catch (error) {
    if (!(error instanceof InvalidKeyError) && !(error instanceof BackupNotVerifiedError))
      throw error;
    await recordEvents(tx, [
      { ...toldOf("backup.unrepairable", sha256, error.message), severity: "critical" },
    ]);
    return { copy: found.state, repaired: 0 };
  }
  await recordEvents(tx, [
    {
      severity: "info",
      kind: "backup.repaired",
      message: "The copy of a blob was repaired.",
      sha256,
      details: { key: backupKey },
    },
  ]);
  return { copy: found.state, repaired: 1 };
}

function toldOf(kind: NewEvent["kind"], sha256: string, message: string): NewEvent {
  return { severity: "warning", kind, message, sha256 };
}

async function tell(
  tx: Queryable,
  sha256: string,
  message: string,
  details: object,
): Promise<void> {
  await recordEvents(tx, [{ severity: "info", kind: "blob.repaired", message, sha256, details }]);
}
