import type { Queryable } from "@sluice/catalog";

/** Tables that no export has, each with the reason. Every other table of the catalog is exported. */
export const DERIVED_TABLES: ReadonlyMap<string, string> = new Map([
  ["migrations", "the export names them, and a restore runs them"],
  ["deleted_rows", "what the exports themselves need to be incremental"],
  ["export_state", "tells which export of this very database is the newest"],
  ["damaged_blobs", "what the scrub has found in this very store; it finds it again"],
  ["unknown_objects", "what the scrub has found lying in these very stores; it finds it again"],
  ["scrub_passes", "how far the scrub has come in this very store"],
  ["maintenance_tasks", "leases and cursors of a running janitor; each task begins a new round"],
  ["archive_queue", "a round of the retention policy fills it again"],
  [
    "storage_states",
    "how much room the stores of this very installation have; looked at every few seconds",
  ],
  ["watch_directories", "leases and states of running watchers, which make them again"],
  ["watch_files", "a watcher reads its folders again; what a script has already makes no version"],
  ["statistics", "counted again from the rows that come back"],
  ["statistic_changes", "counted again from the rows that come back"],
  ["webhook_endpoints", "whom the settings of a running janitor name; it writes them again"],
  [
    "webhook_messages",
    "what they are still to be told of; after a restore that is what happens from then on",
  ],
  ["search_documents", "the search index is made again from the blobs"],
  ["search_scripts", "the search index is made again from the blobs"],
  ["search_queue", "the janitor queues again whatever the index lacks"],
]);

/** Exported tables that name scripts, versions or hashes and whose rows do not come back with one script, each with the reason. */
export const NOT_OF_ONE_SCRIPT: ReadonlyMap<string, string> = new Map([
  ["trash", "a script that comes back is in no trash"],
  [
    "unreferenced_blobs",
    "what is to go with purged rows; what comes back refers to its bytes again",
  ],
  ["audit_log", "outlives what it tells of"],
  ["events", "outlives what it tells of"],
  ["bulk_change_targets", "of a change of many scripts"],
  ["bulk_change_failures", "of a change of many scripts"],
]);

/** A table as it is exported. */
export interface ExportedTable {
  readonly name: string;
  /** Columns of the primary key, in its order. */
  readonly key: readonly string[];
  /** All but those that PostgreSQL computes. A fixed one is given once, by a sequence, and never changes. */
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly fixed: boolean;
  }[];
}

/** A table can be exported only by a primary key. */
class NoPrimaryKeyError extends Error {
  override readonly name = "NoPrimaryKeyError";
  constructor(table: string) {
    super(
      `the table ${table} has no primary key, and is not named as derived: it cannot be exported`,
    );
  }
}

/** Every table of the catalog's schema that is exported, those that others refer to first. */
export async function readTables(db: Queryable): Promise<ExportedTable[]> {
  const { rows } = await db.query<{
    name: string;
    key: string[] | null;
    columns: { name: string; type: string; fixed: boolean }[];
  }>(
    `select c.relname as name,
       (select json_agg(a.attname order by k.position) from pg_index i
          cross join unnest(i.indkey) with ordinality k (attnum, position)
          join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        where i.indrelid = c.oid and i.indisprimary) as key,
       (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
           'fixed', a.attidentity = 'a')
          order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
     from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
     order by c.relname`,
  );
  return rows
    .filter(({ name }) => !DERIVED_TABLES.has(name))
    .map(({ name, key, columns }) => {
      if (key === null) throw new NoPrimaryKeyError(name);
      return { name, key, columns };
    });
}

/** As it is written in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
