import { createHash } from "node:crypto";
import type { BlobPlace, ObjectStore } from "@sluice/object-store";
import { decode } from "./encoding.js";

/** The stored bytes are not those that the hash names. */
export class BlobCorruptError extends Error {
  override readonly name = "BlobCorruptError";
  constructor(
    readonly key: string,
    readonly sha256: string,
    detail: string,
  ) {
    super(`${key} does not hold the bytes of ${sha256}: ${detail}`);
  }
}

/** SHA-256 in lower-case hexadecimal. */
export function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Reads the bytes as stored; they are not verified.
 *
 * @throws `ObjectNotFoundError`, where the blob has been moved since the place was read, or is lost
 */
export function readStored(objects: ObjectStore, place: BlobPlace): Promise<Buffer> {
  return objects.get(place.key, { offset: place.offset, length: place.length });
}

/**
 * Reads a blob's content and holds it against its hash.
 *
 * @throws {@link BlobCorruptError}, or `ObjectNotFoundError` as {@link readStored}
 */
export async function readBlob(
  objects: ObjectStore,
  place: BlobPlace,
  sha256: string,
): Promise<Buffer> {
  return decodeVerified(await readStored(objects, place), place, sha256);
}

/**
 * Decodes stored bytes and holds them against the content's hash.
 *
 * @throws {@link BlobCorruptError}
 */
export async function decodeVerified(
  stored: Buffer,
  { key, encoding }: Pick<BlobPlace, "key" | "encoding">,
  sha256: string,
): Promise<Buffer> {
  const content = await decode(stored, encoding).catch((error: unknown) => {
    throw new BlobCorruptError(key, sha256, error instanceof Error ? error.message : String(error));
  });
  const actual = sha256Of(content);
  if (actual !== sha256) throw new BlobCorruptError(key, sha256, `the hash is ${actual}`);
  return content;
}
