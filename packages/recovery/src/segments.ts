import { createHash } from "node:crypto";
import { decode, encode } from "@sluice/blobs";
import {
  type ExportRoot,
  exportSegmentKey,
  ObjectNotFoundError,
  type ObjectStore,
} from "@sluice/object-store";
import { type BackupKey, decrypt, encrypt, KeyMissingError } from "./backup-key.js";
import { DamagedExportError, type Segment } from "./export-index.js";

/** Where a segment is written, and how. */
export interface SegmentTarget {
  readonly store: ObjectStore;
  readonly exportId: string;
  readonly key: BackupKey | undefined;
  readonly root?: ExportRoot | undefined;
}

/** Writes lines as one object: NDJSON, packed by zstd, encrypted where there is a key. */
export async function writeSegment(
  { store, exportId, key, root }: SegmentTarget,
  { table, kind, part }: { table: string; kind: Segment["kind"]; part: number },
  lines: readonly string[],
): Promise<Segment> {
  const suffix = key === undefined ? "" : ".enc";
  const name = `${table}.${kind}.${String(part).padStart(6, "0")}.ndjson.zst${suffix}`;
  const objectKey = exportSegmentKey(exportId, name, root);
  const packed = await encode(Buffer.from(`${lines.join("\n")}\n`), "zstd");
  const bytes = key === undefined ? packed : encrypt(packed, objectKey, key);
  await store.put(objectKey, bytes);
  return {
    table,
    kind,
    key: objectKey,
    rows: lines.length,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

/**
 * A segment's lines.
 *
 * @throws {@link DamagedExportError}, `KeyMissingError`
 */
export async function readSegment(
  store: ObjectStore,
  segment: Segment,
  { keyId, keys }: { keyId: string | null; keys: readonly BackupKey[] },
): Promise<string[]> {
  const bytes = await readSegmentBytes(store, segment);
  try {
    const packed = keyId === null ? bytes : decrypt(bytes, segment.key, keys);
    const lines = (await decode(packed, "zstd")).toString().split("\n");
    lines.pop();
    if (lines.length !== segment.rows)
      throw new Error(`it has ${lines.length} rows instead of ${segment.rows}`);
    return lines;
  } catch (error) {
    if (error instanceof KeyMissingError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new DamagedExportError(segment.key, why, { cause: error });
  }
}

/** A segment as it is stored, held against its hash, which needs no key. */
export async function readSegmentBytes(store: ObjectStore, segment: Segment): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await store.get(segment.key);
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError)) throw error;
    throw new DamagedExportError(segment.key, "it is not there");
  }
  if (createHash("sha256").update(bytes).digest("hex") !== segment.sha256)
    throw new DamagedExportError(segment.key, "it does not have the hash that the index says");
  return bytes;
}
