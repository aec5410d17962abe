import type { BlobPlace } from "@sluice/object-store";
import type { StageName, Verdict } from "@sluice/pipeline";
import type { Queryable } from "./catalog.js";

/** A version as a stage's handler gets it. */
export interface StageScript {
  readonly versionId: string;
  readonly scriptId: string;
  readonly version: number;
  readonly namespace: string;
  readonly filename: string;
  readonly originalFilename: string;
  readonly sha256: string;
  /** In bytes, of the source itself. */
  readonly size: number;
  readonly uploadTime: Date;
  /** The raw upload's key, until dedup has settled it. */
  readonly rawKey: string | undefined;
  readonly blob: BlobPlace | undefined;
  readonly backupKey: string | undefined;
  readonly verdict: Verdict | undefined;
  readonly analyserVersion: string | undefined;
  readonly policyVersion: string | undefined;
  /** The request that uploaded it, for logs. */
  readonly requestId: string;
  /** How often the handler has thrown for it in this stage. */
  readonly failures: number;
  /** How often a worker died while it worked on this script alone. */
  readonly deaths: number;
}

export interface LeaseRequest {
  readonly stage: StageName;
  readonly versionIds: readonly string[];
  /** Fences off whoever held these rows before; new for each lease. */
  readonly token: string;
  readonly leaseMs: number;
  /** Take rows whose lease still lives: the queue says that their holder is gone. */
  readonly takeOver: boolean;
}

/**
 * Takes what is due of the given versions in a stage. Rows that are done, leased by somebody else or
 * not yet due are left out, so that a second delivery finds nothing to do.
 *
 * @returns what was taken, in the order asked for
 */
export async function leaseStage(db: Queryable, request: LeaseRequest): Promise<StageScript[]> {
  const { rows } = await db.query<LeasedRow>({
    name: "lease_stage",
    text: LEASE,
    values: [
      request.stage,
      request.versionIds,
      request.token,
      request.leaseMs / 1000,
      request.takeOver,
      request.versionIds.length === 1,
    ],
  });
  const byId = new Map(rows.map((row) => [row.version_id, toScript(row)]));
  return request.versionIds.flatMap((id) => byId.get(id) ?? []);
}

// Timers of the queue and of the database differ by some milliseconds, hence the slack on available_at.
const LEASE = `with due as (
    select version_id from stages
    where stage = $1 and version_id = any($2::uuid[])
      and ((state = 'pending' and available_at <= now() + interval '250 ms')
        or (state = 'running' and (leased_until < now() or $5)))
    order by version_id for update skip locked
  ), taken as (
    update stages s set state = 'running', attempts = s.attempts + 1,
      deaths = s.deaths + case when s.state = 'running' and s.leased_alone then 1 else 0 end,
      lease_token = $3, leased_until = now() + make_interval(secs => $4), leased_alone = $6,
      started_at = now(), finished_at = null
    from due where s.version_id = due.version_id and s.stage = $1
    returning s.version_id, s.failures, s.deaths
  ), begun as (
    update versions v set state = 'processing' from taken
    where v.id = taken.version_id and v.state = 'queued'
  )
  select taken.version_id, taken.failures, taken.deaths, v.script_id, v.number, s.namespace, s.filename, v.original_filename, v.sha256, v.size,
    v.created_at, v.raw_key, v.verdict, v.analyser_version, v.policy_version, v.request_id,
    b.key, b."offset"::float8 as "offset", b.length::float8 as length, b.encoding, b.backup_key
  from taken join versions v on v.id = taken.version_id join scripts s on s.id = v.script_id
    left join blobs b on b.sha256 = v.sha256 and b.state = 'stored'`;

interface LeasedRow {
  version_id: string;
  failures: number;
  deaths: number;
  script_id: string;
  number: number;
  namespace: string;
  filename: string;
  original_filename: string;
  sha256: string;
  size: number;
  created_at: Date;
  raw_key: string | null;
  verdict: Verdict | null;
  analyser_version: string | null;
  policy_version: string | null;
  request_id: string;
  key: string | null;
  offset: number;
  length: number;
  encoding: BlobPlace["encoding"];
  backup_key: string | null;
}

function toScript(row: LeasedRow): StageScript {
  return {
    versionId: row.version_id,
    scriptId: row.script_id,
    version: row.number,
    namespace: row.namespace,
    filename: row.filename,
    originalFilename: row.original_filename,
    sha256: row.sha256,
    size: row.size,
    uploadTime: row.created_at,
    rawKey: row.raw_key ?? undefined,
    blob:
      row.key === null
        ? undefined
        : { key: row.key, offset: row.offset, length: row.length, encoding: row.encoding },
    backupKey: row.backup_key ?? undefined,
    verdict: row.verdict ?? undefined,
    analyserVersion: row.analyser_version ?? undefined,
    policyVersion: row.policy_version ?? undefined,
    requestId: row.request_id,
    failures: row.failures,
    deaths: row.deaths,
  };
}

/** Keeps every lease of a token for that much longer. */
export async function renewLeases(
  db: Queryable,
  lease: Pick<LeaseRequest, "stage" | "token" | "leaseMs" | "versionIds">,
): Promise<void> {
  await db.query(
    `update stages set leased_until = now() + make_interval(secs => $3)
     where stage = $1 and lease_token = $2 and state = 'running' and version_id = any(
       select version_id from stages where stage = $1 and lease_token = $2 and state = 'running'
         and version_id = any($4::uuid[]) order by version_id for update)
       and version_id = any($4::uuid[])`,
    [lease.stage, lease.token, lease.leaseMs / 1000, lease.versionIds],
  );
}

/**
 * Takes back that a worker died with a script, which whoever took the script over from it has counted: it lives, and only could not
 * renew its lease.
 *
 * @param token - of that worker
 */
export async function takeBackDeath(
  db: Queryable,
  { stage, token, versionId }: { stage: StageName; token: string; versionId: string },
): Promise<void> {
  await db.query(
    `update stages set deaths = deaths - 1
     where stage = $1 and version_id = $2 and deaths > 0 and lease_token is distinct from $3`,
    [stage, versionId, token],
  );
}

/**
 * Gives back what was leased and not begun, as if it had never been taken: a worker that drains.
 *
 * @returns the versions that are `pending` again
 */
export async function releaseLeases(
  db: Queryable,
  { stage, token, versionIds }: { stage: StageName; token: string; versionIds: readonly string[] },
): Promise<string[]> {
  const { rows } = await db.query<{ version_id: string }>(
    `update stages set state = 'pending', attempts = attempts - 1, lease_token = null,
       leased_until = null, started_at = null, enqueued_at = now()
     where stage = $1 and lease_token = $2 and version_id = any($3::uuid[]) and state = 'running'
     returning version_id`,
    [stage, token, versionIds],
  );
  return rows.map((row) => row.version_id);
}

/**
 * Frees what a dead worker held, so that its chunk can come back in smaller parts at once.
 *
 * @returns the versions that are `pending` now
 */
export async function freeDeadLeases(
  db: Queryable,
  { stage, versionIds }: { stage: StageName; versionIds: readonly string[] },
): Promise<string[]> {
  const { rows } = await db.query<{ version_id: string }>(
    `update stages set state = 'pending', lease_token = null, leased_until = null, enqueued_at = now()
     where stage = $1 and version_id = any($2::uuid[]) and state in ('running', 'pending')
     returning version_id`,
    [stage, versionIds],
  );
  return rows.map((row) => row.version_id);
}
