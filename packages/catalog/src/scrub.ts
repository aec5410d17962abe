import type { BlobPlace } from "@sluice/object-store";
import type { Catalog, Queryable } from "./catalog.js";
import { recordEvents } from "./events.js";

/** A blob, or a raw upload that is no blob yet, with the places where its bytes and their copy are said to be. */
export interface ScrubbedBlob {
  readonly sha256: string;
  readonly place: BlobPlace;
  /** `undefined` where it has not been backed up yet. */
  readonly backupKey: string | undefined;
}

/** One that a pass of the scrub comes to. */
export interface BlobToScrub extends ScrubbedBlob {
  /** A pass or a download has found it damaged or missing, and no copy gave it back. */
  readonly marked: boolean;
}

/** A raw upload that dedup has still to settle. */
export interface UploadToScrub extends BlobToScrub {
  readonly versionId: string;
}

/** Bytes that no copy gave back. */
export interface Damage {
  readonly state: "damaged" | "missing";
  /** What was found, for a person. */
  readonly detail: string;
}

/** What queries that join `damaged_blobs` have of it. */
export interface DamageColumns {
  damage_state: Damage["state"] | null;
  damage_detail: string | null;
  damaged_since: Date | null;
}

export function toIntegrity(row: DamageColumns): (Damage & { foundAt: Date }) | undefined {
  const { damage_state: state, damage_detail: detail, damaged_since: foundAt } = row;
  return state === null || detail === null || foundAt === null
    ? undefined
    : { state, detail, foundAt };
}

interface BlobRow extends BlobPlace {
  readonly sha256: string;
  readonly backup_key: string | null;
}

const SELECT_BLOB = `select b.sha256, b.key, b."offset"::float8 as "offset", b.length::float8 as length, b.encoding,
  coalesce(b.backup_key, (select e.key from early_copies e where e.sha256 = b.sha256)) as backup_key from blobs b`;

function toBlob({ sha256, backup_key, ...place }: BlobRow): ScrubbedBlob {
  return { sha256, place, backupKey: backup_key ?? undefined };
}

/** Stored blobs in order of their hashes, after one of them. */
export async function listBlobsToScrub(
  db: Queryable,
  { after, limit }: { after: string; limit: number },
): Promise<BlobToScrub[]> {
  const { rows } = await db.query<BlobRow & { marked: boolean }>(
    `select *, exists (select from damaged_blobs d where d.sha256 = blob.sha256) as marked from (
       ${SELECT_BLOB} where b.state = 'stored' and b.sha256 > $1 order by b.sha256 limit $2) blob
     order by sha256`,
    [after, limit],
  );
  return rows.map(({ marked, ...row }) => ({ ...toBlob(row), marked }));
}

/** Raw uploads in order of their versions' ids, after one of them. */
export async function listUploadsToScrub(
  db: Queryable,
  { after, limit }: { after: string; limit: number },
): Promise<UploadToScrub[]> {
  const { rows } = await db.query<BlobRow & { id: string; marked: boolean }>(
    `select v.id, v.sha256, v.raw_key as key, 0::float8 as "offset", v.size::float8 as length, 'identity' as encoding,
       e.key as backup_key, d.sha256 is not null as marked
     from versions v left join early_copies e on e.sha256 = v.sha256
       left join damaged_blobs d on d.sha256 = v.sha256
     where v.raw_key is not null and ($1::uuid is null or v.id > $1) order by v.id limit $2`,
    [after === "" ? null : after, limit],
  );
  return rows.map(({ id, marked, ...row }) => ({ ...toBlob(row), versionId: id, marked }));
}

/** Of these hashes, the blobs that are stored. */
export async function readStoredBlobs(
  db: Queryable,
  sha256s: readonly string[],
): Promise<ScrubbedBlob[]> {
  const { rows } = await db.query<BlobRow>(
    `${SELECT_BLOB} where b.state = 'stored' and b.sha256 = any($1::text[])`,
    [sha256s],
  );
  return rows.map(toBlob);
}

/**
 * Runs work on a blob while nobody else can move it.
 *
 * @returns `undefined` where there is no such blob by now
 */
export async function withBlobHeld<T>(
  catalog: Catalog,
  sha256: string,
  work: (tx: Queryable, blob: ScrubbedBlob) => Promise<T>,
): Promise<T | undefined> {
  return catalog.transaction(async (tx) => {
    const { rows } = await tx.query<BlobRow>(
      `${SELECT_BLOB} where b.sha256 = $1 and b.state = 'stored' for update of b`,
      [sha256],
    );
    return rows[0] && (await work(tx, toBlob(rows[0])));
  });
}

/**
 * Runs work on a raw upload while its version cannot go on from it.
 *
 * @returns `undefined` where dedup has settled it by now
 */
export async function withUploadHeld<T>(
  catalog: Catalog,
  versionId: string,
  work: (tx: Queryable, upload: ScrubbedBlob) => Promise<T>,
): Promise<T | undefined> {
  return catalog.transaction(async (tx) => {
    const { rows } = await tx.query<BlobRow>(
      `select v.sha256, v.raw_key as key, 0::float8 as "offset", v.size::float8 as length, 'identity' as encoding,
         (select e.key from early_copies e where e.sha256 = v.sha256) as backup_key
       from versions v where v.id = $1 and v.raw_key is not null for no key update of v`,
      [versionId],
    );
    return rows[0] && (await work(tx, toBlob(rows[0])));
  });
}

/** Lets a blob's row say where its bytes were put back. */
export async function recordRepairedPlace(
  tx: Queryable,
  sha256: string,
  { key, length, encoding }: Omit<BlobPlace, "offset">,
): Promise<void> {
  await tx.query(
    `update blobs set key = $2, "offset" = 0, length = $3, encoding = $4 where sha256 = $1`,
    [sha256, key, length, encoding],
  );
}

/** How many scripts an event names. */
const NAMED = 20;

/** Marks a blob's versions; tells it in the event list where they were not marked so before. */
export async function markDamaged(tx: Queryable, sha256: string, damage: Damage): Promise<void> {
  const { rowCount } = await tx.query(
    `insert into damaged_blobs as d (sha256, state, detail) values ($1, $2, $3)
     on conflict (sha256) do update set state = excluded.state, detail = excluded.detail
       where d.state <> excluded.state`,
    [sha256, damage.state, damage.detail],
  );
  if (rowCount === 0) return;
  const { rows } = await tx.query<{ script_id: string }>(
    "select distinct script_id from versions where sha256 = $1 limit $2",
    [sha256, NAMED],
  );
  const scripts = rows.map(({ script_id }) => script_id);
  const message = `The bytes of ${sha256} are ${damage.state}, and no copy gives them back: ${damage.detail}`;
  await recordEvents(tx, [
    {
      severity: "critical",
      kind: "blob.unrepairable",
      message,
      scriptId: scripts[0],
      sha256,
      details: { scripts },
    },
  ]);
}

/** What no copy gives back, the newest first, and how much that is in all. */
export async function listDamaged(
  db: Queryable,
  limit: number,
): Promise<{
  readonly count: number;
  readonly items: readonly (Damage & {
    readonly sha256: string;
    readonly foundAt: Date;
    readonly scriptIds: readonly string[];
  })[];
}> {
  const { rows } = await db.query<
    Damage & { sha256: string; found_at: Date; scripts: string[]; count: number }
  >(
    `select d.sha256, d.state, d.detail, d.found_at, d.count, array(
       select distinct v.script_id from versions v where v.sha256 = d.sha256 limit $2) as scripts
     from (select *, count(*) over ()::int as count from damaged_blobs
       order by found_at desc, sha256 limit $1) d
     order by d.found_at desc, d.sha256`,
    [limit, NAMED],
  );
  return {
    count: rows[0]?.count ?? 0,
    items: rows.map(({ sha256, state, detail, found_at: foundAt, scripts: scriptIds }) => ({
      sha256,
      state,
      detail,
      foundAt,
      scriptIds,
    })),
  };
}

/** Takes marks away of bytes that dedup has just read whole, and tells it. */
export async function unmarkSettled(tx: Queryable, versionIds: readonly string[]): Promise<void> {
  const { rows } = await tx.query<{ sha256: string }>(
    `delete from damaged_blobs d using versions v where v.id = any($1::uuid[]) and d.sha256 = v.sha256
     returning d.sha256`,
    [versionIds],
  );
  await recordEvents(
    tx,
    rows.map(({ sha256 }) => ({
      severity: "info",
      kind: "blob.repaired",
      message: "The bytes of a blob that was marked were uploaded again.",
      sha256,
    })),
  );
}

/** Takes the mark away where there is one. @returns whether there was */
export async function unmarkDamaged(tx: Queryable, sha256: string): Promise<boolean> {
  const { rowCount } = await tx.query("delete from damaged_blobs where sha256 = $1", [sha256]);
  return rowCount === 1;
}
