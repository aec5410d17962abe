import { BlobCorruptError, decodeVerified, readStored } from "@sluice/blobs";
import { type Catalog, readVersion, type Version } from "@sluice/catalog";
import { type BlobPlace, ObjectNotFoundError, type ObjectStore } from "@sluice/object-store";

/** A version's bytes as they are stored, not verified, and where they were found. */
export interface StoredContent {
  readonly bytes: Buffer;
  readonly place: BlobPlace;
}

/** Dedup, then compression, may each move the bytes between the look at the row and the read. */
const MAX_MOVES = 3;

/**
 * Reads the stored bytes of a version, wherever they have been moved to meanwhile.
 *
 * @throws {@link BlobCorruptError} where they are not there, though the catalog says so again and
 * again, or are fewer than it says
 */
export async function loadStored(
  { catalog, store }: { catalog: Catalog; store: ObjectStore },
  version: Version,
): Promise<StoredContent> {
  let current: Version | undefined = version;
  let missing = "nowhere";
  for (let move = 0; move <= MAX_MOVES && current !== undefined; move += 1) {
    const place = placeOf(current);
    if (place === undefined) break;
    missing = place.key;
    try {
      const bytes = await readStored(store, place);
      if (bytes.length === place.length) return { bytes, place };
      throw new BlobCorruptError(place.key, version.sha256, `it has ${bytes.length} bytes`);
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError)) throw error;
      current = await readVersion(catalog, version);
    }
  }
  throw new BlobCorruptError(missing, version.sha256, "there is no such object");
}

/** Reads a version's bytes as they were uploaded, held against their hash. Throws as {@link loadStored} does. */
export async function loadPlain(
  stores: { catalog: Catalog; store: ObjectStore },
  version: Version,
): Promise<Buffer> {
  const { bytes, place } = await loadStored(stores, version);
  return decodeVerified(bytes, place, version.sha256);
}

/** The version's blob, or until dedup has settled that its raw upload; `undefined` where it has neither. */
function placeOf(version: Version): BlobPlace | undefined {
  if (version.blob !== undefined) return version.blob;
  if (version.rawKey === undefined) return undefined;
  return { key: version.rawKey, offset: 0, length: version.size, encoding: "identity" };
}
