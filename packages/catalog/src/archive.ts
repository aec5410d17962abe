import { type BlobPlace, packKey } from "@sluice/object-store";
import { type AuditEvent, recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";

/** Bytes that wait to go into a pack. */
export interface QueuedBlob {
  readonly sha256: string;
  readonly place: BlobPlace;
  /** The retention policy has sent them; else they leave a pack that is mostly dead. */
  readonly byPolicy: boolean;
  readonly queuedAt: Date;
}

/** A blob's part of a pack, and where its bytes were before. */
export interface PackedBlob {
  readonly sha256: string;
  readonly from: BlobPlace;
  readonly offset: number;
  readonly length: number;
}

/**
 * Has bytes go to the archive with the next packs. What is no ordinary blob (in quarantine, or there already), or has no backup, is left out.
 *
 * @returns those that were not queued before
 */
export async function queueForArchive(
  db: Queryable,
  sha256s: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ sha256: string }>(
    `insert into archive_queue (sha256)
     select sha256 from blobs where sha256 = any($1::text[]) and state = 'stored' and key like 'blobs/%'
       and backup_key is not null order by sha256
     on conflict do nothing returning sha256`,
    [sha256s],
  );
  return new Set(rows.map(({ sha256 }) => sha256));
}

/**
 * What waits longest. What has no more reason to go is forgotten; bytes of a version that is under way cannot go, and are put behind the
 * others.
 */
export async function listArchiveQueue(
  db: Queryable,
  { limit }: { limit: number },
): Promise<readonly QueuedBlob[]> {
  const { rows } = await db.query<
    BlobPlace & { sha256: string; by_policy: boolean; queued_at: Date }
  >(
    `with head as materialized (
       select q.sha256, q.from_key, q.queued_at, b.key, b."offset", b.length, b.encoding,
         coalesce(b.state = 'stored' and b.backup_key is not null
           and case when q.from_key is null then b.key like 'blobs/%' else b.key = q.from_key end, false) as wanted,
         exists (select from versions v where v.sha256 = q.sha256 and v.state in ('queued', 'processing')) as busy
       from (select * from archive_queue order by queued_at, sha256 limit $1) q
         left join blobs b on b.sha256 = q.sha256),
     forgotten as (
       delete from archive_queue where sha256 in (select sha256 from head where not wanted)),
     later as (
       update archive_queue set queued_at = clock_timestamp()
       where sha256 in (select sha256 from head where wanted and busy))
     select sha256, key, "offset"::float8 as "offset", length::float8 as length, encoding,
       from_key is null as by_policy, queued_at
     from head where wanted and not busy order by queued_at, sha256`,
    [limit],
  );
  return rows.map(({ sha256, by_policy: byPolicy, queued_at: queuedAt, ...place }) => ({
    sha256,
    place,
    byPolicy,
    queuedAt,
  }));
}

/** Keeps bytes where they are. */
export async function dropFromArchiveQueue(
  db: Queryable,
  sha256s: readonly string[],
): Promise<void> {
  await db.query("delete from archive_queue where sha256 = any($1::text[])", [sha256s]);
}

/** Announces a pack, before its object is put. */
export async function beginPack(db: Queryable, packId: string): Promise<void> {
  await db.query("insert into packs (id) values ($1)", [packId]);
}

/** The pack was given up by the sweep: whoever wrote it was frozen for too long. */
export class PackLostError extends Error {
  override readonly name = "PackLostError";
  constructor(packId: string) {
    super(`the pack ${packId} took too long to write and was given up`);
  }
}

/**
 * Makes a pack the place of its members, as far as each is still where it was and no version of it is under way; the others stay queued.
 *
 * @param audit - what the audit log is to have of those that went
 * @returns the hashes of those that lie in it now
 * @throws {@link PackLostError}
 */
export async function commitPack(
  catalog: Catalog,
  {
    packId,
    size,
    members,
    audit,
  }: {
    readonly packId: string;
    readonly size: number;
    readonly members: readonly PackedBlob[];
    readonly audit: (sha256: string) => readonly AuditEvent[];
  },
): Promise<ReadonlySet<string>> {
  return catalog.transaction(async (tx) => {
    const held = await tx.query(
      "select from packs where id = $1 and state = 'writing' for update",
      [packId],
    );
    if (held.rowCount !== 1) throw new PackLostError(packId);
    // Whoever holds a row is about to move the blob, and may hold others in any order.
    const { rows: locked } = await tx.query<{ sha256: string }>(
      `select b.sha256 from blobs b
         join unnest($1::text[], $2::text[], $3::bigint[]) as was (sha256, key, "offset") on b.sha256 = was.sha256
       where b.state = 'stored' and b.key = was.key and b."offset" = was."offset"
       for update of b skip locked`,
      [
        members.map(({ sha256 }) => sha256),
        members.map(({ from }) => from.key),
        members.map(({ from }) => from.offset),
      ],
    );
    const free = new Set(locked.map(({ sha256 }) => sha256));
    const going = members.filter(({ sha256 }) => free.has(sha256));
    // A statement of its own, which sees what was committed before the locks were had.
    const { rows } = await tx.query<{ sha256: string }>(
      `update blobs b set key = $1, "offset" = m."offset", length = m.length, encoding = 'zstd'
       from unnest($2::text[], $3::bigint[], $4::bigint[]) as m (sha256, "offset", length)
       where b.sha256 = m.sha256 and not exists (
         select from versions v where v.sha256 = b.sha256 and v.state in ('queued', 'processing'))
       returning b.sha256`,
      [
        packKey(packId),
        going.map(({ sha256 }) => sha256),
        going.map(({ offset }) => offset),
        going.map(({ length }) => length),
      ],
    );
    const moved = rows.map(({ sha256 }) => sha256);
    await tx.query(
      "update packs set state = 'ready', size = $2, blob_bytes = $3, checked_at = clock_timestamp() where id = $1",
      [packId, size, members.reduce((sum, { length }) => sum + length, 0)],
    );
    await dropFromArchiveQueue(tx, moved);
    await recordAudit(tx, moved.flatMap(audit));
    return new Set(moved);
  });
}

/** How much of a pack is in use. */
export interface PackUse {
  readonly packId: string;
  /** Since it was written, by the catalog's clock, in milliseconds. */
  readonly ageMs: number;
  /** Bytes of all blobs that were written to it. */
  readonly blobBytes: number;
  /** Blobs whose place is there still, and their bytes. */
  readonly members: number;
  readonly usedBytes: number;
}

const MEMBERS = "from blobs b where b.key = 'archive/' || p.id || '.zst' and b.state <> 'deleted'";

/** Packs that were not looked at for so long, the longest first; they count as looked at. */
export async function checkPacks(
  db: Queryable,
  { restMs, limit }: { restMs: number; limit: number },
): Promise<readonly PackUse[]> {
  const { rows } = await db.query<{
    id: string;
    age_ms: number;
    blob_bytes: number;
    members: number;
    used: number;
  }>(
    `with due as (
       update packs set checked_at = clock_timestamp() where id in (
         select id from packs where state = 'ready' and checked_at <= clock_timestamp() - $1 * interval '1 ms'
         order by checked_at limit $2 for update skip locked)
       returning id, blob_bytes, created_at)
     select p.id, p.blob_bytes::float8 as blob_bytes,
       extract(epoch from clock_timestamp() - p.created_at)::float8 * 1000 as age_ms,
       used.members, used.bytes as used from due p cross join lateral (
       select count(*)::int as members, coalesce(sum(b.length), 0)::float8 as bytes ${MEMBERS}) used`,
    [restMs, limit],
  );
  return rows.map(({ id, age_ms: ageMs, blob_bytes: blobBytes, members, used }) => ({
    packId: id,
    ageMs,
    blobBytes,
    members,
    usedBytes: used,
  }));
}

/** Has what is left of a pack go into another. */
export async function emptyPack(db: Queryable, packId: string): Promise<void> {
  await db.query(
    `insert into archive_queue (sha256, from_key)
     select sha256, key from blobs where key = $1 and state = 'stored' order by sha256
     on conflict (sha256) do update set from_key = excluded.from_key`,
    [packKey(packId)],
  );
}

/**
 * Forgets a pack that nothing lies in. No blob ever gets a place in one that was ready before.
 *
 * @param remove - deletes the object
 * @returns whether it was dead
 */
export async function deleteDeadPack(
  catalog: Catalog,
  packId: string,
  remove: () => Promise<void>,
): Promise<boolean> {
  return catalog.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `select from packs p where p.id = $1 and p.state = 'ready' and not exists (select ${MEMBERS}) for update`,
      [packId],
    );
    if (rowCount !== 1) return false;
    await remove();
    await tx.query("delete from packs where id = $1", [packId]);
    return true;
  });
}

/** Gives up packs whose writers have died: no blob can get a place in them from then on. */
export async function giveUpPacks(db: Queryable, olderThanMs: number): Promise<void> {
  await db.query(
    `delete from packs where state = 'writing' and created_at < clock_timestamp() - $1 * interval '1 ms'`,
    [olderThanMs],
  );
}

/** Of these keys of packs, those that are announced or that a blob lies in. */
export async function neededPacks(
  db: Queryable,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ key: string }>(
    `select key from unnest($1::text[]) as keys (key)
     where exists (select from packs p where p.id = substring(keys.key from 9 for 36)::uuid)
       or exists (select from blobs b where b.key = keys.key and b.key like 'archive/%')`,
    [keys],
  );
  return new Set(rows.map(({ key }) => key));
}
