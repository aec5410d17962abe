import pg from "pg";
import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";
import { queueRenamed } from "./search-index.js";
import { lockDecisions } from "./states.js";

export type Undeletion =
  | { readonly kind: "undeleted"; readonly filename: string }
  /** It is there already; nothing was changed. */
  | { readonly kind: "not_deleted" }
  /** Another script has taken the name since. */
  | {
      readonly kind: "name_taken";
      readonly scriptId: string | undefined;
      readonly filename: string;
    }
  /** It was in the trash for as long as it was to be, and is gone, or about to go. */
  | { readonly kind: "purged" }
  | { readonly kind: "not_found" };

/**
 * Brings a deleted script back with all its versions but those that were deleted before it. What is in force by now judges them
 * again: a policy that came while the script was away has passed it by.
 *
 * @param filename - the name that it comes back under; the one it had where absent
 */
export async function undeleteScript(
  catalog: Catalog,
  { scriptId, actor, filename }: { scriptId: string; actor: string; filename?: string | undefined },
): Promise<Undeletion> {
  try {
    return await catalog.transaction<Undeletion>(async (tx) => {
      await lockDecisions(tx, [scriptId]);
      const script = await lockScript(tx, scriptId);
      if (script === undefined)
        return { kind: (await wasPurged(tx, { scriptId })) ? "purged" : "not_found" };
      if (script.deleted_at === null) return { kind: "not_deleted" };
      const name = filename ?? script.filename;
      const holders = await tx.query<{ id: string }>(
        "select id from scripts where namespace = $1 and filename = $2 and deleted_at is null",
        [script.namespace, name],
      );
      if (holders.rows[0] !== undefined)
        return { kind: "name_taken", scriptId: holders.rows[0].id, filename: name };
      if (!(await takeOutOfTrash(tx, scriptId))) return { kind: "purged" };
      await tx.query("update scripts set deleted_at = null, filename = $2 where id = $1", [
        scriptId,
        name,
      ]);
      if (name !== script.filename) await queueRenamed(tx, scriptId);
      await tx.query(
        `update versions set policy_id = 0
         where script_id = $1 and state in ('ready', 'needs_approval', 'rejected')`,
        [scriptId],
      );
      await recordAudit(tx, [
        {
          actor,
          action: "script.undeleted",
          scriptId,
          details: { namespace: script.namespace, filename: name, was_named: script.filename },
        },
      ]);
      return { kind: "undeleted", filename: name };
    });
  } catch (error) {
    // Somebody took the name between the look and the commit.
    if (error instanceof pg.DatabaseError && error.constraint === "scripts_name")
      return { kind: "name_taken", scriptId: undefined, filename: filename ?? "" };
    throw error;
  }
}

/**
 * Brings a deleted version back, as {@link undeleteScript} does a script.
 *
 * @returns `script_not_found` where its script is not there, or in the trash itself
 */
export async function undeleteVersion(
  catalog: Catalog,
  { scriptId, version, actor }: { scriptId: string; version: number; actor: string },
): Promise<"undeleted" | "not_deleted" | "purged" | "not_found" | "script_not_found"> {
  return catalog.transaction(async (tx) => {
    await lockDecisions(tx, [scriptId]);
    const script = await lockScript(tx, scriptId);
    if (script === undefined || script.deleted_at !== null) return "script_not_found";
    const { rows } = await tx.query<{ id: string; sha256: string; deleted_at: Date | null }>(
      "select id, sha256, deleted_at from versions where script_id = $1 and number = $2",
      [scriptId, version],
    );
    const row = rows[0];
    if (row === undefined)
      return (await wasPurged(tx, { scriptId, version })) ? "purged" : "not_found";
    if (row.deleted_at === null) return "not_deleted";
    if (!(await takeOutOfTrash(tx, row.id))) return "purged";
    await tx.query("update versions set deleted_at = null, policy_id = 0 where id = $1", [row.id]);
    const { sha256 } = row;
    await recordAudit(tx, [{ actor, action: "version.undeleted", scriptId, version, sha256 }]);
    return "undeleted";
  });
}

/** Whether a script, or that version of it, was purged, as far as the audit log knows. */
export async function wasPurged(
  db: Queryable,
  { scriptId, version }: { scriptId: string; version?: number | undefined },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from audit_log where script_id = $1 and action = $2 and ($3::integer is null or version = $3) limit 1`,
    [scriptId, version === undefined ? "script.purged" : "version.purged", version ?? null],
  );
  return rowCount === 1;
}

async function lockScript(tx: Queryable, scriptId: string) {
  const { rows } = await tx.query<{
    namespace: string;
    filename: string;
    deleted_at: Date | null;
  }>("select namespace, filename, deleted_at from scripts where id = $1 for update", [scriptId]);
  return rows[0];
}

/** @returns `false` where purging it has begun */
async function takeOutOfTrash(tx: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await tx.query("delete from trash where id = $1 and purged = 0", [id]);
  return rowCount === 1;
}
