import { type ApprovalDecision, type AskedItem, takesIn } from "@sluice/contracts";
import type { Verdict, VersionState } from "@sluice/pipeline";
import { v7 as uuidv7 } from "uuid";
import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";
import { answerIdempotencyKey } from "./idempotency.js";
import { decideStates, type StateChange, toAudit } from "./states.js";

/** A person's decision on things that one version asks for. */
export interface Approval {
  readonly approvalId: string;
  readonly scriptId: string;
  readonly version: number;
  readonly sha256: string;
  readonly decision: ApprovalDecision;
  readonly items: readonly AskedItem[];
  readonly reason: string;
  readonly actor: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
}

export interface Decision {
  readonly scriptId: string;
  /** The newest where absent. */
  readonly version?: number | undefined;
  /** What the version's bytes must be. */
  readonly sha256?: string | undefined;
  readonly decision: ApprovalDecision;
  /** Names, groups such as `filesystem.*`, or `*`. */
  readonly capabilities: readonly string[];
  readonly imports: readonly string[];
  readonly reason: string;
  readonly actor: string;
  readonly expiresAt?: Date | undefined;
  /** Answers the key's later requests, recorded with the decision. */
  readonly idempotency?:
    | {
        readonly key: string;
        readonly fingerprint: string;
        readonly answer: (recorded: Recorded) => object;
      }
    | undefined;
}

export interface Recorded {
  readonly kind: "recorded";
  readonly approval: Approval;
  /** Of the version that it was made on. */
  readonly state: VersionState;
}

export type DecisionOutcome =
  | Recorded
  | { readonly kind: "not_found" }
  | { readonly kind: "other_bytes"; readonly version: number; readonly sha256: string }
  /** Not analysed yet, or nothing that a person could decide on. */
  | {
      readonly kind: "undecidable";
      readonly version: number;
      readonly state: VersionState;
      readonly verdict: Verdict | undefined;
    }
  | {
      readonly kind: "not_asked";
      readonly version: number;
      readonly capabilities: readonly string[];
      readonly imports: readonly string[];
      readonly asked: readonly AskedItem[];
    };

/**
 * Records a decision, and gives the versions of the script that it holds for the state that follows
 * from it. All or nothing: where one thing is not asked for, nothing is recorded.
 */
export async function recordApproval(catalog: Catalog, wanted: Decision): Promise<DecisionOutcome> {
  return catalog.transaction(async (tx) => {
    await tx.query("select lock_decisions(array[$1::uuid], true)", [wanted.scriptId]);
    const version = await readDecidable(tx, wanted);
    if (version === undefined) return { kind: "not_found" };
    const { number, sha256, state, verdict, asked } = version;
    if (wanted.sha256 !== undefined && wanted.sha256 !== sha256)
      return { kind: "other_bytes", version: number, sha256 };
    const isDecided = state === "ready" || state === "needs_approval" || state === "rejected";
    if (!isDecided || verdict !== "needs_approval" || asked === null) {
      return { kind: "undecidable", version: number, state, verdict: verdict ?? undefined };
    }
    const items = asked.filter(({ kind, name }) =>
      patternsFor(kind, wanted).some((pattern) => takesIn(pattern, name)),
    );
    const capabilities = unmatched("capability", wanted, items);
    const imports = unmatched("import", wanted, items);
    if (capabilities.length > 0 || imports.length > 0 || items.length === 0)
      return { kind: "not_asked", version: number, capabilities, imports, asked };

    const approval = await insertApproval(tx, {
      approvalId: uuidv7(),
      scriptId: wanted.scriptId,
      version: number,
      sha256,
      decision: wanted.decision,
      items,
      reason: wanted.reason,
      actor: wanted.actor,
      expiresAt: wanted.expiresAt,
    });
    const changes = await decideStatesOf(tx, approval);
    const own = changes.find((change) => change.version === number);
    const recorded: Recorded = { kind: "recorded", approval, state: own?.to ?? state };
    const { approvalId: approval_id, actor } = approval;
    await recordAudit(tx, [
      { ...eventOf(approval), action: `approval.${approval.decision}` },
      ...changes.map((change) => toAudit(change, { actor, approval_id })),
    ]);
    if (wanted.idempotency !== undefined) {
      const { answer, ...keyed } = wanted.idempotency;
      await answerIdempotencyKey(tx, keyed, answer(recorded));
    }
    return recorded;
  });
}

function patternsFor(
  kind: AskedItem["kind"],
  { capabilities, imports }: Pick<Decision, "capabilities" | "imports">,
): readonly string[] {
  return kind === "capability" ? capabilities : imports;
}

/** The patterns that take in nothing, but for `*`, which does no harm where only the other kind is asked for. */
function unmatched(
  kind: AskedItem["kind"],
  wanted: Decision,
  items: readonly AskedItem[],
): string[] {
  const names = items.filter((item) => item.kind === kind).map(({ name }) => name);
  return patternsFor(kind, wanted).filter(
    (pattern) =>
      (pattern !== "*" || items.length === 0) && !names.some((name) => takesIn(pattern, name)),
  );
}

interface Decidable {
  number: number;
  sha256: string;
  state: VersionState;
  verdict: Verdict | null;
  asked: AskedItem[] | null;
}

async function readDecidable(
  tx: Queryable,
  { scriptId, version }: { scriptId: string; version?: number | undefined },
): Promise<Decidable | undefined> {
  const { rows } = await tx.query<Decidable>(
    `select v.number, v.sha256, v.state, v.verdict, a.asked
     from scripts s join versions v on v.script_id = s.id and v.number = coalesce($2, s.latest_version)
       left join analyses a on a.sha256 = v.sha256 and a.analyser_version = v.analyser_version
         and a.policy_version = v.policy_version
     where s.id = $1 and s.deleted_at is null and v.deleted_at is null`,
    [scriptId, version ?? null],
  );
  return rows[0];
}

async function insertApproval(
  tx: Queryable,
  approval: Omit<Approval, "createdAt">,
): Promise<Approval> {
  const { rows } = await tx.query<{ seq: string; created_at: Date }>(
    `insert into approvals
       (id, script_id, version, sha256, bytes_since, decision, reason, actor, expires_at)
     select $1, $2, $3, $4, min(number), $5, $6, $7, $8 from versions
       where script_id = $2 and sha256 = $4
     returning seq, created_at`,
    [
      approval.approvalId,
      approval.scriptId,
      approval.version,
      approval.sha256,
      approval.decision,
      approval.reason,
      approval.actor,
      approval.expiresAt ?? null,
    ],
  );
  const { seq, created_at: createdAt } = rows[0] as { seq: string; created_at: Date };
  await tx.query(
    `insert into approval_items (approval_id, seq, script_id, kind, name, "references", complete)
     select $1, $2, $3, kind, name, "references", complete from jsonb_to_recordset($4::jsonb)
       as items (kind text, name text, "references" jsonb, complete boolean)`,
    [approval.approvalId, seq, approval.scriptId, JSON.stringify(approval.items)],
  );
  return { ...approval, createdAt };
}

/** Of the versions that a decision on one of them can hold for: those of its bytes, and what came after these. */
async function decideStatesOf(
  tx: Queryable,
  { scriptId, sha256 }: Pick<Approval, "scriptId" | "sha256">,
): Promise<StateChange[]> {
  const { rows } = await tx.query<{ id: string }>(
    `select id from versions where script_id = $1 and number >=
       (select min(number) from versions where script_id = $1 and sha256 = $2)`,
    [scriptId, sha256],
  );
  return decideStates(
    tx,
    rows.map(({ id }) => id),
  );
}

/** The part of an audit entry that tells which decision it is about. */
function eventOf({ approvalId, items, reason, expiresAt, ...approval }: Approval) {
  const namesOf = (kind: AskedItem["kind"]) =>
    items.filter((item) => item.kind === kind).map(({ name }) => name);
  return {
    actor: approval.actor,
    scriptId: approval.scriptId,
    version: approval.version,
    sha256: approval.sha256,
    details: {
      approval_id: approvalId,
      capabilities: namesOf("capability"),
      imports: namesOf("import"),
      reason,
      expires_at: expiresAt?.toISOString() ?? null,
    },
  };
}

/** A script's decisions, newest first. */
export async function listApprovals(
  db: Queryable,
  { scriptId, before, limit }: { scriptId: string; before?: number | undefined; limit: number },
): Promise<{ items: readonly Approval[]; next: number | undefined }> {
  const { rows } = await db.query<ApprovalRow>(
    `${SELECT_APPROVAL} where p.script_id = $1 and ($2::bigint is null or p.seq < $2)
     order by p.seq desc limit $3`,
    [scriptId, before ?? null, limit + 1],
  );
  const page = rows.slice(0, limit);
  return { items: page.map(toApproval), next: rows.length > limit ? page.at(-1)?.seq : undefined };
}

/** Who acts where an end date is over. */
const JANITOR = "janitor";

/**
 * Ends the decisions whose end date is over, each script's in a transaction of its own: what they
 * decided is to be decided anew.
 *
 * @returns the decisions that ended
 */
export async function expireApprovals(catalog: Catalog, limit: number): Promise<Approval[]> {
  const { rows } = await catalog.query<{ script_id: string }>(
    `select distinct script_id from (select script_id from approvals
       where expires_at <= now() and expired_at is null order by expires_at limit $1) ending`,
    [limit],
  );
  const ended: Approval[] = [];
  for (const { script_id: scriptId } of rows) ended.push(...(await expireOf(catalog, scriptId)));
  return ended;
}

function expireOf(catalog: Catalog, scriptId: string): Promise<Approval[]> {
  return catalog.transaction(async (tx) => {
    await tx.query("select lock_decisions(array[$1::uuid], true)", [scriptId]);
    const { rows: over } = await tx.query<{ id: string }>(
      `update approvals set expired_at = now()
       where script_id = $1 and expires_at <= now() and expired_at is null returning id`,
      [scriptId],
    );
    const { rows } = await tx.query<ApprovalRow>(
      `${SELECT_APPROVAL} where p.id = any($1::uuid[]) order by p.seq`,
      [over.map(({ id }) => id)],
    );
    const ended = rows.map(toApproval);
    const { rows: versions } = await tx.query<{ id: string }>(
      "select id from versions where script_id = $1",
      [scriptId],
    );
    const changes = await decideStates(
      tx,
      versions.map(({ id }) => id),
    );
    await recordAudit(tx, [
      ...ended.map((approval) => ({
        ...eventOf(approval),
        actor: JANITOR,
        action: "approval.expired" as const,
      })),
      ...changes.map((change) => toAudit(change, { actor: JANITOR })),
    ]);
    return ended;
  });
}

const SELECT_APPROVAL = `select p.seq::float8 as seq, p.id, p.script_id, p.version, p.sha256, p.decision,
    p.reason, p.actor, p.created_at, p.expires_at,
    (select jsonb_agg(jsonb_build_object('kind', i.kind, 'name', i.name, 'references', i."references",
        'complete', i.complete) order by i.kind, i.name)
      from approval_items i where i.approval_id = p.id) as items
  from approvals p`;

interface ApprovalRow {
  seq: number;
  id: string;
  script_id: string;
  version: number;
  sha256: string;
  decision: ApprovalDecision;
  reason: string;
  actor: string;
  created_at: Date;
  expires_at: Date | null;
  items: AskedItem[];
}

function toApproval(row: ApprovalRow): Approval {
  return {
    approvalId: row.id,
    scriptId: row.script_id,
    version: row.version,
    sha256: row.sha256,
    decision: row.decision,
    items: row.items,
    reason: row.reason,
    actor: row.actor,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
  };
}
