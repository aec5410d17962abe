import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { BlobEncoding } from "@sluice/object-store";
import { Decoder, Encoder } from "@toondepauw/node-zstd";
import { decodedAtMost } from "./zstd-frames.js";

const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);

/** Level 3 costs a third of gzip's time on small sources and packs about as well. */
const ZSTD_LEVEL = 3;
const encoder = new Encoder(ZSTD_LEVEL);
const decoder = new Decoder();

/**
 * What stored bytes may decode to, in bytes: far more than a script may have, so that no honest encoding is refused, and little
 * enough that a bomb put into the store takes no process with it.
 */
const MAX_DECODED = 256 * 1024 * 1024;

/** Encodes bytes for storage, off the event loop. */
export async function encode(bytes: Buffer, encoding: BlobEncoding): Promise<Buffer> {
  switch (encoding) {
    case "identity":
      return bytes;
    case "zstd":
      return encoder.encode(bytes);
    case "gzip":
      return gzipAsync(bytes, { level: 6 });
  }
}

/**
 * Gives back what {@link encode} was given, off the event loop.
 *
 * @throws where the bytes are not of that encoding, or would decode to more than any script has
 */
export async function decode(bytes: Buffer, encoding: BlobEncoding): Promise<Buffer> {
  switch (encoding) {
    case "identity":
      return bytes;
    case "zstd":
      if (decodedAtMost(bytes) > MAX_DECODED) throw new DecodedTooLongError();
      return decoder.decode(bytes);
    case "gzip":
      return gunzipAsync(bytes, { maxOutputLength: MAX_DECODED });
  }
}

class DecodedTooLongError extends Error {
  override readonly name = "DecodedTooLongError";
  constructor() {
    super(`it may decode to more than ${MAX_DECODED} bytes`);
  }
}
