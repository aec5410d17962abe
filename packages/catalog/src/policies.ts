import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";
import { type HistoricPolicy, policyHistory } from "./policy-history.js";

/** A policy that is or was in force, and how far it has come. */
export interface StoredPolicy extends HistoricPolicy {
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

interface ProgressRow {
  judged: number;
  changed: number;
  applied_at: Date | null;
}

const history = policyHistory<ProgressRow, Omit<StoredPolicy, keyof HistoricPolicy>>("policies", {
  columns: ["judged", "changed", "applied_at"],
  read: ({ judged, changed, applied_at: appliedAt }) => ({
    judged,
    changed,
    appliedAt: appliedAt ?? undefined,
  }),
});

export const {
  readId: readPolicyId,
  readInForce: readPolicyInForce,
  read: readStoredPolicy,
  list: listPolicies,
} = history;

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
    const { name, version, activatedBy } = policy;
    await history.add(tx, policy);
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
