import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { BlobEncoding } from "@sluice/object-store";
import { Decoder, Encoder } from "@toondepauw/node-zstd";

const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);

/** Level 3 costs a third of gzip's time on small sources and packs about as well. */
const ZSTD_LEVEL = 3;
const encoder = new Encoder(ZSTD_LEVEL);
const decoder = new Decoder();

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
 * @throws where the bytes are not of that encoding
 */
export async function decode(bytes: Buffer, encoding: BlobEncoding): Promise<Buffer> {
  switch (encoding) {
    case "identity":
      return bytes;
    case "zstd":
      return decoder.decode(bytes);
    case "gzip":
      return gunzipAsync(bytes);
  }
}
