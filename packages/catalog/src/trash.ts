import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";
import { heldScripts } from "./legal-holds.js";

/** Who deletes, and why, as the audit log is to have it. */
export interface Deletion {
  readonly actor: string;
  /** By what rule of which policy; absent where a person deletes. */
  readonly details?: (scriptId: string) => object;
}

/**
 * Puts scripts into the trash: they and their versions are seen no more, and their names are free. Those that are held, or not there,
 * are left out.
 *
 * @returns those that went there
 */
export async function moveToTrash(
  tx: Queryable,
  scriptIds: readonly string[],
  { actor, details = () => ({}) }: Deletion,
): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ id: string; namespace: string; filename: string }>(
    `select id, namespace, filename from scripts where id = any($1::uuid[]) and deleted_at is null
     order by id for update`,
    [scriptIds],
  );
  // A statement of its own, which sees what was committed while the locks were waited for.
  const held = await heldScripts(
    tx,
    rows.map(({ id }) => id),
  );
  const going = rows.filter(({ id }) => !held.has(id));
  await tx.query("update scripts set deleted_at = now() where id = any($1::uuid[])", [
    going.map(({ id }) => id),
  ]);
  await recordAudit(
    tx,
    going.map(({ id, namespace, filename }) => ({
      actor,
      action: "script.deleted" as const,
      scriptId: id,
      // What a purge leaves to tell of it.
      details: { namespace, filename, ...details(id) },
    })),
  );
  return new Set(going.map(({ id }) => id));
}

/** Deletes one script for a person. */
export async function deleteScript(
  catalog: Catalog,
  { scriptId, actor }: { scriptId: string; actor: string },
): Promise<"deleted" | "held" | "not_found"> {
  return catalog.transaction(async (tx) => {
    if ((await moveToTrash(tx, [scriptId], { actor })).has(scriptId)) return "deleted";
    const { rowCount } = await tx.query(
      "select from scripts where id = $1 and deleted_at is null",
      [scriptId],
    );
    return rowCount === 1 ? "held" : "not_found";
  });
}
