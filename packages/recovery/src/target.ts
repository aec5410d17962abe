import type { Queryable } from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import { quoted, readTables } from "./tables.js";

/** The target is not one that can be restored into; the message says why. */
export class RestoreRefusedError extends Error {
  override readonly name = "RestoreRefusedError";
}

/**
 * @param objects - not looked at where it is not said
 * @param migrations - those of the export
 * @throws {@link RestoreRefusedError} that names what is there
 */
export async function assertEmpty(
  db: Queryable,
  objects: ObjectStore | undefined,
  migrations: readonly string[],
): Promise<void> {
  const tables: string[] = [];
  for (const { name } of await readTables(db)) {
    const { rows } = await db.query<{ count: number }>(
      `select count(*)::int as count from (select from ${quoted(name)} limit 1000) few`,
    );
    const count = rows[0]?.count ?? 0;
    if (count > 0) tables.push(`${count === 1000 ? "at least 1000" : count} rows in ${name}`);
  }
  const found = summary(tables);
  if (objects !== undefined) {
    for await (const { key } of objects.list("")) {
      found.push(`objects in ${objects.description}, such as ${key}`);
      if (tables.length === 0)
        found.push("where only the catalog is lost, --keep-objects leaves them as they are");
      break;
    }
  }
  if (found.length > 0)
    throw new RestoreRefusedError(
      `the target is not empty, and nothing is overwritten: ${found.join("; ")}`,
    );
  const { rows } = await db.query<{ exists: boolean }>(
    "select to_regclass('migrations') is not null as exists",
  );
  if (rows[0]?.exists !== true) return;
  const applied = await db.query<{ name: string }>("select name::text from migrations order by id");
  const newer = applied.rows.find(({ name }, index) => migrations[index] !== name);
  if (newer !== undefined)
    throw new RestoreRefusedError(
      `the target's tables are of another version than the export: they have the migration ${newer.name}; give it an empty database`,
    );
}

const NAMED = 3;

/** The first few tables, what people know them by before the others. */
function summary(tables: readonly string[]): string[] {
  const known = / (?:scripts|versions|blobs)$/;
  const sorted = tables.toSorted((a, b) => Number(known.test(b)) - Number(known.test(a)));
  const more = sorted.length - NAMED;
  return [...sorted.slice(0, NAMED), ...(more > 0 ? [`and rows in ${more} more tables`] : [])];
}

/** @throws {@link RestoreRefusedError} where a Sluice runs on the catalog */
export async function assertUnused(db: Queryable): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `select distinct application_name as name from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()
       and (application_name ~ '^sluice' or application_name = 'ingest') order by 1`,
  );
  if (rows.length > 0)
    throw new RestoreRefusedError(
      `Sluice runs on this catalog (${rows.map(({ name }) => name).join(", ")}): stop it first`,
    );
}
