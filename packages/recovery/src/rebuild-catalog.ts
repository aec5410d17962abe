import { PACK_ENCODING, PackDamagedError, readPackIndex } from "@sluice/blobs";
import { type Queryable, RESTORE_SCHEMA } from "@sluice/catalog";
import {
  ARCHIVE,
  encodingOfKey,
  hashOfKey,
  kindOfKey,
  type ObjectStat,
  type ObjectStore,
} from "@sluice/object-store";
import type { OnProgress } from "./load-catalog.js";

export interface RebuildObjectsDeps {
  readonly objects: ObjectStore;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

const BATCH = 1_000;

/** Gives every blob that is there a row. Of bytes that are there twice, as a crash may leave them, the compressed form counts. */
export async function listBlobs(
  db: Queryable,
  { objects, signal, onProgress }: RebuildObjectsDeps,
): Promise<void> {
  let done = 0;
  for (const prefix of ["blobs/", "quarantine/"]) {
    for await (const batch of batches(objects.list(prefix), signal)) {
      const blobs = batch.filter(({ key }) => /^(blob|quarantine)$/.test(kindOfKey(key) ?? ""));
      await db.query(
        `insert into blobs as b (sha256, size, key, length, encoding)
         select distinct on (f.sha256) f.sha256, coalesce(v.size, 0), f.key, f.length, f.encoding
         from unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) as f (sha256, key, length, encoding)
           left join lateral (select size from versions v where v.sha256 = f.sha256 limit 1) v on true
         order by f.sha256, f.encoding = 'identity'
         on conflict (sha256) do update set key = excluded.key, length = excluded.length, encoding = excluded.encoding
           where b.encoding = 'identity' and excluded.encoding <> 'identity'`,
        [
          blobs.map(({ key }) => hashOfKey(key)),
          blobs.map(({ key }) => key),
          blobs.map(({ size }) => size),
          blobs.map(({ key }) => encodingOfKey(key)),
        ],
      );
      onProgress("listing blobs", (done += blobs.length), done);
    }
  }
}

/**
 * Gives the blobs that lie in packs a row, and the packs too. Of bytes that are there by themselves also, these count.
 *
 * @returns packs that do not say what they hold
 */
export async function listPacks(
  db: Queryable,
  { objects, signal, onProgress }: RebuildObjectsDeps,
): Promise<string[]> {
  const damaged: string[] = [];
  let done = 0;
  for await (const { key, size } of objects.list(ARCHIVE)) {
    signal.throwIfAborted();
    const id = PACK.exec(key)?.[1];
    if (id === undefined) continue;
    const members = await readPackIndex(objects, key).catch((error: unknown) => {
      if (!(error instanceof PackDamagedError)) throw error;
      damaged.push(error.message);
      return [];
    });
    await db.query(
      `with pack as (
         insert into packs (id, state, size, blob_bytes)
           values ($1, 'ready', $2, (select coalesce(sum(bytes), 0) from unnest($7::bigint[]) bytes))
           on conflict (id) do nothing)
       insert into blobs (sha256, size, key, "offset", length, encoding)
         select sha256, size, $3, "offset", length, $8
         from unnest($4::text[], $5::integer[], $6::bigint[], $7::bigint[]) as m (sha256, size, "offset", length)
         on conflict (sha256) do nothing`,
      [
        id,
        size,
        key,
        members.map((member) => member.sha256),
        members.map((member) => member.size),
        members.map((member) => member.offset),
        members.map((member) => member.length),
        PACK_ENCODING,
      ],
    );
    onProgress("listing packs", ++done, done);
  }
  return damaged;
}

const PACK = /^archive\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.zst$/;

/** Lets versions name raw uploads only where these are there; of the others the blob counts. */
export async function keepUploads(
  db: Queryable,
  { objects, signal }: RebuildObjectsDeps,
): Promise<void> {
  await db.query(
    `create table if not exists ${RESTORE_SCHEMA}.uploads (key text collate "C" primary key)`,
  );
  for await (const batch of batches(objects.list("uploads/"), signal)) {
    await db.query(
      `insert into ${RESTORE_SCHEMA}.uploads (key) select * from unnest($1::text[]) on conflict do nothing`,
      [batch.filter(({ key }) => kindOfKey(key) === "upload").map(({ key }) => key)],
    );
  }
  await db.query(
    `update versions v set raw_key = null where raw_key is not null
       and not exists (select from ${RESTORE_SCHEMA}.uploads u where u.key = v.raw_key)`,
  );
  await db.query(
    "delete from expired_blobs e where exists (select from blobs b where b.sha256 = e.sha256)",
  );
}

async function* batches(
  all: AsyncIterable<ObjectStat>,
  signal: AbortSignal,
): AsyncGenerator<ObjectStat[]> {
  let batch: ObjectStat[] = [];
  for await (const object of all) {
    batch.push(object);
    if (batch.length < BATCH) continue;
    signal.throwIfAborted();
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const HAS_BYTES = `(v.raw_key is not null or exists (select from blobs b where b.sha256 = v.sha256 and b.state = 'stored'))`;
/** What was no Python, or malware, is kept for a while only: that its bytes are gone is no loss. */
const MAY_BE_GONE = `(v.state = 'rejected' and v.verdict in ('invalid', 'malicious')
  or exists (select from expired_blobs e where e.sha256 = v.sha256))`;

/** Hashes of versions whose bytes are nowhere and should be somewhere. */
export async function lostHashes(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ sha256: string }>(
    `select distinct sha256 from versions v where not ${HAS_BYTES} and not ${MAY_BE_GONE} order by 1`,
  );
  return rows.map(({ sha256 }) => sha256);
}

const PAGE = 10_000;

/** Lets every version whose bytes are there begin anew, page by page; a page that is done is not done again. */
export async function beginVersions(
  db: Queryable,
  { signal, onProgress }: Pick<RebuildObjectsDeps, "signal" | "onProgress">,
): Promise<void> {
  for (let after: string | null = null, done = 0; ;) {
    signal.throwIfAborted();
    const { rows }: { rows: { last: string | null; looked: number }[] } = await db.query(
      `with page as (
         select v.id, ${HAS_BYTES} as has_bytes from versions v where ($1::uuid is null or v.id > $1) order by v.id limit ${PAGE}
       ), begun as (
         insert into stages (version_id, stage) select id, 'dedup' from page where has_bytes on conflict do nothing
         returning version_id
       ), reset as (
         update versions v set state = 'queued', verdict = null, analyser_version = null, policy_version = null,
             policy_id = 0, duplicate_of = null, finished_at = null, manifest_key = null
           from begun where v.id = begun.version_id
       )
       select (select id::text from page order by id desc limit 1) as last, (select count(*)::int from page) as looked`,
      [after],
    );
    after = rows[0]?.last ?? null;
    done += rows[0]?.looked ?? 0;
    if (after === null) return;
    onProgress("letting versions begin", done, done);
  }
}

/** Versions whose bytes are lost have failed, and say why. */
export async function loseVersions(db: Queryable, hashes: readonly string[]): Promise<void> {
  const error = {
    code: "bytes_lost",
    message: "the bytes were lost before the catalog was rebuilt",
  };
  await db.query(
    `with lost as (
       update versions v set state = 'failed', verdict = null, finished_at = now(), analyser_version = null,
           policy_version = null, duplicate_of = null, raw_key = null, manifest_key = null
         where v.sha256 = any($1::text[]) returning v.id)
     insert into stages (version_id, stage, state, failures, finished_at, error)
       select id, 'dedup', 'failed', 1, now(), $2 from lost on conflict do nothing`,
    [hashes, JSON.stringify(error)],
  );
}
