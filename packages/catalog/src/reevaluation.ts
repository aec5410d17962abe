/** What stands by an older policy than the one in force, and how it comes to stand by that one. */
import { type AnalysisReport, askedBy } from "@sluice/contracts";
import type { Verdict, VersionState } from "@sluice/pipeline";
import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";
import { decideStates, lockDecisions, toAudit } from "./states.js";

/** A final version, as far as judging it again needs it. */
export interface JudgedVersion {
  readonly versionId: string;
  readonly scriptId: string;
  readonly version: number;
  readonly namespace: string;
  readonly filename: string;
  readonly sha256: string;
  readonly state: VersionState;
  readonly verdict: Verdict;
  readonly analyserVersion: string;
  /** Of the policy that its verdict is by. */
  readonly policyVersion: string;
  /** Of a script that was deleted, nobody will see the verdict any more. */
  readonly deleted: boolean;
}

/** The oldest ones first that stand by an older policy. */
export async function listOutdated(
  db: Queryable,
  { policyId, limit }: { policyId: number; limit: number },
): Promise<readonly JudgedVersion[]> {
  const { rows } = await db.query<JudgedRow>(
    `${SELECT_JUDGED} where v.policy_id < $1 and ${IS_JUDGED} order by v.policy_id, v.id limit $2`,
    [policyId, limit],
  );
  return rows.map(toJudged);
}

/** All that a policy would judge, in order of their ids. */
export async function listJudged(
  db: Queryable,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<readonly JudgedVersion[]> {
  const { rows } = await db.query<JudgedRow>(
    `${SELECT_JUDGED} where ($1::uuid is null or v.id > $1) and ${IS_JUDGED} and s.deleted_at is null
       and v.deleted_at is null order by v.id limit $2`,
    [after ?? null, limit],
  );
  return rows.map(toJudged);
}

/** What is known of some bytes; the finding for which they could not be described counts with it. */
export interface StoredFacts {
  readonly facts: object;
  readonly refusal: object | undefined;
}

/** @returns by {@link factsKey}; bytes of which nothing was kept are left out */
export async function readFacts(
  db: Queryable,
  of: readonly Pick<JudgedVersion, "sha256" | "analyserVersion">[],
): Promise<ReadonlyMap<string, StoredFacts>> {
  const { rows } = await db.query<{
    sha256: string;
    analyser_version: string;
    facts: object;
    refusal: object | null;
  }>(
    `select f.sha256, f.analyser_version, f.facts, f.refusal
     from (select distinct * from unnest($1::text[], $2::text[])) as wanted (sha256, analyser_version)
       join script_facts f using (sha256, analyser_version)`,
    [of.map(({ sha256 }) => sha256), of.map(({ analyserVersion }) => analyserVersion)],
  );
  return new Map(
    rows.map((row) => [
      factsKey({ sha256: row.sha256, analyserVersion: row.analyser_version }),
      { facts: row.facts, refusal: row.refusal ?? undefined },
    ]),
  );
}

export function factsKey({
  sha256,
  analyserVersion,
}: Pick<JudgedVersion, "sha256" | "analyserVersion">): string {
  return `${sha256} ${analyserVersion}`;
}

/** What another policy says of a version. */
export interface Judgement {
  readonly version: JudgedVersion;
  readonly policyVersion: string;
  /** `undefined` where the verdict stands, since it is by that very policy. */
  readonly report: AnalysisReport | undefined;
}

/** Another state of a final version. */
export interface Reevaluated {
  readonly version: JudgedVersion;
  readonly to: VersionState;
}

/**
 * Lets versions stand by the policy in force, all in one transaction: the report becomes that of their bytes under that policy, for
 * whoever uploads them next too, and the states follow.
 *
 * @returns those that changed state; `undefined` where another policy is in force by now and nothing was written
 */
export async function recordJudgements(
  catalog: Catalog,
  { policyId, judgements }: { policyId: number; judgements: readonly Judgement[] },
): Promise<readonly Reevaluated[] | undefined> {
  return catalog.transaction(async (tx) => {
    await lockDecisions(tx, [...new Set(judgements.map(({ version }) => version.scriptId))]);
    if (!(await isInForce(tx, policyId))) return undefined;
    const live = await lockUnchanged(tx, judgements);
    await storeReports(tx, live);
    const after = await giveVerdicts(tx, policyId, live);
    const changed = live.flatMap(({ version }) => {
      const to = after.get(version.versionId);
      return to === undefined || to === version.state ? [] : [{ version, to }];
    });
    await recordAudit(
      tx,
      changed.map(({ version, to }) =>
        toAudit({ ...version, from: version.state, to }, { actor: ACTOR, policy_id: policyId }),
      ),
    );
    await tx.query(
      "update policies set judged = judged + $2, changed = changed + $3 where id = $1",
      [policyId, live.length, changed.length],
    );
    return changed;
  });
}

/** Who changes states, as the audit log has it. */
const ACTOR = "policy";

async function isInForce(tx: Queryable, policyId: number): Promise<boolean> {
  const { rows } = await tx.query<{ id: number }>("select hold_policy() as id");
  return rows[0]?.id === policyId;
}

/** Those whose state, verdict and policy are still what they were when they were judged. */
async function lockUnchanged(
  tx: Queryable,
  judgements: readonly Judgement[],
): Promise<readonly Judgement[]> {
  const { rows } = await tx.query<{ id: string; state: string; policy_version: string }>(
    `select id, state, policy_version from versions where id = any($1::uuid[])
     order by sha256, id for no key update`,
    [judgements.map(({ version }) => version.versionId)],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return judgements.filter(({ version }) => {
    const row = byId.get(version.versionId);
    return row?.state === version.state && row.policy_version === version.policyVersion;
  });
}

/** An analysis that somebody else works on is left to them, but for what it lacks. */
async function storeReports(tx: Queryable, judgements: readonly Judgement[]): Promise<void> {
  const made = judgements.flatMap(({ version, policyVersion, report }) =>
    report === undefined ? [] : [{ version, policyVersion, report }],
  );
  await tx.query(
    `insert into analyses as a (sha256, analyser_version, policy_version, leader, state, verdict, report, asked, metadata)
     select distinct on (v.sha256, v.analyser_version, item.policy_version)
       v.sha256, v.analyser_version, item.policy_version, v.id, 'done', item.verdict, item.report, item.asked, old.metadata
     from unnest($1::uuid[], $2::text[], $3::text[], $4::json[], $5::jsonb[])
         as item (version_id, policy_version, verdict, report, asked)
       join versions v on v.id = item.version_id
       left join analyses old on old.sha256 = v.sha256 and old.analyser_version = v.analyser_version
         and old.policy_version = v.policy_version
     order by v.sha256, v.analyser_version, item.policy_version, v.id
     on conflict (sha256, analyser_version, policy_version) do update set
       leader = case when a.state = 'failed' then excluded.leader else a.leader end,
       state = case when a.state = 'failed' then 'done' else a.state end,
       verdict = coalesce(a.verdict, excluded.verdict), report = coalesce(a.report, excluded.report),
       asked = coalesce(a.asked, excluded.asked), metadata = coalesce(a.metadata, excluded.metadata)
     where a.state <> 'done'`,
    [
      made.map(({ version }) => version.versionId),
      made.map(({ policyVersion }) => policyVersion),
      made.map(({ report }) => report.verdict),
      made.map(({ report }) => JSON.stringify(report)),
      made.map(({ report }) => JSON.stringify(askedBy(report))),
    ],
  );
}

/** @returns the states that the versions have now */
async function giveVerdicts(
  tx: Queryable,
  policyId: number,
  judgements: readonly Judgement[],
): Promise<ReadonlyMap<string, VersionState>> {
  const ids = judgements.map(({ version }) => version.versionId);
  const judged = judgements.filter(({ report }) => report !== undefined);
  await tx.query(
    "update versions set policy_id = $2 where id = any($1::uuid[]) and policy_id < $2",
    [
      judgements.filter(({ report }) => report === undefined).map((each) => each.version.versionId),
      policyId,
    ],
  );
  await tx.query(
    `update versions v set policy_id = $4, policy_version = item.policy_version, verdict = item.verdict,
       state = state_of_verdict(item.verdict)
     from unnest($1::uuid[], $2::text[], $3::text[]) as item (version_id, policy_version, verdict)
     where v.id = item.version_id`,
    [
      judged.map(({ version }) => version.versionId),
      judged.map(({ policyVersion }) => policyVersion),
      judged.map(({ report }) => report?.verdict),
      policyId,
    ],
  );
  await decideStates(
    tx,
    judged.map(({ version }) => version.versionId),
  );
  const { rows } = await tx.query<{ id: string; state: VersionState }>(
    "select id, state from versions where id = any($1::uuid[])",
    [ids],
  );
  return new Map(rows.map(({ id, state }) => [id, state]));
}

/**
 * Sends final versions through the whole pipeline once more, since nothing is known of them that could be judged.
 *
 * @returns those that have become pending in dedup
 */
export async function startOver(
  catalog: Catalog,
  { policyId, versions }: { policyId: number; versions: readonly JudgedVersion[] },
): Promise<readonly { readonly versionId: string; readonly size: number }[]> {
  return catalog.transaction(async (tx) => {
    const { rows } = await tx.query<{ id: string; size: number }>(
      `update versions set state = 'processing', verdict = null, analyser_version = null,
         policy_version = null, duplicate_of = null, finished_at = null, policy_id = $2
       where id in (select id from versions where id = any($1::uuid[]) and policy_id < $2
           and state in ('ready', 'needs_approval', 'rejected') order by sha256, id for no key update)
       returning id, size`,
      [versions.map(({ versionId }) => versionId), policyId],
    );
    const ids = rows.map(({ id }) => id);
    await tx.query("delete from stages where version_id = any($1::uuid[])", [ids]);
    await tx.query(
      "insert into stages (version_id, stage) select id, 'dedup' from unnest($1::uuid[]) as ids (id)",
      [ids],
    );
    return rows.map(({ id, size }) => ({ versionId: id, size }));
  });
}

/**
 * What the states of versions would be with other reports.
 *
 * @returns by id of the version
 */
export async function foresee(
  db: Queryable,
  judgements: readonly Judgement[],
): Promise<ReadonlyMap<string, VersionState>> {
  const made = judgements.flatMap(({ version, report }) => (report ? [{ version, report }] : []));
  const { rows } = await db.query<{ id: string; state: VersionState }>(
    `select v.id, version_state(v.script_id, v.sha256, item.verdict, item.asked) as state
     from unnest($1::uuid[], $2::text[], $3::jsonb[]) as item (version_id, verdict, asked)
       join versions v on v.id = item.version_id`,
    [
      made.map(({ version }) => version.versionId),
      made.map(({ report }) => report.verdict),
      made.map(({ report }) => JSON.stringify(askedBy(report))),
    ],
  );
  return new Map(rows.map(({ id, state }) => [id, state]));
}

/** Notes that nothing stands by an older policy any more, if that is so. @returns whether it is noted now */
export async function noteApplied(db: Queryable, policyId: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update policies set applied_at = now() where id = $1 and applied_at is null
       and not exists (select from versions where policy_id < $1
         and state in ('ready', 'needs_approval', 'rejected'))
       and not exists (select from versions where policy_id < $1
         and state = 'processing' and policy_version is not null)`,
    [policyId],
  );
  return rowCount === 1;
}

const IS_JUDGED = "v.state in ('ready', 'needs_approval', 'rejected')";

const SELECT_JUDGED = `select v.id, v.script_id, v.number, s.namespace, s.filename, v.sha256, v.state, v.verdict,
    v.analyser_version, v.policy_version, s.deleted_at is not null or v.deleted_at is not null as deleted
  from versions v join scripts s on s.id = v.script_id`;

interface JudgedRow {
  id: string;
  script_id: string;
  number: number;
  namespace: string;
  filename: string;
  sha256: string;
  state: VersionState;
  verdict: Verdict;
  analyser_version: string;
  policy_version: string;
  deleted: boolean;
}

function toJudged(row: JudgedRow): JudgedVersion {
  return {
    versionId: row.id,
    scriptId: row.script_id,
    version: row.number,
    namespace: row.namespace,
    filename: row.filename,
    sha256: row.sha256,
    state: row.state,
    verdict: row.verdict,
    analyserVersion: row.analyser_version,
    policyVersion: row.policy_version,
    deleted: row.deleted,
  };
}
