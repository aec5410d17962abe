import type { VersionState } from "@sluice/pipeline";
import type { AuditEvent } from "./audit.js";
import type { Queryable } from "./catalog.js";

/**
 * Keeps decisions from being made on these scripts until the transaction ends. Whoever gives final
 * versions another verdict takes this first of all, before any row of theirs.
 */
export async function lockDecisions(tx: Queryable, scriptIds: readonly string[]): Promise<void> {
  await tx.query("select lock_decisions($1)", [scriptIds]);
}

/** A final version that has another state than before. */
export interface StateChange {
  readonly versionId: string;
  readonly scriptId: string;
  readonly version: number;
  readonly sha256: string;
  readonly from: VersionState;
  readonly to: VersionState;
}

/**
 * Gives final versions, whose state is that of their verdict, the state that people's decisions come
 * to. Every transaction that makes a version final, or changes a final one's verdict, ends with this.
 */
export async function decideStates(
  tx: Queryable,
  versionIds: readonly string[],
): Promise<StateChange[]> {
  if (versionIds.length === 0) return [];
  const { rows } = await tx.query<StateRow>(
    "select * from decide_states($1) order by script_id, version",
    [versionIds],
  );
  return rows.map((row) => ({
    versionId: row.version_id,
    scriptId: row.script_id,
    version: row.version,
    sha256: row.sha256,
    from: row.old_state,
    to: row.new_state,
  }));
}

interface StateRow {
  version_id: string;
  script_id: string;
  version: number;
  sha256: string;
  old_state: VersionState;
  new_state: VersionState;
}

/** A change as the audit log tells of it. */
export function toAudit(
  { scriptId, version, sha256, from, to }: StateChange,
  { actor, ...details }: { readonly actor: string; readonly [detail: string]: unknown },
): AuditEvent {
  return {
    actor,
    action: "version.state_changed",
    scriptId,
    version,
    sha256,
    details: { from, to, ...details },
  };
}
