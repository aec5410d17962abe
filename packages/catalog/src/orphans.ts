import type { Catalog, Queryable } from "./catalog.js";

/** Of these raw uploads' keys, those that a version still needs. */
export async function neededUploads(
  db: Queryable,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ raw_key: string }>(
    "select raw_key from versions where raw_key = any($1::text[])",
    [keys],
  );
  return new Set(rows.map(({ raw_key }) => raw_key));
}

/** A blob as its row has it. */
export interface BlobRow {
  readonly sha256: string;
  readonly key: string;
}

/** Of these hashes, the blobs that the catalog knows. */
export async function findBlobs(
  db: Queryable,
  sha256s: readonly string[],
): Promise<ReadonlyMap<string, BlobRow>> {
  const { rows } = await db.query<{ sha256: string; key: string }>(
    "select sha256, key from blobs where sha256 = any($1::text[]) and state = 'stored'",
    [sha256s],
  );
  return new Map(rows.map((row) => [row.sha256, row]));
}

/**
 * Claims a hash that has no blob, so that dedup cannot settle on its object while it is deleted.
 *
 * @returns `false` where there is a blob: the object is needed, or somebody else is deleting it
 */
export async function claimOrphan(
  db: Queryable,
  { sha256, key }: { sha256: string; key: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into blobs as b (sha256, size, state, key, length, encoding)
     values ($1, 0, 'deleting', $2, 0, 'identity')
     on conflict (sha256) do update set state = 'deleting', created_at = now()
       where b.state = 'deleted'`,
    [sha256, key],
  );
  return rowCount === 1;
}

/**
 * Ends a claim, after the object is gone. What is left says since when, so that a dedup that has stored
 * the bytes before that stores them again.
 */
export async function releaseOrphan(db: Queryable, sha256: string): Promise<void> {
  await db.query(`update blobs set ${GONE} where sha256 = $1 and state = 'deleting'`, [sha256]);
}

/** Nothing of what was known of the object may pass on to one that is stored later. */
const GONE = `state = 'deleted', created_at = clock_timestamp(), "offset" = 0, backup_key = null, backed_up_at = null`;

/** Ends the claims of sweeps that died, and forgets what was deleted longer ago than any dedup lasts. */
export async function tidyOrphanClaims(db: Queryable): Promise<void> {
  await db.query(
    `update blobs set ${GONE}
     where state = 'deleting' and created_at < now() - interval '10 minutes'`,
  );
  await db.query(
    "delete from blobs where state = 'deleted' and created_at < now() - interval '1 day'",
  );
}

/**
 * Runs a deletion of one form of a blob while nobody can make that form the one that counts.
 *
 * @param remove - called only where the blob's row, locked, names another key; told that key
 */
export async function withSupersededForm(
  catalog: Catalog,
  { sha256, key }: { sha256: string; key: string },
  remove: (currentKey: string) => Promise<void>,
): Promise<void> {
  await catalog.transaction(async (tx) => {
    const { rows } = await tx.query<{ key: string }>(
      "select key from blobs where sha256 = $1 and state = 'stored' for update",
      [sha256],
    );
    const current = rows[0]?.key;
    if (current !== undefined && current !== key) await remove(current);
  });
}
