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
    `insert into script_use as u (script_id, last_used_at, downloads, metadata_reads)
     select s.id, clock_timestamp(), new.downloads, new.metadata_reads
     from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as new (script_id, downloads, metadata_reads)
       join scripts s on s.id = new.script_id
     -- So that two who note the same scripts never wait for each other.
     order by s.id
     on conflict (script_id) do update set
       last_used_at = greatest(u.last_used_at, excluded.last_used_at),
       downloads = u.downloads + excluded.downloads,
       metadata_reads = u.metadata_reads + excluded.metadata_reads`,
    [
      uses.map(({ scriptId }) => scriptId),
      uses.map(({ downloads }) => downloads),
      uses.map(({ metadataReads }) => metadataReads),
    ],
  );
}
