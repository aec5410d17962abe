import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Decoder } from "@toondepauw/node-zstd";
import { type Catalog, readVersion, type Version } from "@sluice/catalog";
import { type BlobEncoding, ObjectNotFoundError, type ObjectStore } from "@sluice/object-store";

const gunzipAsync = promisify(gunzip);
const zstd = new Decoder();

/** Where the bytes of a version are at this moment. */
export interface Place {
  readonly key: string;
  readonly offset: number;
  readonly length: number;
  readonly encoding: BlobEncoding;
}

/** Its blob, or until dedup has settled that its raw upload; `undefined` where it has neither. */
export function placeOf(version: Version): Place | undefined {
  if (version.blob !== undefined) return version.blob;
  if (version.rawKey === undefined) return undefined;
  return { key: version.rawKey, offset: 0, length: version.size, encoding: "identity" };
}

/** What is stored for a version is not what was uploaded. */
export class CorruptContentError extends Error {
  override readonly name = "CorruptContentError";
}

/** Dedup, then compression, may each move the bytes between the look at the row and the read. */
const MAX_MOVES = 3;

/**
 * The stored bytes of a version, and the coding they are in.
 *
 * @throws {@link CorruptContentError} where they are not there, though the catalog says so again and
 * again, or not of the length that it says
 */
export async function loadStored(
  { catalog, store }: { catalog: Catalog; store: ObjectStore },
  version: Version,
): Promise<{ bytes: Buffer; encoding: BlobEncoding }> {
  let current: Version | undefined = version;
  for (let move = 0; move <= MAX_MOVES && current !== undefined; move += 1) {
    const place = placeOf(current);
    if (place === undefined) break;
    try {
      const bytes = await store.get(place.key, { offset: place.offset, length: place.length });
      if (bytes.length !== place.length) {
        throw new CorruptContentError(
          `${place.key} has ${bytes.length} bytes instead of ${place.length}`,
        );
      }
      return { bytes, encoding: place.encoding };
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError)) throw error;
      current = await readVersion(catalog, version);
    }
  }
  throw new CorruptContentError(
    `the bytes of version ${version.versionId} are not in the object store`,
  );
}

/**
 * The bytes as they were uploaded.
 *
 * @throws {@link CorruptContentError} where they do not have the hash that they must have
 */
export async function decode(
  stored: { bytes: Buffer; encoding: BlobEncoding },
  version: Version,
): Promise<Buffer> {
  const bytes = await plain(stored, version).catch((error: unknown) => {
    throw new CorruptContentError(`version ${version.versionId} does not decode`, { cause: error });
  });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== version.sha256) {
    throw new CorruptContentError(
      `version ${version.versionId} has sha256 ${sha256}, not ${version.sha256}`,
    );
  }
  return bytes;
}

async function plain(
  { bytes, encoding }: { bytes: Buffer; encoding: BlobEncoding },
  { size }: Version,
): Promise<Buffer> {
  switch (encoding) {
    case "identity":
      return bytes;
    case "gzip":
      // zlib takes no limit of 0.
      return gunzipAsync(bytes, { maxOutputLength: Math.max(size, 1) });
    case "zstd":
      return zstd.decode(bytes);
  }
}
