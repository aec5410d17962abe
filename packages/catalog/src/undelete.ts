import pg from "pg";
import { recordAudit } from "./audit.js";
import type { Catalog } from "./catalog.js";
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
  | { readonly kind: "not_found" };

/**
 * Brings a deleted script back with all its versions. What is in force by now judges them again: a policy that came while the script
 * was away has passed it by.
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
      const { rows } = await tx.query<{
        namespace: string;
        filename: string;
        deleted_at: Date | null;
      }>("select namespace, filename, deleted_at from scripts where id = $1 for update", [
        scriptId,
      ]);
      const script = rows[0];
      if (script === undefined) return { kind: "not_found" };
      if (script.deleted_at === null) return { kind: "not_deleted" };
      const name = filename ?? script.filename;
      const holders = await tx.query<{ id: string }>(
        "select id from scripts where namespace = $1 and filename = $2 and deleted_at is null",
        [script.namespace, name],
      );
      if (holders.rows[0] !== undefined)
        return { kind: "name_taken", scriptId: holders.rows[0].id, filename: name };
      await tx.query("update scripts set deleted_at = null, filename = $2 where id = $1", [
        scriptId,
        name,
      ]);
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
