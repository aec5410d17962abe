import {
  migrateSome,
  openSession,
  type Queryable,
  recordEvents,
  type Session,
} from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import type { BackupKey } from "./backup-key.js";
import { copyBackup } from "./copy-backup.js";
import { chooseExport } from "./choose-export.js";
import type { ExportIndex } from "./export-index.js";
import {
  assertRestorable,
  loadCatalog,
  type OnProgress,
  REBUILD,
  withTarget,
} from "./load-catalog.js";
import { countWanted, type LostBlob, restoreObjects } from "./restore-objects.js";
import { RestoreState } from "./restore-state.js";
import { assertUnused, RestoreRefusedError } from "./target.js";

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

/**
 * Makes the catalog and the objects again from the backup store. Killed at any point, it goes on where it stopped when it is run
 * again; until it is over, services refuse to start on the catalog.
 *
 * @throws {@link RestoreRefusedError} where the target is not empty or in use; `DamagedExportError` that names the object,
 *   with nothing restored; `KeyMissingError`; {@link BlobsLostError}
 */
export async function restore(deps: RestoreDeps): Promise<Restored> {
  return withTarget(deps.catalogUrl, (db) => restoreLocked(db, deps));
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
  if (begun?.exportId.startsWith(REBUILD) === true)
    throw new RestoreRefusedError(
      "a rebuild of this catalog was begun and is not over: let it go on by sluice rebuild, or drop the database",
    );
  if (begun !== undefined && deps.exportId !== undefined && deps.exportId !== begun.exportId)
    throw new RestoreRefusedError(
      `a restore of the export ${begun.exportId} into this catalog was begun and is not over: let it go on, or drop the database`,
    );
  const chain = await chooseExport(deps.from, { exportId: begun?.exportId ?? deps.exportId });
  const newest = chain.at(-1) as ExportIndex;
  await assertUnused(db);
  let state = begun;
  if (state === undefined) {
    await assertRestorable(db, chain, deps, deps.keepObjects ? undefined : deps.objects);
    state = await RestoreState.begin(db, newest.id);
  }
  await loadCatalog(db, state, chain, deps);
  const lost = await bringObjects(db, state, deps);
  if (lost.length > 0 && !deps.allowMissing) throw new BlobsLostError(lost);
  await finish(db, state, newest, lost, deps);
  const { rows } = await db.query<{ scripts: number; versions: number }>(
    "select (select count(*)::int from scripts) as scripts, (select count(*)::int from versions) as versions",
  );
  return {
    exportId: newest.id,
    exportedAt: newest.created_at,
    scripts: rows[0]?.scripts ?? 0,
    versions: rows[0]?.versions ?? 0,
    lost,
  };
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
