import { decodeVerified, encode, readBlob } from "@sluice/blobs";
import { blobKey, type ObjectStore } from "@sluice/object-store";
import { advance } from "@sluice/pipeline";
import type { Handler } from "@sluice/worker";

export interface CompressDeps {
  readonly objects: ObjectStore;
  readonly compression: "zstd" | "gzip" | "none";
  /** Sources of fewer bytes are left as they are. */
  readonly threshold: number;
}

/**
 * Stores a blob compressed, where that is smaller. The plain blob goes only after what was written has
 * been read back, decompressed and held against the hash, and after the catalog points to it.
 */
export const compress: Handler<"compress", CompressDeps> = async (
  { blob, sha256, size },
  { objects, compression, threshold },
) => {
  if (blob === undefined) throw new Error("dedup has left no blob");
  if (compression === "none" || size < threshold || blob.encoding !== "identity")
    return advance({});
  const source = await readBlob(objects, blob, sha256);
  const encoded = await encode(source, compression);
  if (encoded.length >= source.length) return advance({});

  const key = blobKey(sha256, compression);
  await objects.put(key, encoded);
  await decodeVerified(await objects.get(key), { key, encoding: compression }, sha256);
  return advance({ place: { key, offset: 0, length: encoded.length, encoding: compression } }, [
    blob.key,
  ]);
};
