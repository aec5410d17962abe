import { createHash } from "node:crypto";
import {
  exportIndexes,
  exportIndexKey,
  type ExportRoot,
  ObjectNotFoundError,
  type ObjectStore,
} from "@sluice/object-store";
import { z } from "zod";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

const FORMATS = z.enum(["sluice.export/1", "sluice.register/1"]);

/** What one export says of itself; `docs/recovery.md` describes it. */
export const exportIndex = z.object({
  /** A register is an export of some tables, for who has the object store alone. */
  format: FORMATS,
  id: z.string(),
  /** Grows from export to export. */
  number: z.int().positive(),
  kind: z.enum(["base", "increment"]),
  /** The export that an increment goes on from, and the hash of its index. */
  parent: z.object({ id: z.string(), sha256 }).nullable(),
  /** The base it rests on; itself where it is one. */
  base: z.string(),
  created_at: z.iso.datetime(),
  catalog: z.object({
    /** Of the database; transaction numbers mean nothing in another. */
    identity: z.string(),
    xmin: z.string().regex(/^\d+$/),
  }),
  /** Those that the database had, in order. */
  migrations: z.array(z.string()),
  tables: z.array(
    z.object({ name: z.string(), key: z.array(z.string()), columns: z.array(z.string()) }),
  ),
  segments: z.array(
    z.object({
      table: z.string(),
      kind: z.enum(["rows", "deletions"]),
      key: z.string(),
      rows: count,
      /** Of the object as it is stored. */
      size: count,
      sha256,
    }),
  ),
  /** The last value given by each sequence that has given one. */
  sequences: z.array(z.object({ table: z.string(), column: z.string(), value: z.string() })),
  /** Of the key that the segments are encrypted with. */
  key_id: z.string().nullable(),
  /** Bytes that could not be found anywhere when the export was made. */
  missing: z.array(sha256),
  /** Exports since the base, and their size and the base's. */
  chain: z.object({ length: count, base_size: count, increments_size: count }),
});
export type ExportIndex = z.infer<typeof exportIndex>;
export type Segment = ExportIndex["segments"][number];

/** An index as it was read, with the hash that the next export names it by. */
export interface StoredIndex {
  readonly index: ExportIndex;
  readonly sha256: string;
}

/** An object of an export is not there, or is not what the export says; the message names it. */
export class DamagedExportError extends Error {
  override readonly name = "DamagedExportError";
  constructor(
    readonly key: string,
    why: string,
    options?: ErrorOptions,
  ) {
    super(`${key} is damaged: ${why}`, options);
  }
}

/** The index's bytes: a line with its hash, then the index itself. */
export function writeIndex(index: ExportIndex): { bytes: Buffer; sha256: string } {
  const text = JSON.stringify(index);
  const hash = createHash("sha256").update(text).digest("hex");
  return { bytes: Buffer.from(`{"sha256":"${hash}"}\n${text}\n`), sha256: hash };
}

/** @throws {@link DamagedExportError} */
export async function readIndex(
  store: ObjectStore,
  exportId: string,
  root?: ExportRoot,
): Promise<StoredIndex> {
  const key = exportIndexKey(exportId, root);
  let text: string;
  try {
    text = (await store.get(key)).toString();
  } catch (error) {
    if (error instanceof ObjectNotFoundError) throw new DamagedExportError(key, "it is not there");
    throw error;
  }
  const [head = "", body = ""] = text.split("\n");
  const hash = createHash("sha256").update(body).digest("hex");
  if (head !== `{"sha256":"${hash}"}`)
    throw new DamagedExportError(key, "it does not have the hash that its first line says");
  try {
    const content: unknown = JSON.parse(body);
    const format = z.object({ format: z.string() }).safeParse(content).data?.format;
    if (format !== undefined && !FORMATS.safeParse(format).success)
      throw new Error(`its format is ${format}, which this version of Sluice does not read`);
    const index = exportIndex.parse(content);
    if (index.id !== exportId) throw new Error(`it is the index of ${index.id}`);
    return { index, sha256: hash };
  } catch (error) {
    throw new DamagedExportError(key, error instanceof Error ? error.message : String(error));
  }
}

/** The ids of all exports, oldest first. */
export async function listExports(store: ObjectStore, root?: ExportRoot): Promise<string[]> {
  const ids: string[] = [];
  const prefix = exportIndexes(root);
  for await (const { key } of store.list(prefix)) {
    const id = /^([0-9]{10}-[0-9a-f]{8})\.json$/.exec(key.slice(prefix.length))?.[1];
    if (id !== undefined) ids.push(id);
  }
  return ids.sort();
}

/**
 * An export and all that it rests on, base first.
 *
 * @throws {@link DamagedExportError}
 */
export async function readChain(
  store: ObjectStore,
  exportId: string,
  root?: ExportRoot,
): Promise<StoredIndex[]> {
  const chain: StoredIndex[] = [];
  for (let id: string | undefined = exportId, expected: string | undefined; id !== undefined;) {
    const stored = await readIndex(store, id, root);
    if (expected !== undefined && stored.sha256 !== expected)
      throw new DamagedExportError(
        exportIndexKey(id, root),
        "it is not the one that was gone on from",
      );
    chain.unshift(stored);
    expected = stored.index.parent?.sha256;
    id = stored.index.parent?.id;
  }
  return chain;
}
