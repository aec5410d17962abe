/** The catalog made again from the object store alone. */
import { findCopy } from "@sluice/backup";
import {
  migrateSome,
  migrationNames,
  type Queryable,
  recordEvents,
  type Session,
} from "@sluice/catalog";
import { blobKey, type ObjectStore, quarantineKey, REGISTERS } from "@sluice/object-store";
import pMap from "p-map";
import { type ExportIndex, listExports, readChain } from "./export-index.js";
import {
  assertRestorable,
  loadCatalog,
  type LoadDeps,
  REBUILD,
  withTarget,
} from "./load-catalog.js";
import {
  beginVersions,
  keepUploads,
  listBlobs,
  listPacks,
  loseVersions,
  lostHashes,
} from "./rebuild-catalog.js";
import { nameUnnamed } from "./rebuild-unnamed.js";
import type { LostBlob } from "./restore-objects.js";
import { RestoreState } from "./restore-state.js";
import { assertEmpty, assertUnused, RestoreRefusedError } from "./target.js";

export interface RebuildDeps extends Omit<LoadDeps, "from" | "keys"> {
  readonly objects: ObjectStore;
  /** Bytes that the object store lacks are taken from there, where it is said. */
  readonly backup: ObjectStore | undefined;
  /** Names come from what lies beside the blobs only: the register is damaged. */
  readonly ignoreRegister: boolean;
}

/** What a rebuild has come to. */
export interface Rebuilt {
  /** The moment that the register is of, as RFC 3339; `undefined` where there was none. */
  readonly registeredAt: string | undefined;
  readonly scripts: number;
  readonly versions: number;
  /** Versions whose work begins anew: all of those whose bytes are there. */
  readonly queued: number;
  /** Versions that no register names, made of bytes that were found. */
  readonly found: number;
  readonly lost: readonly LostBlob[];
  /** Packs that do not say what they hold; the bytes in them are lost, unless there is a copy. */
  readonly damaged: readonly string[];
}

const NO_REGISTER = "none";
const AT_ONCE = 16;

/**
 * Makes the catalog again from what the object store has: names, versions and what people said from the register that is kept there,
 * everything else by analysing the bytes again. Bytes that no register names, since they came after it or it is lost, become scripts
 * under the name that `metadata.json` beside them says, or under one made of their hash. Killed at any point, it goes on where it
 * stopped; until it is over, services refuse to start on the catalog.
 *
 * @throws {@link RestoreRefusedError} where the catalog is not empty or in use; `DamagedExportError` that names the object, with nothing
 *   written
 */
export async function rebuild(deps: RebuildDeps): Promise<Rebuilt> {
  return withTarget(deps.catalogUrl, (db) => rebuildLocked(db, deps));
}

async function rebuildLocked(db: Session, deps: RebuildDeps): Promise<Rebuilt> {
  const { objects } = deps;
  const begun = await RestoreState.find(db);
  if (begun !== undefined && !begun.exportId.startsWith(REBUILD))
    throw new RestoreRefusedError(
      `a restore of the export ${begun.exportId} into this catalog was begun and is not over: let it go on by sluice restore, or drop the database`,
    );
  await assertUnused(db);
  const registerId =
    begun?.exportId.slice(REBUILD.length) ?? (await newestRegister(objects, deps.ignoreRegister));
  const chain =
    registerId === NO_REGISTER
      ? []
      : (await readChain(objects, registerId, REGISTERS)).map(({ index }) => index);
  const state = begun ?? (await begin(db, registerId, chain, deps));
  const loading: LoadDeps = { ...deps, from: objects, keys: [] };
  if (chain.length > 0) await loadCatalog(db, state, chain, loading);
  await migrateSome(deps.catalogUrl, Infinity);

  if ((await state.done("objects listed")) === undefined) {
    await listBlobs(db, deps);
    const damaged = await listPacks(db, deps);
    await keepUploads(db, deps);
    await state.note("objects listed", { damaged });
  }
  const { damaged } = (await state.done("objects listed")) as { damaged: string[] };
  await nameUnnamed(db, deps);
  const lost = await bringLost(db, deps);
  await beginVersions(db, deps);
  await loseVersions(
    db,
    lost.map(({ sha256 }) => sha256),
  );
  const result = await count(db);
  const rebuilt = { ...result, registeredAt: chain.at(-1)?.created_at, lost, damaged };
  await tell(db, state, rebuilt, deps);
  return rebuilt;
}

async function newestRegister(objects: ObjectStore, ignore: boolean): Promise<string> {
  if (ignore) return NO_REGISTER;
  return (await listExports(objects, REGISTERS)).at(-1) ?? NO_REGISTER;
}

async function begin(
  db: Queryable,
  registerId: string,
  chain: readonly ExportIndex[],
  deps: RebuildDeps,
): Promise<RestoreState> {
  // A mistyped URL is no reason to make a catalog of nothing.
  let isThere = false;
  for await (const _ of deps.objects.list("")) {
    isThere = true;
    break;
  }
  if (!isThere)
    throw new RestoreRefusedError(
      `there is nothing in ${deps.objects.description} to rebuild from`,
    );
  if (chain.length > 0)
    await assertRestorable(db, chain, { ...deps, from: deps.objects, keys: [] }, undefined);
  else await assertEmpty(db, undefined, await migrationNames());
  return RestoreState.begin(db, `${REBUILD}${registerId}`);
}

/** Looks in the backup store for bytes that the object store has not. */
async function bringLost(
  db: Queryable,
  { backup, objects, signal, onProgress }: RebuildDeps,
): Promise<LostBlob[]> {
  const lost: LostBlob[] = [];
  const hashes = await lostHashes(db);
  let done = 0;
  await pMap(
    hashes,
    async (sha256) => {
      signal.throwIfAborted();
      const copy =
        backup === undefined
          ? { state: "missing" as const, why: "the object store has no such bytes" }
          : await findCopy(backup, sha256, []);
      onProgress("looking for lost bytes", ++done, hashes.length);
      if ("why" in copy) {
        lost.push({ sha256, why: copy.why });
        return;
      }
      const inQuarantine = copy.key.includes("quarantine/");
      const key = inQuarantine ? quarantineKey(sha256) : blobKey(sha256, copy.encoding);
      await objects.put(key, copy.stored);
      await db.query(
        `insert into blobs (sha256, size, key, length, encoding) values ($1, $2, $3, $4, $5)
         on conflict (sha256) do nothing`,
        [sha256, copy.content.length, key, copy.stored.length, copy.encoding],
      );
    },
    { concurrency: AT_ONCE },
  );
  return lost;
}

type Counts = Omit<Rebuilt, "registeredAt" | "lost" | "damaged">;

async function count(db: Queryable): Promise<Counts> {
  const { rows } = await db.query<Counts>(
    `select (select count(*)::int from scripts) as scripts, (select count(*)::int from versions) as versions,
       (select count(*)::int from versions where state = 'queued') as queued,
       (select count(*)::int from versions where request_id = 'rebuild') as found`,
  );
  return rows[0] ?? { scripts: 0, versions: 0, queued: 0, found: 0 };
}

async function tell(
  db: Queryable,
  state: RestoreState,
  { lost, damaged, registeredAt, ...counts }: Rebuilt,
  { objects }: RebuildDeps,
): Promise<void> {
  const of =
    registeredAt === undefined ? "without a register" : `by the register of ${registeredAt}`;
  await state.once("told", () =>
    recordEvents(db, [
      {
        severity: lost.length + damaged.length === 0 ? "info" : "critical",
        kind: "catalog.rebuilt",
        message: `Rebuilt from the objects in ${objects.description}, ${of}`,
        details: { registered_at: registeredAt ?? null, ...counts, lost, damaged },
      },
    ]),
  );
  await state.end();
}
