import {
  BlobCorruptError,
  decode,
  PACK_ENCODING,
  readBlob,
  readPackIndex,
  sha256Of,
} from "@sluice/blobs";
import { type Queryable, RESTORE_SCHEMA } from "@sluice/catalog";
import {
  type BlobPlace,
  isPackKey,
  metadataKey,
  ObjectNotFoundError,
  type ObjectStore,
} from "@sluice/object-store";
import pMap from "p-map";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import type { RebuildObjectsDeps } from "./rebuild-catalog.js";

const BATCH = 500;
const AT_ONCE = 16;
/** Where scripts are whose name is lost. */
const NAMESPACE = "recovered";

/** What `metadata.json` beside a blob says of the version that was analysed first; older ones lack the namespace and the time. */
const head = z.object({
  script_id: z.uuid(),
  namespace: z.string().default("default"),
  filename: z.string(),
  version: z.int().positive(),
  upload_time: z.iso.datetime().optional(),
});
type Head = z.infer<typeof head>;

/** Bytes without a version, and what is known of them. */
interface Unnamed {
  readonly sha256: string;
  readonly size: number;
  readonly rawKey: string | undefined;
  readonly head: Head;
  /** The head is made up. */
  readonly isNameless: boolean;
}

/** Makes versions of bytes that no version names: uploads that came after the register, or everything where there is none. */
export async function nameUnnamed(db: Queryable, deps: RebuildObjectsDeps): Promise<void> {
  await nameBlobs(db, deps);
  await nameUploads(db, deps);
}

async function nameBlobs(
  db: Queryable,
  { objects, signal, onProgress }: RebuildObjectsDeps,
): Promise<void> {
  for (let after = "", done = 0; ;) {
    signal.throwIfAborted();
    const { rows } = await db.query<BlobPlace & { sha256: string }>(
      `select sha256, key, "offset"::float8 as "offset", length::float8 as length, encoding from blobs b
       where sha256 > $1 and not exists (select from versions v where v.sha256 = b.sha256)
       order by sha256 limit ${BATCH}`,
      [after],
    );
    const found = await pMap(rows, (row) => readUnnamed(objects, row), { concurrency: AT_ONCE });
    // Older versions first, so that the newest of a script comes to be the newest.
    await insertVersions(
      db,
      found.filter((one) => one !== undefined).toSorted((a, b) => a.head.version - b.head.version),
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.sha256;
    onProgress("naming what no register names", (done += rows.length), done);
  }
}

/** @returns `undefined` for bytes that are not what their key says: nobody can have meant them */
async function readUnnamed(
  objects: ObjectStore,
  { sha256, ...place }: BlobPlace & { sha256: string },
): Promise<Unnamed | undefined> {
  try {
    const { length: size } = await readBlob(objects, place, sha256);
    const said = await readHead(objects, sha256, place);
    const made = {
      script_id: uuidv7(),
      namespace: NAMESPACE,
      filename: `${sha256}.py`,
      version: 1,
    };
    return { sha256, size, rawKey: undefined, head: said ?? made, isNameless: said === undefined };
  } catch (error) {
    if (error instanceof BlobCorruptError || error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

async function readHead(
  objects: ObjectStore,
  sha256: string,
  place: BlobPlace,
): Promise<Head | undefined> {
  try {
    const bytes = isPackKey(place.key)
      ? await readPackedMetadata(objects, sha256, place.key)
      : await objects.get(metadataKey(sha256));
    return head.safeParse(JSON.parse(bytes.toString())).data;
  } catch (error) {
    if (error instanceof ObjectNotFoundError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What lay beside a blob lies in the pack with it. @throws `ObjectNotFoundError` where nothing did */
async function readPackedMetadata(
  objects: ObjectStore,
  sha256: string,
  key: string,
): Promise<Buffer> {
  const member = (await readPackIndex(objects, key)).find((one) => one.sha256 === sha256);
  if (member?.metadata === undefined) throw new ObjectNotFoundError(metadataKey(sha256));
  return decode(await objects.get(key, member.metadata), PACK_ENCODING);
}

const UPLOAD = /\/([0-9a-f-]{36})\/v(\d+)(?:-\w+)?\.py$/;

/** Raw uploads that no version names and whose bytes are nowhere else: their name was in the catalog only. */
async function nameUploads(db: Queryable, { objects, signal }: RebuildObjectsDeps): Promise<void> {
  const { rows } = await db.query<{ key: string }>(
    `select key from ${RESTORE_SCHEMA}.uploads u where not exists (select from versions v where v.raw_key = u.key) order by key`,
  );
  for (const { key } of rows) {
    signal.throwIfAborted();
    const [, scriptId = "", number = "1"] = UPLOAD.exec(key) ?? [];
    const bytes = await objects.get(key);
    const sha256 = sha256Of(bytes);
    const { rowCount } = await db.query("select from versions where sha256 = $1 limit 1", [sha256]);
    if (rowCount !== 0) continue;
    const version = Number(number);
    const filename = `${scriptId}-v${version}.py`;
    await insertVersions(db, [
      {
        sha256,
        size: bytes.length,
        rawKey: key,
        head: { script_id: scriptId, namespace: NAMESPACE, filename, version },
        isNameless: true,
      },
    ]);
  }
}

async function insertVersions(db: Queryable, found: readonly Unnamed[]): Promise<void> {
  if (found.length === 0) return;
  await db.query("begin");
  try {
    for (const one of found) await insertVersion(db, one);
    await db.query("commit");
  } catch (error) {
    await db.query("rollback");
    throw error;
  }
}

/** As a version of the script that is said, where that has no such version; as a script of its own where it has, or the name is taken. */
async function insertVersion(
  db: Queryable,
  { sha256, size, rawKey, head: said, isNameless }: Unnamed,
): Promise<void> {
  const script = await db.query("select from scripts where id = $1", [said.script_id]);
  let { script_id: scriptId, version } = said;
  if (script.rowCount === 0) {
    const { rowCount } = await db.query(
      `insert into scripts (id, namespace, filename, latest_version) values ($1, $2, $3, $4)
       on conflict (namespace, filename) where deleted_at is null do nothing`,
      [scriptId, said.namespace, said.filename, version],
    );
    if (rowCount === 0) [scriptId, version] = await insertNameless(db, sha256);
  } else {
    const taken = await db.query("select from versions where script_id = $1 and number = $2", [
      scriptId,
      version,
    ]);
    if (taken.rowCount !== 0) [scriptId, version] = await insertNameless(db, sha256);
    else
      await db.query(
        "update scripts set latest_version = greatest(latest_version, $2) where id = $1",
        [scriptId, version],
      );
  }
  await db.query(
    `insert into versions (id, script_id, number, sha256, size, original_filename, raw_key, request_id, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'rebuild', coalesce($8::timestamptz, now()))`,
    [
      uuidv7(),
      scriptId,
      version,
      sha256,
      size,
      isNameless ? "" : said.filename,
      rawKey ?? null,
      said.upload_time ?? null,
    ],
  );
  await db.query("update blobs set size = $2 where sha256 = $1", [sha256, size]);
}

async function insertNameless(db: Queryable, sha256: string): Promise<[string, number]> {
  const id = uuidv7();
  await db.query(
    "insert into scripts (id, namespace, filename, latest_version) values ($1, $2, $3, 1)",
    [id, NAMESPACE, `${sha256}.py`],
  );
  return [id, 1];
}
