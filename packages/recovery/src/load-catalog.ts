/** A catalog made of an export: what restores have in common, wherever the export lies. */
import {
  migrateSome,
  migrationNames,
  openSession,
  type Queryable,
  type Session,
} from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import type { BackupKey } from "./backup-key.js";
import type { ExportIndex, Segment } from "./export-index.js";
import { loadDeletions, loadRows } from "./load.js";
import type { RestoreState } from "./restore-state.js";
import { readSegment, readSegmentBytes } from "./segments.js";
import { readTables } from "./tables.js";
import { assertEmpty, RestoreRefusedError } from "./target.js";

/** Told how far a restore is: of each phase, how much is done and how much there is. */
export type OnProgress = (phase: string, done: number, total: number) => void;

/** What the notes of a rebuild begin with, where those of a restore have the export's id. */
export const REBUILD = "rebuild:";

export interface LoadDeps {
  readonly catalogUrl: string;
  /** Where the export is read from. */
  readonly from: ObjectStore;
  readonly keys: readonly BackupKey[];
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Two restores into one database never run at once. */
const LOCK = 1936487800;

/** @throws {@link RestoreRefusedError} where another one runs */
export async function withTarget<T>(
  catalogUrl: string,
  work: (db: Session) => Promise<T>,
): Promise<T> {
  const db = await openSession(catalogUrl, "sluice-restore");
  try {
    const { rows } = await db.query<{ locked: boolean }>(
      "select pg_try_advisory_lock($1) as locked",
      [LOCK],
    );
    if (rows[0]?.locked !== true)
      throw new RestoreRefusedError("another restore into this catalog is running");
    return await work(db);
  } finally {
    await db.close();
  }
}

/**
 * Looks at everything that can be wrong before anything is written.
 *
 * @param objects - must be empty, where it is said
 */
export async function assertRestorable(
  db: Queryable,
  chain: readonly ExportIndex[],
  { from, keys, signal, onProgress }: LoadDeps,
  objects: ObjectStore | undefined,
): Promise<void> {
  const { id, migrations } = chain.at(-1) as ExportIndex;
  const known = await migrationNames();
  const unknown = migrations.find((name, index) => known[index] !== name);
  if (unknown !== undefined)
    throw new RestoreRefusedError(
      `the export ${id} was made by another version of Sluice: it has the migration ${unknown}, and this one has not`,
    );
  await assertEmpty(db, objects, migrations);
  const segments = segmentsOf(chain);
  for (const [index, { segment, keyId }] of segments.entries()) {
    signal.throwIfAborted();
    onProgress("checking the export", index + 1, segments.length);
    // The first tells whether the key is the right one; of the others the hash will do.
    if (index === 0) await readSegment(from, segment, { keyId, keys });
    else await readSegmentBytes(from, segment);
  }
}

function segmentsOf(chain: readonly ExportIndex[]): {
  segment: Segment;
  keyId: string | null;
  columns: readonly string[];
}[] {
  return chain.flatMap((index) => {
    const columnsOf = new Map(index.tables.map(({ name, columns }) => [name, columns]));
    const one = (kind: Segment["kind"]) =>
      index.segments.filter((segment) => segment.kind === kind);
    // A row that is gone may have come back under the same key.
    return [...one("deletions"), ...one("rows")].map((segment) => ({
      segment,
      keyId: index.key_id,
      columns: columnsOf.get(segment.table) ?? [],
    }));
  });
}

/** Makes the tables that the export is of, loads it and makes their indexes; goes on where it was stopped. */
export async function loadCatalog(
  db: Queryable,
  state: RestoreState,
  chain: readonly ExportIndex[],
  { catalogUrl, from, keys, signal, onProgress }: LoadDeps,
): Promise<void> {
  if ((await state.done("loaded")) !== undefined) return;
  const { migrations } = chain.at(-1) as ExportIndex;
  const { rows } = await db.query<{ exists: boolean }>(
    "select to_regclass('migrations') is not null as exists",
  );
  const applied = rows[0]?.exists
    ? ((await db.query<{ count: number }>("select count(*)::int as count from migrations")).rows[0]
        ?.count ?? 0)
    : 0;
  if (applied < migrations.length) await migrateSome(catalogUrl, migrations.length - applied);
  const tables = new Map((await readTables(db)).map((table) => [table.name, table]));
  await state.once("constraints taken off", () => state.defer([...tables.keys()]));
  const segments = segmentsOf(chain);
  const done = await state.allDone();
  for (const [index, { segment, keyId, columns }] of segments.entries()) {
    signal.throwIfAborted();
    onProgress("loading the catalog", index + 1, segments.length);
    if (done.has(segment.key)) continue;
    const table = tables.get(segment.table);
    // Since then it has become a derived one.
    if (table === undefined) continue;
    const lines = await readSegment(from, segment, { keyId, keys });
    await state.once(segment.key, () =>
      segment.kind === "rows"
        ? loadRows(db, table, columns, lines)
        : loadDeletions(db, table, lines),
    );
  }
  await state.once("loaded", async () => {
    // Nobody holds a lease any more.
    await db.query(
      `update stages set state = 'pending', lease_token = null, leased_until = null, leased_alone = null
       where state = 'running'`,
    );
    for (const { table, column, value } of (chain.at(-1) as ExportIndex).sequences) {
      await db.query(
        "select setval(pg_get_serial_sequence(quote_ident($1), $2)::regclass, $3::bigint)",
        [table, column, value],
      );
    }
  });
  let restored = 0;
  await state.putBack(() => onProgress("making indexes", ++restored, restored));
  await db.query("analyze");
}
