import {
  migrateSome,
  migrationNames,
  openSession,
  type Queryable,
  recordEvents,
  type Session,
} from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import type { BackupKey } from "./backup-key.js";
import { copyBackup } from "./copy-backup.js";
import { type ExportIndex, listExports, readChain, type Segment } from "./export-index.js";
import { loadDeletions, loadRows } from "./load.js";
import { countWanted, type LostBlob, restoreObjects } from "./restore-objects.js";
import { RestoreState } from "./restore-state.js";
import { readSegment, readSegmentBytes } from "./segments.js";
import { assertEmpty, assertUnused, RestoreRefusedError } from "./target.js";
import { readTables } from "./tables.js";

/** Told how far a restore is: of each phase, how much is done and how much there is. */
export type OnProgress = (phase: string, done: number, total: number) => void;

export interface RestoreDeps {
  /** The database that becomes the catalog. */
  readonly catalogUrl: string;
  readonly objects: ObjectStore;
  /** Where the exports and the copies are read from. */
  readonly from: ObjectStore;
  /** The backup store of the restored installation, where that is another. */
  readonly backup: ObjectStore | undefined;
  readonly keys: readonly BackupKey[];
  /** The newest where it is not said. */
  readonly exportId: string | undefined;
  /** The object store may have objects: those that are missing are put there, and none is overwritten. */
  readonly keepObjects: boolean;
  /** Goes on where bytes are lost, without them. */
  readonly allowMissing: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** What a restore has come to. */
export interface Restored {
  readonly exportId: string;
  /** The moment that the catalog is of, as RFC 3339. */
  readonly exportedAt: string;
  readonly scripts: number;
  readonly versions: number;
  readonly lost: readonly LostBlob[];
}

/** Copies of some blobs are lost or damaged; the restore has not come to its end. */
export class BlobsLostError extends Error {
  override readonly name = "BlobsLostError";
  constructor(readonly lost: readonly LostBlob[]) {
    super(`the backup store does not give back ${lost.length} blobs`);
  }
}

/** Two restores into one database never run at once. */
const LOCK = 1936487800;

/**
 * Makes the catalog and the objects again from the backup store. Killed at any point, it goes on where it stopped when it is run
 * again; until it is over, services refuse to start on the catalog.
 *
 * @throws {@link RestoreRefusedError} where the target is not empty or in use; `DamagedExportError` that names the object,
 *   with nothing restored; `KeyMissingError`; {@link BlobsLostError}
 */
export async function restore(deps: RestoreDeps): Promise<Restored> {
  const db = await openSession(deps.catalogUrl, "sluice-restore");
  try {
    const { rows } = await db.query<{ locked: boolean }>(
      "select pg_try_advisory_lock($1) as locked",
      [LOCK],
    );
    if (rows[0]?.locked !== true)
      throw new RestoreRefusedError("another restore into this catalog is running");
    return await restoreLocked(db, deps);
  } finally {
    await db.close();
  }
}

/**
 * Puts back what is missing in the object store of a catalog that is whole. No object is overwritten, so that it can be run again.
 *
 * @throws {@link RestoreRefusedError} where Sluice runs on the catalog
 */
export async function restoreMissingObjects({
  catalogUrl,
  objects,
  from,
  signal,
  onProgress,
}: Pick<RestoreDeps, "catalogUrl" | "objects" | "from" | "signal" | "onProgress">): Promise<{
  readonly blobs: number;
  readonly lost: readonly LostBlob[];
}> {
  const db = await openSession(catalogUrl, "sluice-restore");
  try {
    await assertUnused(db);
    const total = await countWanted(db);
    const lost: LostBlob[] = [];
    let blobs = 0;
    const onRestored = (count: number): void =>
      onProgress("bringing objects", (blobs += count), total);
    await restoreObjects({ db, objects, backup: from, signal, onRestored }, "", async (_, some) => {
      lost.push(...some);
    });
    return { blobs, lost };
  } finally {
    await db.close();
  }
}

async function restoreLocked(db: Session, deps: RestoreDeps): Promise<Restored> {
  const begun = await RestoreState.find(db);
  if (begun !== undefined && deps.exportId !== undefined && deps.exportId !== begun.exportId)
    throw new RestoreRefusedError(
      `a restore of the export ${begun.exportId} into this catalog was begun and is not over: let it go on, or drop the database`,
    );
  const exportId = begun?.exportId ?? deps.exportId ?? (await listExports(deps.from)).at(-1);
  if (exportId === undefined)
    throw new RestoreRefusedError(`there is no export in ${deps.from.description}`);
  const chain = (await readChain(deps.from, exportId)).map(({ index }) => index);
  const newest = chain.at(-1) as ExportIndex;
  await assertUnused(db);
  const state = begun ?? (await begin(db, chain, deps));

  await load(db, state, chain, deps);
  const lost = await bringObjects(db, state, deps);
  if (lost.length > 0 && !deps.allowMissing) throw new BlobsLostError(lost);
  await finish(db, state, newest, lost, deps);
  const { rows } = await db.query<{ scripts: number; versions: number }>(
    "select (select count(*)::int from scripts) as scripts, (select count(*)::int from versions) as versions",
  );
  return {
    exportId,
    exportedAt: newest.created_at,
    scripts: rows[0]?.scripts ?? 0,
    versions: rows[0]?.versions ?? 0,
    lost,
  };
}

/** Looks at everything that can be wrong before anything is written. */
async function begin(
  db: Queryable,
  chain: readonly ExportIndex[],
  { from, objects, keys, keepObjects, signal, onProgress }: RestoreDeps,
): Promise<RestoreState> {
  const { id, migrations } = chain.at(-1) as ExportIndex;
  const known = await migrationNames();
  const unknown = migrations.find((name, index) => known[index] !== name);
  if (unknown !== undefined)
    throw new RestoreRefusedError(
      `the export ${id} was made by another version of Sluice: it has the migration ${unknown}, and this one has not`,
    );
  await assertEmpty(db, keepObjects ? undefined : objects, migrations);
  const segments = segmentsOf(chain);
  for (const [index, { segment, keyId }] of segments.entries()) {
    signal.throwIfAborted();
    onProgress("checking the export", index, segments.length);
    // The first tells whether the key is the right one; of the others the hash will do.
    if (index === 0) await readSegment(from, segment, { keyId, keys });
    else await readSegmentBytes(from, segment);
  }
  return RestoreState.begin(db, id);
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

async function load(
  db: Queryable,
  state: RestoreState,
  chain: readonly ExportIndex[],
  { catalogUrl, from, keys, signal, onProgress }: RestoreDeps,
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
    onProgress("loading the catalog", index, segments.length);
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

async function bringObjects(
  db: Queryable,
  state: RestoreState,
  { from, backup, objects, signal, onProgress }: RestoreDeps,
): Promise<LostBlob[]> {
  // The load may have ended before its indexes were back.
  await state.putBack(() => {});
  const total = await countWanted(db);
  // What was lost is looked for again: somebody may have put it there since.
  const before = (await state.done("objects")) as { last?: string; lost?: LostBlob[] } | undefined;
  const lost: LostBlob[] = [];
  const again = (before?.lost ?? []).length > 0;
  let done = 0;
  await restoreObjects(
    {
      db,
      objects,
      backup: from,
      signal,
      onRestored: (count) => onProgress("bringing objects", (done += count), total),
    },
    again ? "" : (before?.last ?? ""),
    async (last, some) => {
      lost.push(...some);
      await state.note("objects", { last, lost });
    },
  );
  if (backup !== undefined)
    await copyBackup(from, backup, signal, (count) =>
      onProgress("copying the backup", count, count),
    );
  return lost;
}

async function finish(
  db: Queryable,
  state: RestoreState,
  newest: ExportIndex,
  lost: readonly LostBlob[],
  { catalogUrl, from }: RestoreDeps,
): Promise<void> {
  await migrateSome(catalogUrl, Infinity);
  await state.once("told", () =>
    recordEvents(db, [
      {
        severity: lost.length === 0 ? "info" : "critical",
        kind: "catalog.restored",
        message: `Restored from the export ${newest.id} of ${newest.created_at} in ${from.description}`,
        details: { export_id: newest.id, exported_at: newest.created_at, lost },
      },
    ]),
  );
  await state.end();
}
