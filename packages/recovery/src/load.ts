import type { Queryable } from "@sluice/catalog";
import { type ExportedTable, quoted } from "./tables.js";

/**
 * Writes a segment's rows. Those that are there already, from an older export or an earlier run, are replaced.
 *
 * @param columns - those that the export has; what the table has beside them gets its default
 * @param keep - leaves what is there already as it is
 */
export async function loadRows(
  db: Queryable,
  table: ExportedTable,
  columns: readonly string[],
  lines: readonly string[],
  { keep = false }: { keep?: boolean } = {},
): Promise<void> {
  const typeOf = new Map(table.columns.map(({ name, type }) => [name, type]));
  const all = columns.map(quoted);
  const declared = all.map((name) => `${name} text`).join(", ");
  const values = columns.map((name) => `r.${quoted(name)}::${typeOf.get(name)}`).join(", ");
  const fixed = new Set(table.columns.filter((column) => column.fixed).map(({ name }) => name));
  const others = columns
    .filter((name) => !table.key.includes(name) && !fixed.has(name))
    .map(quoted);
  const replaced =
    keep || others.length === 0
      ? "nothing"
      : `update set ${others.map((name) => `${name} = excluded.${name}`).join(", ")}`;
  await db.query(
    `insert into ${quoted(table.name)} (${all.join(", ")}) overriding system value
     select ${values} from json_to_recordset($1::json) as r (${declared})
     on conflict (${table.key.map(quoted).join(", ")}) do ${replaced}`,
    [`[${lines.join(",")}]`],
  );
}

/** Deletes the rows that a segment of deletions names. */
export async function loadDeletions(
  db: Queryable,
  table: ExportedTable,
  lines: readonly string[],
): Promise<void> {
  const typeOf = new Map(table.columns.map(({ name, type }) => [name, type]));
  const same = table.key.map(
    (name, index) => `t.${quoted(name)} = (gone.key->>${index})::${typeOf.get(name)}`,
  );
  await db.query(
    `delete from ${quoted(table.name)} t using json_array_elements($1::json) as gone (key)
     where ${same.join(" and ")}`,
    [`[${lines.join(",")}]`],
  );
}
