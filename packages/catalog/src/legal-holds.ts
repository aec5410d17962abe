import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";

/** A script that nothing and nobody may delete, for as long as this stands. */
export interface LegalHold {
  readonly reason: string;
  /** Who placed it. */
  readonly actor: string;
  readonly placedAt: Date;
}

interface HoldRow {
  reason: string;
  actor: string;
  placed_at: Date;
}

/** @returns `undefined` where the script is not held, or not there */
export async function readLegalHold(
  db: Queryable,
  scriptId: string,
): Promise<LegalHold | undefined> {
  const { rows } = await db.query<HoldRow>(
    "select reason, actor, placed_at from legal_holds where script_id = $1",
    [scriptId],
  );
  return rows[0] && toHold(rows[0]);
}

/**
 * Holds a script, in the trash or not. Placed again with another reason it is the same hold with that reason.
 *
 * @returns `undefined` where there is no such script
 */
export async function placeLegalHold(
  catalog: Catalog,
  { scriptId, reason, actor }: { scriptId: string; reason: string; actor: string },
): Promise<{ readonly hold: LegalHold; readonly placed: boolean } | undefined> {
  return catalog.transaction(async (tx) => {
    if (!(await lockScript(tx, scriptId))) return undefined;
    const before = await readLegalHold(tx, scriptId);
    if (before?.reason === reason) return { hold: before, placed: false };
    const { rows } = await tx.query<HoldRow>(
      `insert into legal_holds (script_id, reason, actor) values ($1, $2, $3)
       on conflict (script_id) do update set reason = excluded.reason, actor = excluded.actor
       returning reason, actor, placed_at`,
      [scriptId, reason, actor],
    );
    const details = { reason, ...(before && { before: before.reason }) };
    await recordAudit(tx, [{ actor, action: "legal_hold.placed", scriptId, details }]);
    return { hold: toHold(rows[0] as HoldRow), placed: before === undefined };
  });
}

/** @returns whether there was one to lift; `undefined` where there is no such script */
export async function liftLegalHold(
  catalog: Catalog,
  { scriptId, actor }: { scriptId: string; actor: string },
): Promise<boolean | undefined> {
  return catalog.transaction(async (tx) => {
    if (!(await lockScript(tx, scriptId))) return undefined;
    const { rows } = await tx.query<{ reason: string }>(
      "delete from legal_holds where script_id = $1 returning reason",
      [scriptId],
    );
    if (rows[0] === undefined) return false;
    const details = { reason: rows[0].reason };
    await recordAudit(tx, [{ actor, action: "legal_hold.lifted", scriptId, details }]);
    return true;
  });
}

/** Of these scripts, those that are held; to be asked with their rows locked by whoever deletes them. */
export async function heldScripts(
  tx: Queryable,
  scriptIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ script_id: string }>(
    "select script_id from legal_holds where script_id = any($1::uuid[])",
    [scriptIds],
  );
  return new Set(rows.map(({ script_id }) => script_id));
}

/** Keeps whoever deletes the script, or places and lifts a hold on it, apart from this. */
async function lockScript(tx: Queryable, scriptId: string): Promise<boolean> {
  const { rowCount } = await tx.query("select from scripts where id = $1 for no key update", [
    scriptId,
  ]);
  return rowCount === 1;
}

function toHold({ reason, actor, placed_at: placedAt }: HoldRow): LegalHold {
  return { reason, actor, placedAt };
}
