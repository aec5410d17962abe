import { randomBytes } from "node:crypto";
import { openSession, type Queryable, type Session } from "@sluice/catalog";
import {
  exportIndexKey,
  type ObjectStore,
  REGISTERS,
  StoreUnavailableError,
} from "@sluice/object-store";
import type { BackupKey } from "./backup-key.js";
import { changedRows, deletedKeys, followDeletions, forgetDeletions } from "./changes.js";
import {
  DamagedExportError,
  type ExportIndex,
  listExports,
  readIndex,
  type Segment,
  type StoredIndex,
  writeIndex,
} from "./export-index.js";
import { pruneExports } from "./prune.js";
import { REGISTER_TABLES, RegisterWriter } from "./register.js";
import { writeSegment } from "./segments.js";
import { type ExportedTable, readTables } from "./tables.js";
import { copyUnderWay, tidyEarlyCopies } from "./under-way.js";

export interface ExportDeps {
  readonly catalogUrl: string;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
  /** The first one encrypts; the others may have encrypted what there is. */
  readonly keys: readonly BackupKey[];
  /** Stops it between two objects; what was written then belongs to no export. */
  readonly signal: AbortSignal;
  /** How long exports are kept, in milliseconds. */
  readonly keepMs: number;
}

/** What a run has come to. */
export type ExportOutcome =
  | {
      readonly kind: "exported";
      readonly index: ExportIndex;
      /** Why the object store has no register of it. */
      readonly unregistered: Error | undefined;
    }
  /** Nothing has changed since the newest export. */
  | { readonly kind: "unchanged" }
  /** Another process is exporting this catalog. */
  | { readonly kind: "busy" };

/** One key for all databases: only one exporter runs on each. */
export const EXPORT_LOCK = 1936487799;
/** A new base is due where the increments are as large as the base, and at least so many bytes ... */
const SMALLEST_CHAIN_SIZE = 16 * 1024 * 1024;
/** ... or so many. */
const LONGEST_CHAIN = 1_440;
/** Transaction numbers are compared in a circle of 2^32; long before half of it everything is exported anew. */
const OLDEST_XMIN = 2n ** 30n;

/**
 * Writes what has changed in the catalog since the newest export to the backup store, or all of it where there is none to go on
 * from. It is the state of one moment: all tables are read in one snapshot. The bytes of everything in it are in the backup store
 * before the index is, and the index comes last: an export that did not come to its end does not exist.
 *
 * @throws where a store or the catalog fails; the newest export stays what it was
 */
export async function exportCatalog(deps: ExportDeps): Promise<ExportOutcome> {
  const session = await openSession(deps.catalogUrl, "sluice-export");
  const aside = await openSession(deps.catalogUrl, "sluice-export");
  try {
    const { rows } = await session.query<{ locked: boolean }>(
      "select pg_try_advisory_lock($1) as locked",
      [EXPORT_LOCK],
    );
    if (rows[0]?.locked !== true) return { kind: "busy" };
    return await exportLocked(session, aside, deps);
  } finally {
    await session.close();
    await aside.close();
  }
}

async function exportLocked(
  session: Session,
  aside: Session,
  deps: ExportDeps,
): Promise<ExportOutcome> {
  await tidyEarlyCopies(session, deps);
  // Most of it before the snapshot, which should be held for as short as it can.
  await copyUnderWay(session, aside, deps);
  const tables = await readTables(session);
  const allFollowed = await followDeletions(session, tables);
  const newest = await findNewest(session, deps);

  await session.query("begin isolation level repeatable read");
  const snapshot = await readSnapshot(session);
  const missing = await copyUnderWay(session, aside, deps);
  const parent =
    newest.usable !== undefined && allFollowed
      ? goesOn(newest.usable, snapshot, tables, deps.keys[0])
      : undefined;
  const number = (parent === undefined ? await highestNumber(newest, deps) : newest.number) + 1;
  const id = `${String(number).padStart(10, "0")}-${randomBytes(4).toString("hex")}`;
  const target = { store: deps.backup, exportId: id, key: deps.keys[0] };
  const since = parent?.index.catalog.xmin;
  const segments: Segment[] = [];
  const own: Sink = {
    write: async (part, lines) => void segments.push(await writeSegment(target, part, lines)),
  };
  const register = await RegisterWriter.open(deps.objects, id, parent?.index);
  for (const table of tables) {
    const isRegistered = REGISTER_TABLES.has(table.name);
    const isShared = isRegistered && (!register.isBase || since === undefined);
    await exportTable(session, table, since, isShared ? [own, register] : [own], deps.signal);
    if (isRegistered && !isShared)
      await exportTable(session, table, undefined, [register], deps.signal);
  }
  const sequences = await readSequences(session, tables);
  await session.query("commit");
  deps.signal.throwIfAborted();
  if (parent !== undefined && segments.length === 0) {
    // There may have been no room for the one before.
    if (register.isBase) await register.finish(parent.index);
    return { kind: "unchanged" };
  }

  const size = segments.reduce((sum, segment) => sum + segment.size, 0);
  const index: ExportIndex = {
    format: "sluice.export/1",
    id,
    number,
    kind: parent === undefined ? "base" : "increment",
    parent: parent === undefined ? null : { id: parent.index.id, sha256: parent.sha256 },
    base: parent?.index.base ?? id,
    created_at: snapshot.at.toISOString(),
    catalog: { identity: snapshot.identity, xmin: snapshot.xmin },
    migrations: snapshot.migrations,
    tables: tables.map(({ name, key, columns }) => ({
      name,
      key: [...key],
      columns: columns.map((column) => column.name),
    })),
    segments,
    sequences,
    key_id: deps.keys[0]?.id ?? null,
    missing,
    chain:
      parent === undefined
        ? { length: 0, base_size: size, increments_size: 0 }
        : {
            length: parent.index.chain.length + 1,
            base_size: parent.index.chain.base_size,
            increments_size: parent.index.chain.increments_size + size,
          },
  };
  await deps.backup.put(exportIndexKey(id), writeIndex(index).bytes);
  await session.query(
    `insert into export_state (export_id) values ($1)
     on conflict (only_row) do update set export_id = excluded.export_id, exported_at = clock_timestamp()`,
    [id],
  );
  await forgetDeletions(session, snapshot.xmin);
  if (index.kind === "base") await pruneExports(deps.backup, index, deps.keepMs);
  await register.finish(index);
  return { kind: "exported", index, unregistered: register.failure };
}

/** The highest number there is, and the export that can be gone on from: this catalog's own newest, undamaged. */
async function findNewest(
  db: Queryable,
  { backup }: ExportDeps,
): Promise<{ number: number; usable: StoredIndex | undefined }> {
  const id = (await listExports(backup)).at(-1);
  if (id === undefined) return { number: 0, usable: undefined };
  const number = Number(id.slice(0, 10));
  const { rows } = await db.query<{ export_id: string }>("select export_id from export_state");
  // What another database has exported, or this one before it was restored, is not gone on from.
  if (rows[0]?.export_id !== id) return { number, usable: undefined };
  try {
    return { number, usable: await readIndex(backup, id) };
  } catch (error) {
    if (error instanceof DamagedExportError) return { number, usable: undefined };
    throw error;
  }
}

interface Snapshot {
  readonly identity: string;
  readonly xmin: string;
  readonly at: Date;
  readonly migrations: string[];
}

async function readSnapshot(db: Queryable): Promise<Snapshot> {
  const { rows } = await db.query<Snapshot>(
    `select (select oid::text from pg_database where datname = current_database())
         || '/' || (select system_identifier from pg_control_system())
         || '/' || (select timeline_id from pg_control_checkpoint()) as identity,
       pg_snapshot_xmin(pg_current_snapshot())::text as xmin, clock_timestamp() as at,
       array(select name::text from migrations order by id) as migrations`,
  );
  return rows[0] as Snapshot;
}

/** The export that this one goes on from; `undefined` where it must be a base. */
function goesOn(
  newest: StoredIndex,
  snapshot: Snapshot,
  tables: readonly ExportedTable[],
  key: BackupKey | undefined,
): StoredIndex | undefined {
  const { catalog, chain, migrations, key_id, tables: before } = newest.index;
  const age = BigInt(snapshot.xmin) - BigInt(catalog.xmin);
  const shape = (all: readonly { name: string }[]): string => all.map(({ name }) => name).join();
  const isDue =
    chain.length >= LONGEST_CHAIN ||
    chain.increments_size >= Math.max(chain.base_size, SMALLEST_CHAIN_SIZE);
  return isDue ||
    catalog.identity !== snapshot.identity ||
    age < 0n ||
    age > OLDEST_XMIN ||
    migrations.join() !== snapshot.migrations.join() ||
    shape(before) !== shape(tables) ||
    key_id !== (key?.id ?? null)
    ? undefined
    : newest;
}

/** Where lines go to. */
interface Sink {
  write(
    part: { table: string; kind: Segment["kind"]; part: number },
    lines: readonly string[],
  ): Promise<void>;
}

async function exportTable(
  db: Queryable,
  table: ExportedTable,
  since: string | undefined,
  sinks: readonly Sink[],
  signal: AbortSignal,
): Promise<void> {
  const write = async (
    kind: Segment["kind"],
    batches: AsyncIterable<readonly string[]>,
  ): Promise<void> => {
    let part = 1;
    for await (const lines of batches) {
      signal.throwIfAborted();
      for (const sink of sinks) await sink.write({ table: table.name, kind, part }, lines);
      part++;
    }
  };
  if (since !== undefined) await write("deletions", deletedKeys(db, table, since));
  await write("rows", changedRows(db, table, since));
}

/** Also of registers: those that a lost backup store's exports have left behind must not seem to be newer. */
async function highestNumber(
  { number }: { number: number },
  { objects }: ExportDeps,
): Promise<number> {
  const registers = await listExports(objects, REGISTERS).catch((error: unknown) => {
    if (error instanceof StoreUnavailableError) return [];
    throw error;
  });
  return Math.max(number, Number(registers.at(-1)?.slice(0, 10) ?? 0));
}

async function readSequences(
  db: Queryable,
  tables: readonly ExportedTable[],
): Promise<ExportIndex["sequences"]> {
  const { rows } = await db.query<{ table: string; column: string; value: string }>(
    `select c.relname as table, a.attname as column, s.last_value::text as value
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       join pg_sequences s on format('%I.%I', s.schemaname, s.sequencename)::regclass
         = pg_get_serial_sequence(format('%I.%I', c.relnamespace::regnamespace, c.relname), a.attname)::regclass
     where c.relnamespace = current_schema()::regnamespace and c.relname = any($1::text[])
       and s.last_value is not null order by 1, 2`,
    [tables.map(({ name }) => name)],
  );
  return rows;
}
