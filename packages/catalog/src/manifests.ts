import type { BlobEncoding } from "@sluice/object-store";
import type { Verdict } from "@sluice/pipeline";
import type { Catalog, Queryable } from "./catalog.js";

/** All that the manifest of a version says. */
export interface VersionToManifest {
  readonly versionId: string;
  readonly scriptId: string;
  readonly version: number;
  readonly namespace: string;
  readonly filename: string;
  readonly originalFilename: string;
  readonly sha256: string;
  readonly size: number;
  readonly verdict: Verdict | undefined;
  readonly uploadTime: Date;
  readonly backupKey: string;
  readonly encoding: BlobEncoding;
}

/** A version whose manifest the backup store has. */
export interface ManifestedVersion extends VersionToManifest {
  readonly manifestKey: string;
}

const SELECT = `select v.id, v.manifest_key, v.script_id, v.number, s.namespace, s.filename, v.original_filename,
    v.sha256, v.size, v.verdict, v.created_at, b.backup_key,
    case when b.backup_key like '%.zst' then 'zstd' when b.backup_key like '%.gz' then 'gzip'
      else 'identity' end as encoding
  from versions v join scripts s on s.id = v.script_id join blobs b on b.sha256 = v.sha256
  where b.backup_key is not null`;

interface Row {
  id: string;
  script_id: string;
  number: number;
  namespace: string;
  filename: string;
  original_filename: string;
  sha256: string;
  size: number;
  verdict: Verdict | null;
  created_at: Date;
  backup_key: string;
  encoding: BlobEncoding;
}

type ManifestedRow = Row & { manifest_key: string };

function toVersion(row: Row): VersionToManifest {
  return {
    versionId: row.id,
    scriptId: row.script_id,
    version: row.number,
    namespace: row.namespace,
    filename: row.filename,
    originalFilename: row.original_filename,
    sha256: row.sha256,
    size: row.size,
    verdict: row.verdict ?? undefined,
    uploadTime: row.created_at,
    backupKey: row.backup_key,
    encoding: row.encoding,
  };
}

function toManifested(row: ManifestedRow): ManifestedVersion {
  return { ...toVersion(row), manifestKey: row.manifest_key };
}

/** Versions that are over and whose manifest the backup store does not have: duplicates, mostly. The oldest first. */
export async function listUnmanifested(db: Queryable, limit: number): Promise<VersionToManifest[]> {
  const { rows } = await db.query<Row>(
    `${SELECT} and v.manifest_key is null and v.state in ('ready', 'needs_approval', 'rejected')
       and v.verdict not in ('invalid', 'malicious') order by v.finished_at limit $1`,
    [limit],
  );
  return rows.map(toVersion);
}

/** Versions that have a manifest in the backup store, in order of their ids, after one of them. */
export async function listManifested(
  db: Queryable,
  { after, limit }: { after: string; limit: number },
): Promise<ManifestedVersion[]> {
  const { rows } = await db.query<ManifestedRow>(
    `${SELECT} and v.manifest_key is not null and ($1::uuid is null or v.id > $1) order by v.id limit $2`,
    [after === "" ? null : after, limit],
  );
  return rows.map(toManifested);
}

/** Runs work on a version while it cannot be removed; not where it is gone by now, or has no manifest. */
export async function withManifestHeld(
  catalog: Catalog,
  versionId: string,
  work: (tx: Queryable, version: ManifestedVersion) => Promise<void>,
): Promise<void> {
  await catalog.transaction(async (tx) => {
    const { rows } = await tx.query<ManifestedRow>(
      `${SELECT} and v.manifest_key is not null and v.id = $1 for no key update of v`,
      [versionId],
    );
    if (rows[0] !== undefined) await work(tx, toManifested(rows[0]));
  });
}

export async function recordManifest(
  db: Queryable,
  { versionId, manifestKey }: { versionId: string; manifestKey: string },
): Promise<void> {
  await db.query("update versions set manifest_key = $2 where id = $1", [versionId, manifestKey]);
}
