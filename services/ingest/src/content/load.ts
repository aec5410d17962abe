import { BlobCorruptError, decodeVerified, readStored, sha256Of } from "@sluice/blobs";
import { type Catalog, readVersion, type Version } from "@sluice/catalog";
import {
  type BlobEncoding,
  type BlobPlace,
  ObjectNotFoundError,
  type ObjectStore,
  StoreUnavailableError,
} from "@sluice/object-store";
import { ProblemError } from "../http/problem-error.js";
import type { Content, ContentHealer } from "./heal.js";
import type { KnownForms } from "./known-forms.js";
import { storageOf } from "./storage.js";

export interface ContentDeps {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly healer: Pick<ContentHealer, "rescue">;
  readonly knownForms: KnownForms;
}

/** Dedup, then compression, may each move the bytes between the look at the row and the read. */
const MAX_MOVES = 3;

/**
 * Reads a version's bytes, wherever they have been moved to meanwhile, and holds them against their hash: as they were uploaded and as
 * they are stored. What is damaged or missing comes from its backup and is repaired; what no copy gives back is marked.
 *
 * @param suffices - whether the bytes as stored are all that is needed, where they are stored so
 * @throws {@link ProblemError} `content_damaged` where nothing gives them back, `content_gone` where they are not kept any more
 * @throws `StoreUnavailableError`
 */
export async function loadContent(
  deps: ContentDeps,
  version: Version,
  suffices: (encoding: BlobEncoding) => boolean,
): Promise<Content> {
  const found = await read(deps, version, suffices);
  if (found.content !== undefined) {
    // Somebody has put back what was lost.
    if (version.integrity !== undefined) void deps.healer.rescue(version).catch(() => undefined);
    return found.content;
  }
  const rescued = await deps.healer.rescue(version);
  if (rescued.kind === "copy") return rescued.content;
  if (rescued.kind === "again") {
    const now = await readVersion(deps.catalog, version);
    const again = now && (await read(deps, now, suffices));
    if (again?.content !== undefined) return again.content;
  }
  throw new ProblemError(
    "content_damaged",
    `The bytes of version ${version.version} are lost or damaged in the object store, and no copy gives them back.`,
    { cause: found.error },
  );
}

/** Reads a version's bytes as they were uploaded. Throws as {@link loadContent} does. */
export async function loadPlain(deps: ContentDeps, version: Version): Promise<Buffer> {
  return plainOf(await loadContent(deps, version, () => false), version);
}

/** A version's bytes as they were uploaded. */
export async function plainOf(
  { plain, stored, encoding }: Content,
  { sha256 }: Pick<Version, "sha256">,
): Promise<Buffer> {
  return plain ?? decodeVerified(stored, { key: "its content", encoding }, sha256);
}

async function read(
  deps: ContentDeps,
  version: Version,
  suffices: (encoding: BlobEncoding) => boolean,
): Promise<{ readonly content?: Content; readonly error?: unknown }> {
  let current: Version | undefined = version;
  let missing: unknown;
  for (let move = 0; move <= MAX_MOVES && current !== undefined; move += 1) {
    const place = placeOf(current);
    if (place === undefined) break;
    try {
      return { content: await readPlace(deps, place, version.sha256, suffices) };
    } catch (error) {
      // One object that cannot be read: permissions were changed, or the disk has a bad sector there.
      if (error instanceof BlobCorruptError || error instanceof StoreUnavailableError)
        return { error };
      if (!(error instanceof ObjectNotFoundError)) throw error;
      missing = new BlobCorruptError(place.key, version.sha256, "there is no such object");
      current = await readVersion(deps.catalog, version);
    }
  }
  if (missing === undefined) {
    throw new ProblemError(
      "content_gone",
      `The bytes of version ${version.version} are not kept any more.`,
    );
  }
  return { error: missing };
}

async function readPlace(
  { store, knownForms }: ContentDeps,
  place: BlobPlace,
  sha256: string,
  suffices: (encoding: BlobEncoding) => boolean,
): Promise<Content> {
  const { key, encoding, length } = place;
  const stored = await readStored(store, place);
  if (stored.length !== length)
    throw new BlobCorruptError(key, sha256, `it has ${stored.length} bytes`);
  const storage = storageOf(key);
  if (encoding === "identity" || !suffices(encoding))
    return { stored, encoding, storage, plain: await decodeVerified(stored, place, sha256) };
  const digest = sha256Of(stored);
  if (knownForms.has(sha256, digest)) return { stored, encoding, storage };
  const plain = await decodeVerified(stored, place, sha256);
  knownForms.add(sha256, digest);
  return { stored, encoding, storage, plain };
}

/** The version's blob, or until dedup has settled that its raw upload; `undefined` where it has neither. */
function placeOf(version: Version): BlobPlace | undefined {
  if (version.blob !== undefined) return version.blob;
  if (version.rawKey === undefined) return undefined;
  return { key: version.rawKey, offset: 0, length: version.size, encoding: "identity" };
}
