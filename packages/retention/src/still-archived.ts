import {
  type AuditEvent,
  type Queryable,
  readClock,
  readRetentionPolicyInForce,
  readRetentionState,
} from "@sluice/catalog";
import { RETENTION_ACTOR } from "./actions.js";
import { type ArchivedVersion, fatesOfBlobs } from "./blob-fates.js";
import { parseRetentionPolicy } from "./document.js";

/**
 * Decides once more, by the policy in force and on what is known now, which bytes go to the archive: between a round and the pack that
 * they go into somebody may have pinned or used a script, uploaded the same bytes, or put another policy in force.
 *
 * @returns of those that go, what the audit log is to have; `undefined` while the clean-up is paused
 */
export async function stillArchived(
  db: Queryable,
  sha256s: readonly string[],
): Promise<ReadonlyMap<string, readonly AuditEvent[]> | undefined> {
  if ((await readRetentionState(db)).pause !== undefined) return undefined;
  const stored = await readRetentionPolicyInForce(db);
  if (stored === undefined) return new Map();
  const policy = parseRetentionPolicy(stored.source);
  const now = (await readClock(db)).getTime();
  const fates = await fatesOfBlobs(db, { policy, scripts: [], sha256s, now });
  const toEntry =
    (sha256: string) =>
    ({ scriptId, number, rule }: ArchivedVersion): AuditEvent => ({
      actor: RETENTION_ACTOR,
      action: "version.archived",
      scriptId,
      version: number,
      sha256,
      details: { rule: rule.name, policy_id: stored.id, policy_version: policy.version },
    });
  return new Map(
    [...fates]
      .filter(([, { fate }]) => fate === "archived")
      .map(([sha256, { archivedBy }]) => [sha256, archivedBy.map(toEntry(sha256))]),
  );
}
