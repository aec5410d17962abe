/** The objects that are left of what was purged, until they are gone. */
import type { BlobPlace } from "@sluice/object-store";
import type { Catalog, Queryable } from "./catalog.js";
import { claimOrphan, releaseOrphan } from "./orphans.js";

/** Where bytes are, and where copies of them may be. */
export interface LastBytes {
  readonly sha256: string;
  /** Of the blob; `undefined` where there is none. */
  readonly place: BlobPlace | undefined;
  /** The upload that they came with, where that was not settled. */
  readonly rawKey: string | undefined;
  readonly backupKey: string | undefined;
  readonly earlyKey: string | undefined;
  /** For a day at least it is known that nothing gives them back, and somebody was told. */
  readonly isLost: boolean;
}

export async function readLastBytes(
  db: Queryable,
  sha256s: readonly string[],
): Promise<readonly LastBytes[]> {
  const { rows } = await db.query<{
    sha256: string;
    key: string | null;
    offset: number;
    length: number;
    encoding: BlobPlace["encoding"];
    raw_key: string | null;
    backup_key: string | null;
    early_key: string | null;
    is_lost: boolean;
  }>(
    `select wanted.sha256, b.key, b."offset"::float8 as "offset", b.length::float8 as length, b.encoding, b.backup_key,
       e.key as early_key, coalesce(d.found_at < clock_timestamp() - interval '1 day', false) as is_lost,
       (select v.raw_key from versions v where v.sha256 = wanted.sha256 and v.raw_key is not null limit 1) as raw_key
     from unnest($1::text[]) as wanted (sha256)
       left join blobs b on b.sha256 = wanted.sha256 and b.state = 'stored'
       left join early_copies e on e.sha256 = wanted.sha256
       left join damaged_blobs d on d.sha256 = wanted.sha256`,
    [sha256s],
  );
  return rows.map(({ key, offset, length, encoding, ...row }) => ({
    sha256: row.sha256,
    place: key === null ? undefined : { key, offset, length, encoding },
    rawKey: row.raw_key ?? undefined,
    backupKey: row.backup_key ?? undefined,
    earlyKey: row.early_key ?? undefined,
    isLost: row.is_lost,
  }));
}

/** Hashes whose objects are still to go, behind one, in order. */
export async function listUnreferenced(
  db: Queryable,
  { after, limit }: { after: string; limit: number },
): Promise<readonly string[]> {
  const { rows } = await db.query<{ sha256: string }>(
    `select sha256 from unreferenced_blobs where removed_at is null and sha256 > $1 order by sha256 limit $2`,
    [after, limit],
  );
  return rows.map(({ sha256 }) => sha256);
}

/** A claim is somebody's for so long; whoever has it deletes nothing any more after half of that. */
const CLAIM_SECONDS = 120;

/**
 * Claims the blob of a hash, so that dedup cannot settle on it while its objects are deleted, having looked again whether a version
 * refers to it: one that was registered meanwhile has its bytes in an upload of its own until it is settled.
 *
 * @returns the key of the object, `undefined` inside where none is known; `undefined` where there is nothing to be deleted for now
 */
export async function claimUnreferenced(
  catalog: Catalog,
  sha256: string,
): Promise<{ readonly key: string | undefined } | undefined> {
  return catalog.transaction(async (tx) => {
    const { rows } = await tx.query<{ state: string; key: string; claimed: boolean }>(
      `select state, key, state = 'deleting' and created_at > now() - make_interval(secs => $2) as claimed
       from blobs where sha256 = $1 for update`,
      [sha256, CLAIM_SECONDS],
    );
    const { rowCount: wanted } = await tx.query(
      "select from unreferenced_blobs where sha256 = $1 and removed_at is null for update skip locked",
      [sha256],
    );
    if (wanted !== 1) return undefined;
    const blob = rows[0];
    if (blob?.claimed === true) return undefined;
    if (await isReferredTo(tx, sha256)) {
      // Whoever has claimed it has died; nobody knows whether the object is there, and dedup stores it anew.
      if (blob?.state === "deleting") await releaseOrphan(tx, sha256);
      await forgetUnreferenced(tx, sha256);
      return undefined;
    }
    if (blob === undefined) {
      await claimOrphan(tx, { sha256, key: "" });
      return { key: undefined };
    }
    await tx.query("update blobs set state = 'deleting', created_at = now() where sha256 = $1", [
      sha256,
    ]);
    return { key: blob.key };
  });
}

/** Notes that the objects of a claimed hash are gone, and when its copies may go, and ends the claim. */
export async function noteRemoved(
  catalog: Catalog,
  { sha256, keepCopiesMs }: { sha256: string; keepCopiesMs: number },
): Promise<void> {
  await catalog.transaction(async (tx) => {
    await releaseOrphan(tx, sha256);
    await tx.query(
      `update unreferenced_blobs set removed_at = clock_timestamp(),
         copies_due_at = clock_timestamp() + make_interval(secs => $2) where sha256 = $1`,
      [sha256, keepCopiesMs / 1_000],
    );
  });
}

/** Hashes whose copies may go: as long as an export may need them is over, and one that does not was written since. */
export async function listDueCopies(db: Queryable, limit: number): Promise<readonly string[]> {
  const { rows } = await db.query<{ sha256: string }>(
    `select u.sha256 from unreferenced_blobs u where u.copies_due_at <= clock_timestamp()
       and exists (select from export_state e where e.exported_at > u.removed_at)
     order by u.copies_due_at, u.sha256 limit $1`,
    [limit],
  );
  return rows.map(({ sha256 }) => sha256);
}

/** Whether a version needs these bytes, deleted ones included; those whose time in quarantine was over do not. */
export async function isReferredTo(db: Queryable, sha256: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from versions v where v.sha256 = $1
       and not exists (select from expired_blobs e where e.sha256 = v.sha256) limit 1`,
    [sha256],
  );
  return rowCount === 1;
}

export async function forgetUnreferenced(db: Queryable, sha256: string): Promise<void> {
  await db.query("delete from unreferenced_blobs where sha256 = $1", [sha256]);
}

/** An object that belonged to a purged version alone. */
export interface PurgedObject {
  readonly store: "objects" | "backup";
  readonly key: string;
}

export async function listPurgedObjects(
  db: Queryable,
  limit: number,
): Promise<readonly PurgedObject[]> {
  const { rows } = await db.query<{ store: PurgedObject["store"]; key: string }>(
    "select store, key from purged_objects order by store, key limit $1",
    [limit],
  );
  return rows;
}

export async function forgetPurgedObjects(
  db: Queryable,
  objects: readonly PurgedObject[],
): Promise<void> {
  await db.query(
    `delete from purged_objects o using unnest($1::text[], $2::text[]) as gone (store, key)
     where o.store = gone.store and o.key = gone.key`,
    [objects.map(({ store }) => store), objects.map(({ key }) => key)],
  );
}
