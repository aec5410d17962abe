import type { Queryable } from "./catalog.js";

/** How often a script was asked for since it was last noted. */
export interface ScriptUse {
  readonly scriptId: string;
  readonly downloads: number;
  readonly metadataReads: number;
}

/** Notes that scripts were used just now; those that are gone are left out. */
export async function recordUse(db: Queryable, uses: readonly ScriptUse[]): Promise<void> {
  await db.query(
    `with used as materialized (
       select s.id, s.namespace, new.downloads, new.metadata_reads, (now() at time zone 'UTC')::date as day
       from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as new (script_id, downloads, metadata_reads)
         join scripts s on s.id = new.script_id
       -- So that two who note the same scripts never wait for each other.
       order by s.id),
     noted as (
       insert into script_use as u (script_id, last_used_at, downloads, metadata_reads)
       select id, clock_timestamp(), downloads, metadata_reads from used
       on conflict (script_id) do update set
         last_used_at = greatest(u.last_used_at, excluded.last_used_at),
         downloads = u.downloads + excluded.downloads,
         metadata_reads = u.metadata_reads + excluded.metadata_reads),
     noted_by_day as (
       insert into script_use_days as d (script_id, day, downloads, metadata_reads)
       select id, day, downloads, metadata_reads from used
       on conflict (script_id, day) do update set
         downloads = d.downloads + excluded.downloads,
         metadata_reads = d.metadata_reads + excluded.metadata_reads)
     insert into statistic_changes (kind, namespace, day, count, amount)
     select 'use', namespace, day, sum(downloads), sum(metadata_reads) from used group by namespace, day`,
    [
      uses.map(({ scriptId }) => scriptId),
      uses.map(({ downloads }) => downloads),
      uses.map(({ metadataReads }) => metadataReads),
    ],
  );
}

export interface UseDay {
  /** ISO 8601 date, in UTC. */
  readonly day: string;
  readonly downloads: number;
  readonly metadataReads: number;
}

export interface ScriptUsage {
  readonly downloads: number;
  readonly metadataReads: number;
  /** `undefined` where it was never used. */
  readonly lastUsedAt: Date | undefined;
  /** Those on which it was used, in order. */
  readonly days: readonly UseDay[];
}

/** How often a script was used ever, and on each of some days, both ends included. */
export async function readScriptUsage(
  db: Queryable,
  { scriptId, from, to }: { scriptId: string; from: string; to: string },
): Promise<ScriptUsage> {
  const { rows } = await db.query<{
    downloads: string;
    metadata_reads: string;
    last_used_at: Date;
    days: UseDay[] | null;
  }>(
    `select u.downloads, u.metadata_reads, u.last_used_at,
       (select json_agg(json_build_object('day', d.day, 'downloads', d.downloads, 'metadataReads', d.metadata_reads)
          order by d.day)
        from script_use_days d where d.script_id = u.script_id and d.day between $2 and $3) as days
     from script_use u where u.script_id = $1`,
    [scriptId, from, to],
  );
  const row = rows[0];
  return {
    downloads: Number(row?.downloads ?? 0),
    metadataReads: Number(row?.metadata_reads ?? 0),
    lastUsedAt: row?.last_used_at,
    days: row?.days ?? [],
  };
}

/** Forgets days that are so many days past; what was counted ever stays. @returns how many rows went, `limit` at most */
export async function forgetUseDays(
  db: Queryable,
  { days, limit }: { days: number; limit: number },
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from script_use_days where (script_id, day) in (
       select script_id, day from script_use_days
       where day < (now() at time zone 'UTC')::date - $1::integer order by day limit $2
       for update skip locked)`,
    [days, limit],
  );
  return rowCount ?? 0;
}
