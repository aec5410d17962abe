import { BlobCorruptError, decodeVerified, encode, readBlob, readStored } from "@sluice/blobs";
import {
  type Catalog,
  markDamaged,
  type NewEvent,
  type Queryable,
  readBlobPlace,
  recordEvents,
  recordRepairedPlace,
  type ScrubbedBlob,
  unmarkDamaged,
  withBlobHeld,
  withUploadHeld,
} from "@sluice/catalog";
import {
  type BlobEncoding,
  blobKey,
  type BlobPlace,
  encodingOfKey,
  hashOfKey,
  kindOfKey,
  ObjectNotFoundError,
  type ObjectStore,
  quarantineKey,
  StoreUnavailableError,
} from "@sluice/object-store";
import { findCopy, type NoCopy } from "./blob-copy.js";
import { refusal } from "./refusal.js";
import { inspectBlob, inspectCopy } from "./inspect.js";
import { putVerified } from "./manifest.js";

export interface HealDeps {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
}

/** Bytes that are known to be those of a hash, whatever the stores have. */
export interface KnownBytes {
  readonly content: Buffer;
  /** Where they come from, as the event says it: a key, or in words. */
  readonly from: string;
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
 * @param known - the content from elsewhere: the blob is then repaired from it also while the
 *   backup store is away
 * @returns `undefined` where there is no such blob by now
 * @throws `StoreUnavailableError` where a store that is needed is away: nothing is marked then
 */
export async function healBlob(
  deps: HealDeps,
  sha256: string,
  known?: KnownBytes,
): Promise<Healed | undefined> {
  return withBlobHeld(deps.catalog, sha256, (tx, blob) => heal(deps, tx, blob, known));
}

/**
 * Does the same for the raw upload of a version that dedup has still to settle.
 *
 * @returns `undefined` where dedup has settled it by now
 */
export async function healUpload(
  deps: HealDeps,
  versionId: string,
  known?: KnownBytes,
): Promise<Healed | undefined> {
  return withUploadHeld(deps.catalog, versionId, async (tx, upload) =>
    heal(deps, tx, upload, known ?? (await sameBytes(deps, tx, upload.sha256))),
  );
}

/** Somebody else has uploaded the same bytes, and they are a blob already. */
async function sameBytes(
  { objects }: HealDeps,
  tx: Queryable,
  sha256: string,
): Promise<KnownBytes | undefined> {
  const place = await readBlobPlace(tx, sha256);
  if (place === undefined) return undefined;
  try {
    return { content: await readBlob(objects, place, sha256), from: place.key };
  } catch (error) {
    if (error instanceof BlobCorruptError || error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

async function heal(
  deps: HealDeps,
  tx: Queryable,
  blob: ScrubbedBlob,
  known: KnownBytes | undefined,
): Promise<Healed> {
  const { sha256 } = blob;
  const found = await inspectBlob(deps.objects, blob);
  if (found.state === "good") {
    if (await unmark(tx, blob))
      await tell(tx, sha256, "The bytes of a blob that was marked are good again.", {});
    return { ...(await healCopy(deps, tx, blob, found, known)), unrepairable: false };
  }
  const source =
    known === undefined
      ? await findCopy(deps.backup, sha256, [blob.backupKey])
      : { state: "good" as const, key: known.from, ...(await asStored(known.content, blob.place)) };
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
  if (!isUpload(blob)) await recordRepairedPlace(tx, sha256, put);
  await unmark(tx, blob);
  await recordEvents(tx, [toldOf(`blob.${found.state}`, sha256, found.why)]);
  await tell(tx, sha256, "A blob was repaired.", { key: put.key, from: source.key });
  const copy = await healCopy(deps, tx, blob, source, known);
  return { ...copy, blob: found.state, repaired: copy.repaired + 1, unrepairable: false };
}

function isUpload({ place }: ScrubbedBlob): boolean {
  return kindOfKey(place.key) === "upload";
}

/** A mark says something of the blob, where there is one, and not of another upload of its bytes. */
async function unmark(tx: Queryable, blob: ScrubbedBlob): Promise<boolean> {
  if (isUpload(blob) && (await readBlobPlace(tx, blob.sha256)) !== undefined) return false;
  return unmarkDamaged(tx, blob.sha256);
}

type Stored = Pick<BlobPlace, "encoding"> & { readonly stored: Buffer; readonly content: Buffer };

async function asStored(content: Buffer, { encoding }: BlobPlace): Promise<Stored> {
  return { content, stored: await encode(content, encoding), encoding };
}

/** Under the blob's own key, also where its bytes were part of an archive: others share that object. */
async function putBack(
  objects: ObjectStore,
  blob: ScrubbedBlob,
  source: Stored,
): Promise<Omit<BlobPlace, "offset"> | { readonly why: string }> {
  const { sha256, place } = blob;
  const raw = isUpload(blob);
  const { stored, encoding } = raw
    ? { stored: source.content, encoding: "identity" as const }
    : source;
  const own = place.key.startsWith("quarantine/")
    ? quarantineKey(sha256)
    : blobKey(sha256, encoding);
  const put = { key: raw ? place.key : own, length: stored.length, encoding };
  const why = await refusal(objects, async () => {
    await objects.put(put.key, stored);
    await decodeVerified(await readStored(objects, { ...put, offset: 0 }), put, sha256);
  });
  return why === undefined ? put : { why };
}

/** Repairs the copy that the blob's row names from bytes that are good. */
async function healCopy(
  deps: HealDeps,
  tx: Queryable,
  blob: ScrubbedBlob,
  good: { readonly stored: Buffer; readonly content: Buffer; readonly encoding?: BlobEncoding },
  known: KnownBytes | undefined,
): Promise<Pick<Healed, "copy" | "repaired">> {
  try {
    return await repairCopy(deps, tx, blob, good);
  } catch (error) {
    // The blob itself is safe; the scrub comes to its copy.
    if (known !== undefined && error instanceof StoreUnavailableError) return { repaired: 0 };
    throw error;
  }
}

async function repairCopy(
  { backup }: HealDeps,
  tx: Queryable,
  blob: ScrubbedBlob,
  good: { readonly stored: Buffer; readonly content: Buffer; readonly encoding?: BlobEncoding },
): Promise<Pick<Healed, "copy" | "repaired">> {
  const { sha256, backupKey, place } = blob;
  const found = await inspectCopy(backup, blob);
  if (found === undefined || found.state === "good" || backupKey === undefined)
    return { repaired: 0 };
  const wanted = encodingOfKey(backupKey);
  const has = good.encoding ?? place.encoding;
  const inQuarantine = hashOfKey(backupKey) === sha256 && backupKey.includes("quarantine/");
  const stored = has === wanted || inQuarantine ? good.stored : await encode(good.content, wanted);
  const told: NewEvent[] = [toldOf(`backup.${found.state}`, sha256, found.why)];
  const why = await refusal(backup, () => putVerified(backup, backupKey, stored));
  if (why !== undefined) {
    told.push({ ...toldOf("backup.unrepairable", sha256, why), severity: "critical" });
    await recordEvents(tx, told);
    return { copy: found.state, repaired: 0 };
  }
  told.push({
    severity: "info",
    kind: "backup.repaired",
    message: "The copy of a blob was repaired.",
    sha256,
    details: { key: backupKey },
  });
  await recordEvents(tx, told);
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
