/**
 * Object keys. Only ids, numbers and hashes are ever part of one; the uploaded file's name is not.
 */

/**
 * The raw upload, until dedup has settled it: `uploads/2026-11-23/<script_id>/v1.py`. Later versions
 * bear the attempt as well, `v2-<attempt>.py`: uploads that race for a number have all put their bytes
 * before one of them gets it, and none may overwrite or delete another's.
 *
 * @param attempt - letters and digits that no other upload of this script has
 */
export function uploadKey(at: Date, scriptId: string, version: number, attempt: string): string {
  const suffix = version === 1 ? "" : `-${attempt}`;
  return `uploads/${at.toISOString().slice(0, 10)}/${scriptId}/v${version}${suffix}.py`;
}

/** Where the bytes of that hash are kept: `blobs/sha256/ab/cd/<sha256>[.zst|.gz]`. */
export function blobKey(sha256: string, encoding: BlobEncoding = "identity"): string {
  return `blobs/${shard(sha256)}${SUFFIX[encoding]}`;
}

/** The metadata beside the blob. */
export function metadataKey(sha256: string): string {
  return `blobs/${shard(sha256)}.metadata.json`;
}

/** Where a blob goes that is no Python. */
export function quarantineKey(sha256: string): string {
  return `quarantine/${shard(sha256)}`;
}

/** Where blobs that share one object are. */
export const ARCHIVE = "archive/";

/** `archive/<pack>.zst` */
export function packKey(packId: string): string {
  return `${ARCHIVE}${packId}.zst`;
}

/** Whether a blob that is under this key shares the object with others: it must never be deleted or copied for that one's sake. */
export function isPackKey(key: string): boolean {
  return key.startsWith(ARCHIVE);
}

/** Where the catalog's exports are, in the backup store. */
export const EXPORTS = "backups/catalog/";
/** Where registers are, in the object store: what scripts and versions there are, for who has nothing else. */
export const REGISTERS = "registers/";
/** Of exports, or of registers. */
export type ExportRoot = typeof EXPORTS | typeof REGISTERS;

/** Where the index of each export is, `backups/catalog/indexes/`; what has none is no export. */
export function exportIndexes(root: ExportRoot = EXPORTS): string {
  return `${root}indexes/`;
}

/** `backups/catalog/indexes/<export>.json` */
export function exportIndexKey(exportId: string, root: ExportRoot = EXPORTS): string {
  return `${exportIndexes(root)}${exportId}.json`;
}

/** `backups/catalog/segments/<export>/<name>`; without a name, where all of an export's are. */
export function exportSegmentKey(exportId: string, name = "", root: ExportRoot = EXPORTS): string {
  return `${root}segments/${exportId}/${name}`;
}

/** How a blob's bytes are stored; the names are those of HTTP content codings (RFC 9110, RFC 8878). */
export type BlobEncoding = "identity" | "zstd" | "gzip";

/** Where a blob's bytes are: part of an object, in some encoding. */
export interface BlobPlace {
  readonly key: string;
  /** Where in the object the bytes begin, and how many they are as stored. */
  readonly offset: number;
  readonly length: number;
  readonly encoding: BlobEncoding;
}

const SUFFIX: Readonly<Record<BlobEncoding, string>> = { identity: "", zstd: ".zst", gzip: ".gz" };

/** How the bytes under a key of a blob, or of its copy, are stored: the suffix says it. */
export function encodingOfKey(key: string): BlobEncoding {
  if (key.endsWith(SUFFIX.zstd)) return "zstd";
  return key.endsWith(SUFFIX.gzip) ? "gzip" : "identity";
}

/** What an object is, by its key. */
export type KeyKind =
  | "upload"
  | "blob"
  | "metadata"
  | "quarantine"
  | "archive"
  | "backup"
  | "manifest"
  | "export"
  | "register";

const SHARDED = String.raw`sha256/([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})`;
const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** The one list of what the two stores hold: whatever has another key was put there by somebody else. */
const KINDS: readonly { readonly kind: KeyKind; readonly shape: RegExp }[] = [
  {
    kind: "upload",
    shape: new RegExp(String.raw`^uploads/\d{4}-\d\d-\d\d/${UUID}/v\d+(?:-\w+)?\.py$`),
  },
  { kind: "blob", shape: new RegExp(String.raw`^blobs/${SHARDED}(?:\.zst|\.gz)?$`) },
  { kind: "metadata", shape: new RegExp(String.raw`^blobs/${SHARDED}\.metadata\.json$`) },
  { kind: "quarantine", shape: new RegExp(`^quarantine/${SHARDED}$`) },
  { kind: "archive", shape: new RegExp(String.raw`^${ARCHIVE}${UUID}\.zst$`) },
  {
    kind: "backup",
    shape: new RegExp(String.raw`^backups/(?:blobs|quarantine)/${SHARDED}(?:\.zst|\.gz)?$`),
  },
  {
    kind: "manifest",
    shape: new RegExp(String.raw`^backups/manifests/${UUID}/v\d+\.json$`),
  },
  { kind: "export", shape: new RegExp(`^${EXPORTS}.`) },
  { kind: "register", shape: new RegExp(`^${REGISTERS}.`) },
];

/** `undefined` for a key that nothing of Sluice ever has. */
export function kindOfKey(key: string): KeyKind | undefined {
  return KINDS.find(({ shape }) => shape.test(key))?.kind;
}

/** The hash that a key of a blob, of its metadata or of its copy is made of. */
export function hashOfKey(key: string): string | undefined {
  for (const { shape } of KINDS) {
    const hash = shape.exec(key)?.[3];
    if (hash !== undefined) return hash;
  }
  return undefined;
}

function shard(sha256: string): string {
  return `sha256/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`;
}
