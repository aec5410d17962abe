import { BlobCorruptError, decodeVerified, readStored } from "@sluice/blobs";
import { type Catalog, readVersion, type Version } from "@sluice/catalog";
import {
  type BlobPlace,
  ObjectNotFoundError,
  type ObjectStore,
  StoreUnavailableError,
} from "@sluice/object-store";
import { ProblemError } from "../http/problem-error.js";
import type { Content, ContentHealer } from "./heal.js";
import { storageOf } from "./storage.js";

export interface ContentDeps {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly healer: Pick<ContentHealer, "rescue">;
}

/** Dedup, then compression, may each move the bytes between the look at the row and the read. */
const MAX_MOVES = 3;

/**
 * Reads a version's bytes, wherever they have been moved to meanwhile, and holds them against their hash: as they were uploaded and as
 * they are stored. What is damaged or missing comes from its backup and is repaired; what no copy gives back is marked.
 *
 * @throws {@link ProblemError} `content_damaged` where nothing gives them back, `content_gone` where they are not kept any more
 * @throws `StoreUnavailableError`
 */
export async function loadContent(deps: ContentDeps, version: Version): Promise<Content> {
  const found = await read(deps, version);
  if (found.content !== undefined) {
    // Somebody has put back what was lost.
    if (version.integrity !== undefined) void deps.healer.rescue(version).catch(() => undefined);
    return found.content;
  }
  const rescued = await deps.healer.rescue(version);
  if (rescued.kind === "copy") return rescued.content;
  if (rescued.kind === "again") {
    const now = await readVersion(deps.catalog, version);
    const again = now && (await read(deps, now));
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
  return (await loadContent(deps, version)).plain;
}

async function read(
  { catalog, store }: ContentDeps,
  version: Version,
): Promise<{ readonly content?: Content; readonly error?: unknown }> {
  let current: Version | undefined = version;
  let missing: unknown;
  for (let move = 0; move <= MAX_MOVES && current !== undefined; move += 1) {
    const place = placeOf(current);
    if (place === undefined) break;
    try {
      return { content: await readPlace(store, place, version.sha256) };
    } catch (error) {
      // One object that cannot be read: permissions were changed, or the disk has a bad sector there.
      if (error instanceof BlobCorruptError || error instanceof StoreUnavailableError)
        return { error };
      if (!(error instanceof ObjectNotFoundError)) throw error;
      missing = new BlobCorruptError(place.key, version.sha256, "there is no such object");
      current = await readVersion(catalog, version);
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

async function readPlace(store: ObjectStore, place: BlobPlace, sha256: string): Promise<Content> {
  const stored = await readStored(store, place);
  if (stored.length !== place.length)
    throw new BlobCorruptError(place.key, sha256, `it has ${stored.length} bytes`);
  return {
    plain: await decodeVerified(stored, place, sha256),
    stored,
    encoding: place.encoding,
    storage: storageOf(place.key),
  };
}

/** The version's blob, or until dedup has settled that its raw upload; `undefined` where it has neither. */
function placeOf(version: Version): BlobPlace | undefined {
  if (version.blob !== undefined) return version.blob;
  if (version.rawKey === undefined) return undefined;
  return { key: version.rawKey, offset: 0, length: version.size, encoding: "identity" };
}
