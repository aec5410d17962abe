import type { Verdict, VersionState } from "@sluice/pipeline";
import type { Queryable } from "./catalog.js";

/** A version that is over and whose manifest the backup store does not have: a duplicate, mostly. */
export interface UnmanifestedVersion {
  readonly versionId: string;
  readonly scriptId: string;
  readonly version: number;
  readonly namespace: string;
  readonly filename: string;
  readonly originalFilename: string;
  readonly sha256: string;
  readonly size: number;
  readonly state: VersionState;
  readonly verdict: Verdict | undefined;
  readonly uploadTime: Date;
  readonly backupKey: string;
  readonly encoding: "identity" | "zstd" | "gzip";
}

/** The oldest of them, those without a backed-up blob left out. */
export async function listUnmanifested(
  db: Queryable,
  limit: number,
): Promise<UnmanifestedVersion[]> {
  const { rows } = await db.query<{
    id: string;
    script_id: string;
    number: number;
    namespace: string;
    filename: string;
    original_filename: string;
    sha256: string;
    size: number;
    state: VersionState;
    verdict: Verdict | null;
    created_at: Date;
    backup_key: string;
    encoding: UnmanifestedVersion["encoding"];
  }>(
    `select v.id, v.script_id, v.number, s.namespace, s.filename, v.original_filename, v.sha256, v.size,
       v.state, v.verdict, v.created_at, b.backup_key,
       case when b.backup_key like '%.zst' then 'zstd' when b.backup_key like '%.gz' then 'gzip'
         else 'identity' end as encoding
     from versions v join scripts s on s.id = v.script_id join blobs b on b.sha256 = v.sha256
     where v.manifest_key is null and v.state in ('ready', 'needs_approval', 'rejected')
       and v.verdict not in ('invalid', 'malicious') and b.backup_key is not null
     order by v.finished_at limit $1`,
    [limit],
  );
  return rows.map((row) => ({
    versionId: row.id,
    scriptId: row.script_id,
    version: row.number,
    namespace: row.namespace,
    filename: row.filename,
    originalFilename: row.original_filename,
    sha256: row.sha256,
    size: row.size,
    state: row.state,
    verdict: row.verdict ?? undefined,
    uploadTime: row.created_at,
    backupKey: row.backup_key,
    encoding: row.encoding,
  }));
}

export async function recordManifest(
  db: Queryable,
  { versionId, manifestKey }: { versionId: string; manifestKey: string },
): Promise<void> {
  await db.query("update versions set manifest_key = $2 where id = $1", [versionId, manifestKey]);
}
