/** Bytes that are no Python, or malware: kept for a while, and then only what was found out about them. */
import type { Catalog, Queryable } from "./catalog.js";

/** A blob that was put into quarantine long enough ago. */
export interface QuarantinedBlob {
  readonly sha256: string;
  /** When its bytes came, in microseconds, as a place in the list. */
  readonly since: string;
}

/** By the database's clock, those first that came first. */
export async function listQuarantined(
  db: Queryable,
  { forMs, after, limit }: { forMs: number; after?: QuarantinedBlob | undefined; limit: number },
): Promise<readonly QuarantinedBlob[]> {
  const { rows } = await db.query<{ sha256: string; since: string }>(
    `select sha256, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as since from blobs
     where state = 'stored' and key like 'quarantine/%'
       and created_at <= clock_timestamp() - make_interval(secs => $1)
       and ($2::timestamptz is null or (created_at, sha256) > ($2, $3))
     order by created_at, sha256 limit $4`,
    [forMs / 1_000, after?.since ?? null, after?.sha256 ?? null, limit],
  );
  return rows;
}

/**
 * Claims a quarantined blob whose time is over, as `claimUnreferenced` does one that nothing refers to: where each version of the bytes was
 * judged so long ago, none is under way, and no script that has one is held. From then on the versions have no bytes; their findings stay.
 *
 * @returns the key of the object that is to be deleted; `undefined` where the bytes stay
 */
export async function expireQuarantined(
  catalog: Catalog,
  { sha256, forMs }: { sha256: string; forMs: number },
): Promise<string | undefined> {
  return catalog.transaction(async (tx) => {
    const { rows } = await tx.query<{ key: string }>(
      "select key from blobs where sha256 = $1 and state = 'stored' and key like 'quarantine/%' for update",
      [sha256],
    );
    const key = rows[0]?.key;
    if (key === undefined || !(await isOver(tx, sha256, forMs))) return undefined;
    await tx.query("update blobs set state = 'deleting', created_at = now() where sha256 = $1", [
      sha256,
    ]);
    await tx.query(
      "insert into expired_blobs (sha256) values ($1) on conflict (sha256) do update set expired_at = clock_timestamp()",
      [sha256],
    );
    await tx.query(
      `insert into unreferenced_blobs (sha256) values ($1)
       on conflict (sha256) do update set removed_at = null, copies_due_at = null`,
      [sha256],
    );
    await tx.query("delete from damaged_blobs where sha256 = $1", [sha256]);
    // The index has their text, too, or is about to.
    await tx.query(
      "delete from search_queue where version_id in (select id from versions where sha256 = $1)",
      [sha256],
    );
    await tx.query(
      `delete from search_scripts where document in (select document from search_documents where sha256 = $1)`,
      [sha256],
    );
    await tx.query("delete from search_documents where sha256 = $1", [sha256]);
    return key;
  });
}

async function isOver(tx: Queryable, sha256: string, forMs: number): Promise<boolean> {
  const { rows } = await tx.query<{ over: boolean | null }>(
    `select bool_and(coalesce(v.state not in ('queued', 'processing') and v.verdict in ('invalid', 'malicious')
         and v.finished_at <= clock_timestamp() - make_interval(secs => $2), false)
         and not exists (select from legal_holds h where h.script_id = v.script_id)) as over
     from versions v where v.sha256 = $1`,
    [sha256, forMs / 1_000],
  );
  return rows[0]?.over === true;
}
