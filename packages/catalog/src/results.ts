import {
  type AnalysisMetadata,
  type AnalysisReport,
  askedBy,
  type Finding,
} from "@sluice/contracts";
import type { BlobPlace } from "@sluice/object-store";
import type { StageName } from "@sluice/pipeline";
import type { Queryable } from "./catalog.js";
import { unmarkSettled } from "./scrub.js";
import { decideStates } from "./states.js";

/** What each stage has to say when it is done. */
export interface StageResults {
  /** Where the bytes are now, and whose results would do for them. */
  dedup: {
    readonly place: BlobPlace;
    readonly analyserVersion: string;
    readonly policyVersion: string;
    /** The policy in force that {@link policyVersion} was taken from; 0 where there is none. */
    readonly policyId: number;
    /** The bytes at that place were held against their hash. */
    readonly verified?: boolean;
  };
  /** `facts` is what the report was made of; `place` where the blob went to quarantine. */
  validate: {
    readonly report: AnalysisReport;
    readonly facts: object;
    readonly place?: BlobPlace;
  };
  /** `refusal` where the script cannot be described: it joins the report, and the version is `refused`. */
  extract: { readonly metadata: AnalysisMetadata } | { readonly refusal: Finding };
  /** `place` where compression won. */
  compress: { readonly place?: BlobPlace };
  backup: { readonly backupKey: string; readonly manifestKey: string };
}

/** A result as it came from a handler. */
export interface Done<Stage extends StageName> {
  readonly versionId: string;
  readonly result: StageResults[Stage];
}

/**
 * How each stage's results are written. Each answers the versions whose later stages are to follow:
 * all of them, but for duplicates, which wait for or reuse another's.
 */
export const RECORD_RESULTS: {
  readonly [Stage in StageName]: (
    tx: Queryable,
    done: readonly Done<Stage>[],
  ) => Promise<ReadonlySet<string>>;
} = {
  dedup: recordDedup,
  validate: recordValidation,
  extract: recordMetadata,
  compress: recordPlaces,
  backup: recordBackups,
};

async function recordDedup(
  tx: Queryable,
  done: readonly Done<"dedup">[],
): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ version_id: string; role: string }>(
    `with items as materialized (
       select item.*, v.sha256, v.size from jsonb_to_recordset($1::jsonb) as item (
         version_id uuid, key text, length bigint, encoding text, analyser_version text, policy_version text,
         policy_id integer)
       join versions v on v.id = item.version_id order by v.sha256, v.id)
     select version_id, settle_dedup(to_jsonb(items)) as role from items`,
    [
      JSON.stringify(
        done.map(({ versionId, result }) => ({
          version_id: versionId,
          key: result.place.key,
          length: result.place.length,
          encoding: result.place.encoding,
          analyser_version: result.analyserVersion,
          policy_version: result.policyVersion,
          policy_id: result.policyId,
        })),
      ),
    ],
  );
  const going = rows.find(({ role }) => role === "blob_is_going");
  if (going !== undefined) throw new BlobIsGoingError(going.version_id);
  if (rows.some(({ role }) => role === "policy_changed")) throw new PolicyChangedError();
  const verified = new Set(
    done.filter(({ result }) => result.verified === true).map(({ versionId }) => versionId),
  );
  await unmarkSettled(
    tx,
    rows.map(({ version_id }) => version_id).filter((id) => verified.has(id)),
  );
  const reused = rows.filter(({ role }) => role === "reused");
  await decideStates(
    tx,
    reused.map(({ version_id }) => version_id),
  );
  return new Set(rows.filter(({ role }) => role === "leads").map(({ version_id }) => version_id));
}

/** The orphan sweep is deleting the blob that dedup has just settled on; trying again stores it anew. */
export class BlobIsGoingError extends Error {
  override readonly name = "BlobIsGoingError";
  constructor(versionId: string) {
    super(`the blob of version ${versionId} is being deleted as an orphan`);
  }
}

/** Another policy came into force while dedup settled on what to judge by; trying again takes that one. */
export class PolicyChangedError extends Error {
  override readonly name = "PolicyChangedError";
  constructor() {
    super("another policy came into force");
  }
}

async function recordValidation(
  tx: Queryable,
  done: readonly Done<"validate">[],
): Promise<ReadonlySet<string>> {
  await tx.query(
    `insert into script_facts as f (sha256, analyser_version, facts)
     select distinct on (v.sha256, v.analyser_version) v.sha256, v.analyser_version, item.facts
     from unnest($1::uuid[], $2::json[]) as item (version_id, facts)
       join versions v on v.id = item.version_id
     order by v.sha256, v.analyser_version
     on conflict (sha256, analyser_version) do update set facts = excluded.facts`,
    [idsOf(done), done.map(({ result }) => JSON.stringify(result.facts))],
  );
  await recordReports(tx, done);
  return recordPlaces(tx, done);
}

async function recordReports(
  tx: Queryable,
  done: readonly {
    readonly versionId: string;
    readonly result: { readonly report: AnalysisReport };
  }[],
): Promise<void> {
  const verdicts = done.map(({ result }) => result.report.verdict);
  await tx.query(
    `update analyses a set report = item.report, verdict = item.verdict, asked = item.asked
     from unnest($1::uuid[], $2::json[], $3::text[], $4::jsonb[]) as item (version_id, report, verdict, asked)
       join versions v on v.id = item.version_id
     where a.leader = v.id and a.sha256 = v.sha256 and a.analyser_version = v.analyser_version
       and a.policy_version = v.policy_version`,
    [
      idsOf(done),
      done.map(({ result }) => JSON.stringify(result.report)),
      verdicts,
      done.map(({ result }) => JSON.stringify(askedBy(result.report))),
    ],
  );
  await tx.query(
    `update versions v set verdict = item.verdict
     from unnest($1::uuid[], $2::text[]) as item (version_id, verdict) where v.id = item.version_id`,
    [idsOf(done), verdicts],
  );
}

async function recordMetadata(
  tx: Queryable,
  done: readonly Done<"extract">[],
): Promise<ReadonlySet<string>> {
  const described = done.flatMap(({ versionId, result }) =>
    "metadata" in result ? [{ versionId, metadata: result.metadata }] : [],
  );
  await tx.query(
    `update analyses a set metadata = item.metadata
     from unnest($1::uuid[], $2::json[]) as item (version_id, metadata)
       join versions v on v.id = item.version_id
     where a.leader = v.id and a.sha256 = v.sha256 and a.analyser_version = v.analyser_version
       and a.policy_version = v.policy_version`,
    [idsOf(described), described.map(({ metadata }) => JSON.stringify(metadata))],
  );
  for (const { versionId, result } of done) {
    if ("refusal" in result) await refuse(tx, versionId, result.refusal);
  }
  return new Set(idsOf(done));
}

/** Adds a finding to a version's report, for which it is `refused`. */
async function refuse(tx: Queryable, versionId: string, finding: Finding): Promise<void> {
  const { rows } = await tx.query<{ report: AnalysisReport }>(
    `select a.report from analyses a join versions v on a.leader = v.id and a.sha256 = v.sha256
       and a.analyser_version = v.analyser_version and a.policy_version = v.policy_version
     where v.id = $1`,
    [versionId],
  );
  const reports = rows.map(({ report }) => ({
    versionId,
    result: {
      report: {
        ...report,
        verdict: "refused" as const,
        findings: [finding, ...report.findings],
      },
    },
  }));
  await recordReports(tx, reports);
  await tx.query(
    `update script_facts f set refusal = $2 from versions v
     where v.id = $1 and f.sha256 = v.sha256 and f.analyser_version = v.analyser_version`,
    [versionId, JSON.stringify(finding)],
  );
}

async function recordPlaces(
  tx: Queryable,
  done: readonly { readonly versionId: string; readonly result: { readonly place?: BlobPlace } }[],
): Promise<ReadonlySet<string>> {
  for (const { versionId, result } of done) {
    if (result.place === undefined) continue;
    const { key, offset, length, encoding } = result.place;
    await tx.query(
      `update blobs b set key = $2, "offset" = $3, length = $4, encoding = $5
       from versions v where v.id = $1 and b.sha256 = v.sha256`,
      [versionId, key, offset, length, encoding],
    );
  }
  return new Set(idsOf(done));
}

async function recordBackups(
  tx: Queryable,
  done: readonly Done<"backup">[],
): Promise<ReadonlySet<string>> {
  await tx.query(
    `update blobs b set backup_key = item.key, backed_up_at = now()
     from unnest($1::uuid[], $2::text[]) as item (version_id, key)
       join versions v on v.id = item.version_id
     where b.sha256 = v.sha256`,
    [idsOf(done), done.map(({ result }) => result.backupKey)],
  );
  await tx.query(
    `update versions v set manifest_key = item.key
     from unnest($1::uuid[], $2::text[]) as item (version_id, key) where v.id = item.version_id`,
    [idsOf(done), done.map(({ result }) => result.manifestKey)],
  );
  return new Set(idsOf(done));
}

function idsOf(done: readonly { readonly versionId: string }[]): string[] {
  return done.map(({ versionId }) => versionId);
}
