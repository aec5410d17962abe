import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";
import { type HistoricPolicy, policyHistory } from "./policy-history.js";

/** A retention policy that is or was in force. */
export type RetentionPolicyRow = HistoricPolicy;

const history = policyHistory("retention_policies");

/** Where there never was one, everything is kept. */
export const {
  readId: readRetentionPolicyId,
  readInForce: readRetentionPolicyInForce,
  read: readRetentionPolicy,
  list: listRetentionPolicies,
} = history;

/** Keeps putting a retention policy in force apart from acting on one. */
const LOCK = 1936487796;

/** The id of the policy in force, which stays so until the transaction ends; 0 where there is none. */
export async function holdRetentionPolicy(tx: Queryable): Promise<number> {
  await tx.query(`select pg_advisory_xact_lock_shared(${LOCK})`);
  return history.readId(tx);
}

/**
 * Puts a retention policy in force, unless `isWanted` says no to what is in force at that moment. A pause, and what was confirmed
 * under the policy before, end.
 *
 * @param isWanted - asked while nobody else can put one in force
 */
export async function activateRetentionPolicy(
  catalog: Catalog,
  policy: Omit<HistoricPolicy, "id" | "activatedAt">,
  isWanted: (current: HistoricPolicy | undefined) => boolean,
): Promise<{ readonly activated: boolean; readonly policy: HistoricPolicy | undefined }> {
  return catalog.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(${LOCK})`);
    const current = await history.readInForce(tx);
    if (!isWanted(current)) return { activated: false, policy: current };
    await history.add(tx, policy);
    const activated = await history.readInForce(tx);
    await tx.query(
      `insert into retention_state (seen_at) values (clock_timestamp())
       on conflict (only_row) do update set confirmation = null,
         seen_at = coalesce(retention_state.seen_at, excluded.seen_at),
         pause = case when retention_state.pause->>'reason' = 'clock' then retention_state.pause end`,
    );
    const { name, version, activatedBy: actor } = policy;
    const details = { policy_id: activated?.id, policy: name, policy_version: version };
    await recordAudit(tx, [{ actor, action: "retention_policy.activated", details }]);
    return { activated: true, policy: activated };
  });
}
