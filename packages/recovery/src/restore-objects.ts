import { copyKeyOf, describe, findCopy } from "@sluice/backup";
import { type Description, type Queryable, readDescriptions } from "@sluice/catalog";
import {
  type BlobEncoding,
  blobKey,
  metadataKey,
  type ObjectStore,
  quarantineKey,
} from "@sluice/object-store";
import pMap from "p-map";

export interface RestoreObjectsDeps {
  readonly db: Queryable;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
  readonly signal: AbortSignal;
  /** Told how many bytes objects of the next batch had. */
  readonly onRestored: (objects: number) => void;
}

/** A blob that no copy in the backup store gives back. */
export interface LostBlob {
  readonly sha256: string;
  readonly why: string;
}

const BATCH = 500;
const AT_ONCE = 32;

interface Wanted {
  readonly sha256: string;
  readonly key: string | null;
  readonly offset: number;
  readonly length: number;
  readonly encoding: BlobEncoding;
  readonly backup_key: string | null;
  readonly early_key: string | null;
  readonly raw_keys: readonly string[] | null;
}

/**
 * Puts the bytes of every version back into the object store, from their copies, each held against its hash. What is there already,
 * as long as its row says, is left alone. Where a copy has another form than the row says, the row is adapted.
 *
 * @param after - goes on after that hash
 * @param onBatch - told the last hash of each batch and what of it is lost
 */
export async function restoreObjects(
  deps: RestoreObjectsDeps,
  after: string,
  onBatch: (last: string, lost: readonly LostBlob[]) => Promise<void>,
): Promise<void> {
  for (let last = after; ;) {
    deps.signal.throwIfAborted();
    const batch = await listWanted(deps.db, last);
    const end = batch.at(-1);
    if (end === undefined) return;
    const found = await readDescriptions(
      deps.db,
      batch.map(({ sha256 }) => sha256),
    );
    const descriptions = new Map(found.map((one) => [one.sha256, one]));
    const lost: LostBlob[] = [];
    const moved: Moved[] = [];
    await pMap(
      batch,
      async (wanted) => {
        const result = await restoreOne(wanted, descriptions.get(wanted.sha256), deps);
        if ("why" in result) lost.push(result);
        else if (result.moved !== undefined) moved.push(result.moved);
      },
      { concurrency: AT_ONCE },
    );
    for (const { sha256, key, length, encoding } of moved) {
      await deps.db.query(
        `update blobs set key = $2, "offset" = 0, length = $3, encoding = $4 where sha256 = $1`,
        [sha256, key, length, encoding],
      );
    }
    last = end.sha256;
    await onBatch(last, lost);
    deps.onRestored(batch.length);
  }
}

/** How many hashes there are to restore. */
export async function countWanted(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from (select sha256 from blobs where state = 'stored'
       union select sha256 from versions where raw_key is not null) wanted`,
  );
  return rows[0]?.count ?? 0;
}

async function listWanted(db: Queryable, after: string): Promise<Wanted[]> {
  const { rows } = await db.query<Wanted>(
    `with wanted as (
       (select sha256 from blobs where state = 'stored' and sha256 > $1 order by sha256 limit $2)
       union
       (select sha256 from versions where raw_key is not null and sha256 > $1 order by sha256 limit $2)
       order by sha256 limit $2)
     select w.sha256, b.key, b."offset"::float8 as "offset", b.length::float8 as length, b.encoding, b.backup_key,
       e.key as early_key,
       (select array_agg(v.raw_key) from versions v where v.sha256 = w.sha256 and v.raw_key is not null) as raw_keys
     from wanted w left join blobs b on b.sha256 = w.sha256 and b.state = 'stored'
       left join early_copies e on e.sha256 = w.sha256
     order by w.sha256`,
    [after, BATCH],
  );
  return rows;
}

interface Moved {
  readonly sha256: string;
  readonly key: string;
  readonly length: number;
  readonly encoding: BlobEncoding;
}

async function restoreOne(
  wanted: Wanted,
  description: Description | undefined,
  { objects, backup }: RestoreObjectsDeps,
): Promise<LostBlob | { moved: Moved | undefined }> {
  const { sha256, key } = wanted;
  await restoreMetadata(wanted, description, objects);
  const missing = await missingKeys(wanted, objects);
  if (missing.blob || missing.raw.length > 0) {
    const copy = await findCopy(backup, sha256, [
      wanted.backup_key,
      wanted.early_key,
      key === null ? null : copyKeyOf(sha256, { key, encoding: wanted.encoding }),
    ]);
    if ("why" in copy) return { sha256, why: copy.why };
    for (const raw of missing.raw) await objects.put(raw, copy.content);
    if (missing.blob && key !== null) {
      const inQuarantine = key.startsWith("quarantine/");
      const target = inQuarantine ? quarantineKey(sha256) : blobKey(sha256, copy.encoding);
      await objects.put(target, copy.stored);
      const { length } = copy.stored;
      return target === key && length === wanted.length && copy.encoding === wanted.encoding
        ? { moved: undefined }
        : { moved: { sha256, key: target, length, encoding: copy.encoding } };
    }
  }
  return { moved: undefined };
}

async function missingKeys(
  { key, offset, length, raw_keys }: Wanted,
  objects: ObjectStore,
): Promise<{ blob: boolean; raw: string[] }> {
  const raw: string[] = [];
  for (const rawKey of raw_keys ?? []) {
    if ((await objects.stat(rawKey)) === undefined) raw.push(rawKey);
  }
  if (key === null) return { blob: false, raw };
  const stat = await objects.stat(key);
  return { blob: stat === undefined || stat.size < offset + length, raw };
}

/** `metadata.json` beside the blob, which says what the catalog does. */
async function restoreMetadata(
  { sha256, key }: Wanted,
  description: Description | undefined,
  objects: ObjectStore,
): Promise<void> {
  const document = description && describe(description);
  if (document === undefined || key?.startsWith("quarantine/") !== false) return;
  const target = metadataKey(sha256);
  if ((await objects.stat(target)) !== undefined) return;
  await objects.put(target, document);
}
