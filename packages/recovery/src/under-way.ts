import { copyKeyOf, putVerified } from "@sluice/backup";
import { BlobCorruptError, decodeVerified } from "@sluice/blobs";
import type { Queryable } from "@sluice/catalog";
import { type BlobPlace, ObjectNotFoundError, type ObjectStore } from "@sluice/object-store";
import pMap from "p-map";

export interface UnderWayDeps {
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
  readonly signal: AbortSignal;
}

const AT_ONCE = 16;
const BATCH = 500;
/** How often bytes are looked for that have been moved since it was asked where they are. */
const TRIES = 3;

interface UnbackedBytes {
  readonly sha256: string;
  readonly place: BlobPlace;
}

/**
 * Copies to the backup store the bytes that versions need and that the backup stage has not copied: of what is still under way, of
 * what has failed, and of what is in quarantine, which never gets there.
 *
 * @param db - where the rows are read and the copies recorded: a transaction whose snapshot is exported, or the catalog itself
 * @param now - tells where bytes are at this moment, where `db` is a snapshot of the past
 * @returns the hashes of bytes that are nowhere
 */
export async function copyUnderWay(
  db: Queryable,
  now: Queryable,
  deps: UnderWayDeps,
): Promise<string[]> {
  const missing: string[] = [];
  for (let after = ""; ;) {
    const batch = await listUnbacked(db, after);
    const last = batch.at(-1);
    if (last === undefined || deps.signal.aborted) return missing;
    after = last.sha256;
    const copied: { sha256: string; key: string }[] = [];
    await pMap(
      batch,
      async (bytes) => {
        const key = await copy(bytes, now, deps);
        if (key === undefined) missing.push(bytes.sha256);
        else if (key !== BACKED_UP) copied.push({ sha256: bytes.sha256, key });
      },
      { concurrency: AT_ONCE },
    );
    await db.query(
      `insert into early_copies (sha256, key) select * from unnest($1::text[], $2::text[])
       on conflict (sha256) do update set key = excluded.key, copied_at = now()`,
      [copied.map(({ sha256 }) => sha256), copied.map(({ key }) => key)],
    );
  }
}

/** Bytes without a copy, in order of their hashes. */
async function listUnbacked(db: Queryable, after: string): Promise<UnbackedBytes[]> {
  const { rows } = await db.query<{ sha256: string } & BlobPlace>(
    `select sha256, key, "offset"::float8 as "offset", length::float8 as length, encoding from (
       select b.sha256, b.key, b."offset", b.length, b.encoding from blobs b
         where b.backup_key is null and b.state = 'stored'
       union all
       select v.sha256, v.raw_key, 0, v.size, 'identity' from versions v
         where v.raw_key is not null
           and not exists (select from blobs b where b.sha256 = v.sha256 and b.state = 'stored')
     ) unbacked
     where sha256 > $1 and not exists (select from early_copies e where e.sha256 = unbacked.sha256)
     order by sha256 limit $2`,
    [after, BATCH],
  );
  const unique = new Map(rows.map((row) => [row.sha256, row]));
  return [...unique.values()].map(({ sha256, ...place }) => ({ sha256, place }));
}

const BACKED_UP = Symbol("backed up");

/** @returns the copy's key; `undefined` where the bytes are nowhere; {@link BACKED_UP} where the backup stage was quicker */
async function copy(
  { sha256, place }: UnbackedBytes,
  now: Queryable,
  { objects, backup }: UnderWayDeps,
): Promise<string | typeof BACKED_UP | undefined> {
  let current: BlobPlace | undefined = place;
  for (let tries = 0; tries < TRIES && current !== undefined; tries++) {
    try {
      const stored = await objects.get(current.key, current);
      await decodeVerified(stored, current, sha256);
      const key = copyKeyOf(sha256, current);
      await putVerified(backup, key, stored);
      return key;
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError) && !(error instanceof BlobCorruptError))
        throw error;
    }
    const found: Whereabouts | undefined = await whereNow(now, sha256);
    if (typeof found?.backup_key === "string") return BACKED_UP;
    current = found;
  }
  return undefined;
}

type Whereabouts = BlobPlace & { readonly backup_key: string | null };

async function whereNow(db: Queryable, sha256: string): Promise<Whereabouts | undefined> {
  const { rows } = await db.query<Whereabouts>(
    `select key, "offset"::float8 as "offset", length::float8 as length, encoding, backup_key
     from blobs where sha256 = $1 and state = 'stored'`,
    [sha256],
  );
  return rows[0];
}

/** Deletes copies that were made early and that the backup stage has since replaced by another form. */
export async function tidyEarlyCopies(
  db: Queryable,
  { backup, signal }: Pick<UnderWayDeps, "backup" | "signal">,
): Promise<void> {
  while (!signal.aborted) {
    const { rows } = await db.query<{ sha256: string; key: string; backup_key: string }>(
      `select e.sha256, e.key, b.backup_key from early_copies e join blobs b on b.sha256 = e.sha256
       where b.backup_key is not null limit $1`,
      [BATCH],
    );
    await pMap(
      rows.filter(({ key, backup_key }) => key !== backup_key),
      ({ key }) => backup.delete(key),
      { concurrency: AT_ONCE },
    );
    await db.query("delete from early_copies where sha256 = any($1::text[])", [
      rows.map(({ sha256 }) => sha256),
    ]);
    if (rows.length < BATCH) return;
  }
}
