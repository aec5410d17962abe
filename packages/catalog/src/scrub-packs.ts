import { type BlobPlace, packKey } from "@sluice/object-store";
import type { Catalog, Queryable } from "./catalog.js";

/** A pack that was written. */
export interface PackToScrub {
  readonly packId: string;
  /** Of the object, in bytes. */
  readonly size: number;
}

interface PackRow {
  id: string;
  size: number;
}

/** Packs in order of their ids, after one of them. */
export async function listPacks(
  db: Queryable,
  { after, limit }: { after: string; limit: number },
): Promise<PackToScrub[]> {
  const { rows } = await db.query<PackRow>(
    `select id, size::float8 as size from packs
     where state = 'ready' and ($1::uuid is null or id > $1) order by id limit $2`,
    [after === "" ? null : after, limit],
  );
  return rows.map(({ id, size }) => ({ packId: id, size }));
}

/**
 * Runs work on a pack while nobody can delete it.
 *
 * @returns `undefined` where somebody has by now
 */
export async function withPackHeld<T>(
  catalog: Catalog,
  packId: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  return catalog.transaction(async (tx) => {
    const { rowCount } = await tx.query("select from packs where id = $1 for update", [packId]);
    return rowCount === 1 ? work() : undefined;
  });
}

/** A blob whose place is a pack. */
export interface LivingMember {
  readonly sha256: string;
  readonly place: BlobPlace;
  /** Neither the pack nor a copy gives its bytes back, and that was told. */
  readonly marked: boolean;
}

/** Blobs that lie in a pack still. */
export async function listLivingMembers(db: Queryable, packId: string): Promise<LivingMember[]> {
  const { rows } = await db.query<BlobPlace & { sha256: string; marked: boolean }>(
    `select b.sha256, b.key, b."offset"::float8 as "offset", b.length::float8 as length, b.encoding,
       exists (select from damaged_blobs d where d.sha256 = b.sha256) as marked
     from blobs b where b.key = $1 and b.key like 'archive/%' and b.state <> 'deleted' order by b."offset"`,
    [packKey(packId)],
  );
  return rows.map(({ sha256, marked, ...place }) => ({ sha256, place, marked }));
}
