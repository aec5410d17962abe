import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";

/** A policy that is or was in force. */
export interface StoredPolicy {
  /** Grows with each policy that comes into force. */
  readonly id: number;
  readonly name: string;
  /** Of the document as a whole. */
  readonly version: string;
  /** As it was written. */
  readonly source: string;
  readonly activatedBy: string;
  readonly activatedAt: Date;
  /** How many versions have been judged by it that another had judged before, and how many of them changed state. */
  readonly judged: number;
  readonly changed: number;
  /** Since when all that is stored stands by it. */
  readonly appliedAt: Date | undefined;
}

/** A policy to put in force. */
export interface NewPolicy {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly activatedBy: string;
  /** What it comes to in namespaces, by the versions of that. */
  readonly effective: ReadonlyMap<string, object>;
}

/** The id of the policy in force; 0 where there was never one. */
export async function readPolicyId(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ id: number }>({
    name: "read_policy_id",
    text: "select coalesce(max(id), 0) as id from policies",
  });
  return rows[0]?.id ?? 0;
}

/** @returns `undefined` where there was never a policy */
export async function readPolicyInForce(db: Queryable): Promise<StoredPolicy | undefined> {
  const { rows } = await db.query<PolicyRow>(`${SELECT_POLICY} order by id desc limit 1`);
  return rows[0] && toPolicy(rows[0]);
}

/** @returns `undefined` where there never was one with that id */
export async function readStoredPolicy(
  db: Queryable,
  id: number,
): Promise<StoredPolicy | undefined> {
  const { rows } = await db.query<PolicyRow>(`${SELECT_POLICY} where id = $1`, [id]);
  return rows[0] && toPolicy(rows[0]);
}

/** Those that were ever in force, the latest first. */
export async function listPolicies(
  db: Queryable,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<{ items: readonly StoredPolicy[]; next: number | undefined }> {
  const { rows } = await db.query<PolicyRow>(
    `${SELECT_POLICY} where $1::integer is null or id < $1 order by id desc limit $2`,
    [before ?? null, limit + 1],
  );
  const items = rows.slice(0, limit).map(toPolicy);
  return { items, next: rows.length > limit ? items.at(-1)?.id : undefined };
}

/** A policy as a version of it identifies it in namespaces; `undefined` where none has that version. */
export async function readEffectivePolicy(
  db: Queryable,
  version: string,
): Promise<object | undefined> {
  const { rows } = await db.query<{ policy: object }>(
    "select policy from effective_policies where version = $1",
    [version],
  );
  return rows[0]?.policy;
}

/**
 * Puts a policy in force, unless `isWanted` says no to what is in force at that moment. Whatever is settled after that is settled
 * for this policy; nothing that is under way is waited for.
 *
 * @param isWanted - asked while nobody else can put one in force
 * @returns the policy in force, and whether it is the new one
 */
export async function activatePolicy(
  catalog: Catalog,
  policy: NewPolicy,
  isWanted: (current: StoredPolicy | undefined, wasInForce: boolean) => boolean,
): Promise<{ readonly activated: boolean; readonly policy: StoredPolicy | undefined }> {
  return catalog.transaction(async (tx) => {
    // Kept apart from hold_policy().
    await tx.query("select pg_advisory_xact_lock(1936487798)");
    const current = await readPolicyInForce(tx);
    const known = await tx.query("select from policies where version = $1 limit 1", [
      policy.version,
    ]);
    if (!isWanted(current, known.rowCount !== 0)) return { activated: false, policy: current };
    await tx.query(
      `insert into effective_policies (version, policy) select * from unnest($1::text[], $2::json[])
       on conflict (version) do nothing`,
      [
        [...policy.effective.keys()],
        [...policy.effective.values()].map((content) => JSON.stringify(content)),
      ],
    );
    const { name, version, source, activatedBy } = policy;
    await tx.query(
      "insert into policies (name, version, source, activated_by) values ($1, $2, $3, $4)",
      [name, version, source, activatedBy],
    );
    const activated = await readPolicyInForce(tx);
    const details = { policy_id: activated?.id, policy: name, policy_version: version };
    await recordAudit(tx, [{ actor: activatedBy, action: "policy.activated", details }]);
    return { activated: true, policy: activated };
  });
}

/** How much still stands by older policies than the one in force. */
export async function countOutdated(
  db: Queryable,
  policyId: number,
): Promise<{ readonly judged: number; readonly underWay: number }> {
  const { rows } = await db.query<{ judged: number; under_way: number }>(
    `select (select count(*)::int from versions where policy_id < $1
         and state in ('ready', 'needs_approval', 'rejected')) as judged,
       (select count(*)::int from versions where policy_id < $1
         and state = 'processing' and policy_version is not null) as under_way`,
    [policyId],
  );
  return { judged: rows[0]?.judged ?? 0, underWay: rows[0]?.under_way ?? 0 };
}

const SELECT_POLICY = `select id, name, version, source, activated_by, activated_at, judged, changed, applied_at
  from policies`;

interface PolicyRow {
  id: number;
  name: string;
  version: string;
  source: string;
  activated_by: string;
  activated_at: Date;
  judged: number;
  changed: number;
  applied_at: Date | null;
}

function toPolicy(row: PolicyRow): StoredPolicy {
  return {
    id: row.id,
    name: row.name,
    version: row.version,
    source: row.source,
    activatedBy: row.activated_by,
    activatedAt: row.activated_at,
    judged: row.judged,
    changed: row.changed,
    appliedAt: row.applied_at ?? undefined,
  };
}
