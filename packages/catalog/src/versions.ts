import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import type { BlobPlace } from "@sluice/object-store";
import type { Verdict, VersionState } from "@sluice/pipeline";
import type { Catalog, Queryable } from "./catalog.js";
import { type Damage, type DamageColumns, toIntegrity } from "./scrub.js";

/** One immutable upload of a script. */
export interface Version {
  readonly versionId: string;
  readonly scriptId: string;
  readonly filename: string;
  readonly version: number;
  readonly originalFilename: string;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  readonly state: VersionState;
  readonly verdict: Verdict | undefined;
  readonly uploadTime: Date;
  readonly finishedAt: Date | undefined;
  readonly batchId: string | undefined;
  /** The version whose bytes this one brought back. */
  readonly restoredFrom: number | undefined;
  /** Until dedup has settled the raw upload. */
  readonly rawKey: string | undefined;
  readonly blob: BlobPlace | undefined;
  /** What is wrong with its stored bytes; `undefined` where nothing is known to be. */
  readonly integrity: (Damage & { readonly foundAt: Date }) | undefined;
}

/** A script's versions, newest first. */
export async function listVersions(
  db: Queryable,
  { scriptId, before, limit }: { scriptId: string; before?: number | undefined; limit: number },
): Promise<{ items: readonly Version[]; next: number | undefined }> {
  const { rows } = await db.query<VersionRow>(
    `${SELECT_VERSION} where s.id = $1 and s.deleted_at is null and v.deleted_at is null and ($2::integer is null or v.number < $2)
     order by v.number desc limit $3`,
    [scriptId, before ?? null, limit + 1],
  );
  const items = rows.slice(0, limit).map(toVersion);
  return { items, next: rows.length > limit ? items.at(-1)?.version : undefined };
}

/** The newest version where none is named; `undefined` where there is no such script or version. */
export async function readVersion(
  db: Queryable,
  { scriptId, version }: { scriptId: string; version?: number | undefined },
): Promise<Version | undefined> {
  const { rows } = await db.query<VersionRow>({
    name: "read_version",
    text: `${SELECT_VERSION} where s.id = $1 and s.deleted_at is null and v.deleted_at is null
      and v.number = coalesce($2::integer, s.latest_version)`,
    values: [scriptId, version ?? null],
  });
  return rows[0] && toVersion(rows[0]);
}

/** What is known of a version's bytes so far: parts that no stage has found out yet are `undefined`. */
export interface VersionAnalysis {
  readonly report: AnalysisReport | undefined;
  readonly metadata: AnalysisMetadata | undefined;
}

export async function readAnalysis(db: Queryable, versionId: string): Promise<VersionAnalysis> {
  const { rows } = await db.query<{
    report: AnalysisReport | null;
    metadata: AnalysisMetadata | null;
  }>({
    name: "read_analysis",
    text: `select a.report, a.metadata from versions v join analyses a on a.sha256 = v.sha256
        and a.analyser_version = v.analyser_version and a.policy_version = v.policy_version
      where v.id = $1`,
    values: [versionId],
  });
  return { report: rows[0]?.report ?? undefined, metadata: rows[0]?.metadata ?? undefined };
}

/** What {@link readAnalysis} reads, as JSON that is still to be parsed. */
export async function readAnalysisText(
  db: Queryable,
  versionId: string,
): Promise<{ readonly report: string | undefined; readonly metadata: string | undefined }> {
  const { rows } = await db.query<{ report: string | null; metadata: string | null }>(
    `select a.report::text as report, a.metadata::text as metadata
      from versions v join analyses a on a.sha256 = v.sha256
        and a.analyser_version = v.analyser_version and a.policy_version = v.policy_version
      where v.id = $1`,
    [versionId],
  );
  return { report: rows[0]?.report ?? undefined, metadata: rows[0]?.metadata ?? undefined };
}

/** A failed version made to go on, and where. */
export interface Retried {
  readonly versionId: string;
  readonly size: number;
  readonly stages: readonly string[];
}

/**
 * Lets a failed version go on: where its own stage failed, with that stage; where it failed with the
 * version it was a duplicate of, with dedup.
 *
 * @returns `undefined` where it is not `failed`
 */
export async function retryFailed(
  catalog: Catalog,
  versionId: string,
): Promise<Retried | undefined> {
  return catalog.transaction(async (tx) => {
    const { rows } = await tx.query<{ size: number; leads: boolean }>(
      `select v.size, exists (select from analyses a where a.leader = v.id and a.state = 'failed'
         and a.sha256 = v.sha256 and a.analyser_version = v.analyser_version
         and a.policy_version = v.policy_version for update) as leads
       from versions v where v.id = $1 and v.state = 'failed' for no key update`,
      [versionId],
    );
    const version = rows[0];
    if (version === undefined) return undefined;
    await tx.query(
      "update versions set state = 'processing', finished_at = null, duplicate_of = null where id = $1",
      [versionId],
    );
    const failedInDedup = await tx.query(
      "select from stages where version_id = $1 and stage = 'dedup' and state = 'failed'",
      [versionId],
    );
    if (version.leads) {
      await tx.query(
        "update analyses set state = 'running' where leader = $1 and state = 'failed'",
        [versionId],
      );
    } else if (failedInDedup.rowCount === 0) {
      await tx.query("delete from stages where version_id = $1", [versionId]);
      await tx.query(
        "insert into stages (version_id, stage, state) values ($1, 'dedup', 'failed')",
        [versionId],
      );
    }
    const reset = await tx.query<{ stage: string }>(
      `update stages set state = 'pending', failures = 0, deaths = 0, finished_at = null,
         started_at = null, available_at = now(), enqueued_at = now()
       where version_id = $1 and state = 'failed' returning stage`,
      [versionId],
    );
    return { versionId, size: version.size, stages: reset.rows.map(({ stage }) => stage) };
  });
}

const SELECT_VERSION = `select v.id, v.script_id, s.filename, v.number, v.original_filename, v.sha256, v.size,
    v.state, v.verdict, v.created_at, v.finished_at, v.batch_id, v.restored_from, v.raw_key,
    b.key, b."offset"::float8 as "offset", b.length::float8 as length, b.encoding,
    d.state as damage_state, d.detail as damage_detail, d.found_at as damaged_since
  from versions v join scripts s on s.id = v.script_id
    left join blobs b on b.sha256 = v.sha256 and b.state = 'stored'
    left join damaged_blobs d on d.sha256 = v.sha256`;

interface VersionRow extends DamageColumns {
  id: string;
  script_id: string;
  filename: string;
  number: number;
  original_filename: string;
  sha256: string;
  size: number;
  state: VersionState;
  verdict: Verdict | null;
  created_at: Date;
  finished_at: Date | null;
  batch_id: string | null;
  restored_from: number | null;
  raw_key: string | null;
  key: string | null;
  offset: number;
  length: number;
  encoding: BlobPlace["encoding"];
}

function toVersion(row: VersionRow): Version {
  return {
    versionId: row.id,
    scriptId: row.script_id,
    filename: row.filename,
    version: row.number,
    originalFilename: row.original_filename,
    sha256: row.sha256,
    size: row.size,
    state: row.state,
    verdict: row.verdict ?? undefined,
    uploadTime: row.created_at,
    finishedAt: row.finished_at ?? undefined,
    batchId: row.batch_id ?? undefined,
    restoredFrom: row.restored_from ?? undefined,
    rawKey: row.raw_key ?? undefined,
    integrity: toIntegrity(row),
    blob:
      row.key === null
        ? undefined
        : { key: row.key, offset: row.offset, length: row.length, encoding: row.encoding },
  };
}
