import type { Queryable } from "@sluice/catalog";
import { type ExportedTable, quoted } from "./tables.js";

/** A segment has about so many characters before it is packed. */
const SEGMENT_SIZE = 8 * 1024 * 1024;
/** Rows that are fetched at once; the largest there are come to some megabytes each. */
const FETCH = 200;

/**
 * Rows as lines of JSON: an object of every column's value as PostgreSQL writes it as text, or null. Text loses nothing, where JSON
 * would: json columns may hold what no JSON reader takes (NUL, lone surrogates), times have microseconds.
 *
 * @param since - only those that transactions from that number on have written; all where it is not said
 */
export async function* changedRows(
  db: Queryable,
  { name, columns }: ExportedTable,
  since: string | undefined,
): AsyncGenerator<string[]> {
  const values = columns.map((column) => `${quoted(column.name)}::text as ${quoted(column.name)}`);
  // xmin has 32 bits and is compared in a circle: age() counts back from now. What is frozen and very old may come twice.
  const condition = since === undefined ? "" : ` where age(xmin) <= age('${since}'::xid8::xid)`;
  await db.query(
    `declare changed no scroll cursor for
     select row_to_json(line)::text as line from (select ${values.join(", ")} from ${quoted(name)}${condition}) line`,
  );
  yield* fetchLines(db, "changed");
}

/** Keys of rows that are gone since, as lines of JSON: arrays of text. */
export async function* deletedKeys(
  db: Queryable,
  { name, key, columns }: ExportedTable,
  since: string,
): AsyncGenerator<string[]> {
  const typeOf = new Map(columns.map((column) => [column.name, column.type]));
  // A row of the same key may be there again, written by a transaction older than the one that deleted it.
  const same = key.map(
    (column, index) => `t.${quoted(column)} = d.key[${index + 1}]::${typeOf.get(column)}`,
  );
  await db.query(
    `declare deleted no scroll cursor for
     select distinct array_to_json(d.key)::text as line from deleted_rows d
     where d.table_name = '${name.replaceAll("'", "''")}' and d.xid >= '${since}'::xid8
       and not exists (select from ${quoted(name)} t where ${same.join(" and ")})`,
  );
  yield* fetchLines(db, "deleted");
}

async function* fetchLines(db: Queryable, cursor: string): AsyncGenerator<string[]> {
  let lines: string[] = [];
  let size = 0;
  for (;;) {
    const { rows } = await db.query<{ line: string }>(`fetch ${FETCH} from ${cursor}`);
    for (const { line } of rows) {
      lines.push(line);
      size += line.length;
    }
    if (size >= SEGMENT_SIZE) {
      yield lines;
      lines = [];
      size = 0;
    }
    if (rows.length < FETCH) break;
  }
  if (lines.length > 0) yield lines;
  await db.query(`close ${cursor}`);
}

const TRIGGER = "record_deletions";

/**
 * Lets deletions from every exported table be recorded from now on.
 *
 * @returns whether they were already, of every table
 */
export async function followDeletions(
  db: Queryable,
  tables: readonly ExportedTable[],
): Promise<boolean> {
  const { rows } = await db.query<{ name: string }>(
    `select c.relname as name from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where t.tgname = $1 and c.relnamespace = current_schema()::regnamespace and t.tgenabled = 'O'`,
    [TRIGGER],
  );
  const followed = new Set(rows.map(({ name }) => name));
  const others = tables.filter(({ name }) => !followed.has(name));
  for (const { name, key } of others) {
    const columns = key.map((column) => `'${column.replaceAll("'", "''")}'`).join(", ");
    await db.query(
      `create or replace trigger ${TRIGGER} after delete on ${quoted(name)} referencing old table as gone
       for each statement execute function record_deletions(${columns})`,
    );
  }
  return others.length === 0;
}

/** Forgets deletions that an export has: those of transactions that were over when it was made. */
export async function forgetDeletions(db: Queryable, xmin: string): Promise<void> {
  await db.query("delete from deleted_rows where xid < $1::xid8", [xmin]);
}
