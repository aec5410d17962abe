/** One script brought back from a backup into an installation that may run. */
import { setTimeout as delay } from "node:timers/promises";
import { backupBlobKey, findCopy, healBlob, inspectBlob, putVerified } from "@sluice/backup";
import {
  assertNotHalfRestored,
  type Catalog,
  readStoredBlobs,
  undeleteScript,
  undeleteVersion,
} from "@sluice/catalog";
import { blobKey, type ObjectStore, quarantineKey } from "@sluice/object-store";
import pMap from "p-map";
import type { BackupKey } from "./backup-key.js";
import { chooseExport, type WantedExport } from "./choose-export.js";
import type { ExportIndex } from "./export-index.js";
import { BytesGoingError, insertScript, type PutBlob } from "./insert-script.js";
import { NameTakenError } from "./name-taken.js";
import type { OnProgress } from "./load-catalog.js";
import type { LostBlob } from "./restore-objects.js";
import { readScriptRows, type ScriptRows } from "./script-rows.js";
import { RestoreRefusedError } from "./target.js";

export interface RestoreScriptDeps extends WantedExport {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  /** The installation's own backup store. */
  readonly backup: ObjectStore;
  /** Where the export and the copies are read from. */
  readonly from: ObjectStore;
  readonly keys: readonly BackupKey[];
  readonly scriptId: string;
  /** The name that it comes back under; the one it had where absent. */
  readonly filename: string | undefined;
  /** As the audit log is to have it. */
  readonly actor: string;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** What came back. */
export interface RestoredScript {
  readonly exportId: string;
  /** The moment that what was brought back is of, as RFC 3339. */
  readonly exportedAt: string;
  readonly namespace: string;
  readonly filename: string;
  /** `inserted`: its rows were gone; `undeleted`: it was in the trash; `kept`: it was there. */
  readonly script: "inserted" | "undeleted" | "kept";
  /** Numbers of the versions that were gone, or in the trash by themselves. */
  readonly versions: readonly number[];
  /** Hashes of the bytes that were gone or damaged and are there again. */
  readonly blobs: readonly string[];
  readonly lost: readonly LostBlob[];
}

const AT_ONCE = 8;
/** How long bytes that are being deleted at that very moment are waited for. */
const TRIES = 30;
const BETWEEN_TRIES_MS = 1_000;

/**
 * Brings back what an export has of a script and the installation has not: the script, versions of it, their bytes. Nothing that is
 * there is changed: a script in the trash comes back as it went there. Bytes are put before the rows that name them, and the rows come
 * in one transaction: killed at any point, it can be run again.
 *
 * @throws {@link RestoreRefusedError} where there is nothing to bring back, the export has no such script, the name is another's by now;
 *   `DamagedExportError`; `KeyMissingError`; `StoreUnavailableError`
 */
export async function restoreScript(deps: RestoreScriptDeps): Promise<RestoredScript> {
  const { catalog, from, scriptId } = deps;
  await assertNotHalfRestored(catalog);
  const chain = await chooseExport(from, deps);
  const { id, created_at, migrations } = chain.at(-1) as ExportIndex;
  await assertMigrations(catalog, migrations, id);
  const rows = await readScriptRows(chain, scriptId, deps);
  const exported = rows.of("scripts")[0];
  if (exported === undefined)
    throw new RestoreRefusedError(
      `the export ${id} of ${created_at} has no script ${scriptId}; --at or --export names an older one`,
    );
  const live = await readLive(catalog, scriptId);
  if (live?.purging === true) throw new BeingPurgedError(scriptId);
  if (live !== undefined && !live.deleted && deps.filename !== undefined)
    throw new RestoreRefusedError(`the script ${scriptId} is there and keeps its name`);
  const kept = await inspectKept(deps, live?.hashes ?? [], rows);

  const context = { id, createdAt: created_at, columns: columnsOf(chain.at(-1) as ExportIndex) };
  const { inserted, put, lost } = await insertMissing(deps, rows, context);
  let script: RestoredScript["script"] = live === undefined ? "inserted" : "kept";
  if (live?.deleted === true) {
    await undelete(deps);
    script = "undeleted";
  }
  const undeleted = await undeleteVersions(deps, rows);
  const versions = [...inserted, ...undeleted].toSorted((a, b) => a - b);
  const all = [...kept.lost, ...lost];
  if (script === "kept" && versions.length === 0 && kept.healed.length === 0 && all.length === 0)
    throw new RestoreRefusedError(
      `the script ${scriptId} is there, and so is all that the export ${id} has of it: nothing to bring back. An older version comes back by POST /api/v1/scripts/${scriptId}/versions/N/restore`,
    );
  return {
    exportId: id,
    exportedAt: created_at,
    namespace: exported["namespace"] ?? "",
    filename: deps.filename ?? live?.filename ?? exported["filename"] ?? "",
    script,
    versions,
    blobs: [...new Set([...kept.healed, ...put])],
    lost: all,
  };
}

/** An export of other tables cannot be read into these. */
async function assertMigrations(
  catalog: Catalog,
  migrations: readonly string[],
  exportId: string,
): Promise<void> {
  const { rows } = await catalog.query<{ name: string }>(
    "select name::text from migrations order by id",
  );
  const unknown = migrations.find((name, index) => rows[index]?.name !== name);
  if (unknown !== undefined)
    throw new RestoreRefusedError(
      `the export ${exportId} was made by another version of Sluice: it has the migration ${unknown}, and this catalog has not`,
    );
}

interface Live {
  readonly filename: string;
  readonly deleted: boolean;
  readonly purging: boolean;
  /** Of the bytes that its versions have. */
  readonly hashes: readonly string[];
}

async function readLive(catalog: Catalog, scriptId: string): Promise<Live | undefined> {
  const { rows } = await catalog.query<Live>(
    `select s.filename, s.deleted_at is not null as deleted,
       exists (select from trash t where t.id = s.id and t.purged > 0) as purging,
       array(select distinct v.sha256 from versions v where v.script_id = s.id) as hashes
     from scripts s where s.id = $1`,
    [scriptId],
  );
  return rows[0];
}

/** Looks at the bytes of versions that are there, and repairs what is not whole. */
async function inspectKept(
  { catalog, objects, backup, from, signal }: RestoreScriptDeps,
  hashes: readonly string[],
  rows: ScriptRows,
): Promise<{ healed: string[]; lost: LostBlob[] }> {
  const healed: string[] = [];
  const lost: LostBlob[] = [];
  const blobs = await readStoredBlobs(catalog, hashes);
  await pMap(
    blobs,
    async (blob) => {
      signal.throwIfAborted();
      if ((await inspectBlob(objects, blob)).state === "good") return;
      const { sha256, backupKey } = blob;
      const copy = await findCopy(from, sha256, [backupKey, ...copiesOf(sha256, rows)]);
      if ("why" in copy) {
        lost.push({ sha256, why: copy.why });
        return;
      }
      const result = await healBlob({ catalog, objects, backup }, sha256, {
        content: copy.content,
        from: copy.key,
      });
      if (result?.unrepairable === true) lost.push({ sha256, why: "it could not be put back" });
      else healed.push(sha256);
    },
    { concurrency: AT_ONCE },
  );
  return { healed, lost };
}

/** Where the export says that copies of some bytes are. */
function copiesOf(sha256: string, rows: ScriptRows): (string | null | undefined)[] {
  const blob = rows.of("blobs").find((row) => row["sha256"] === sha256);
  const early = rows.of("early_copies").find((row) => row["sha256"] === sha256);
  const key = blob?.["key"] ?? null;
  return [blob?.["backup_key"], early?.["key"], key === null ? null : backupBlobKey(key)];
}

/** Puts the bytes of versions whose rows are gone, then their rows; waits for bytes that are being deleted. */
async function insertMissing(
  deps: RestoreScriptDeps,
  rows: ScriptRows,
  context: { id: string; createdAt: string; columns: ReadonlyMap<string, readonly string[]> },
): Promise<{ inserted: number[]; put: string[]; lost: LostBlob[] }> {
  const { catalog, scriptId, signal } = deps;
  for (let tries = 1; ; tries++) {
    const { rows: there } = await catalog.query<{ number: number }>(
      "select number from versions where script_id = $1",
      [scriptId],
    );
    const numbers = new Set(there.map(({ number }) => number));
    const missing = rows.of("versions").filter((row) => !numbers.has(Number(row["number"])));
    if (missing.length === 0 && numbers.size > 0) return { inserted: [], put: [], lost: [] };
    // Bytes that had been long enough in quarantine stay gone, and the versions say so.
    const expired = new Set(rows.of("expired_blobs").map((row) => row["sha256"]));
    const hashes = [
      ...new Set(missing.map((row) => row["sha256"] ?? "").filter((hash) => !expired.has(hash))),
    ];
    const { blobs, put, lost } = await putBytes(deps, hashes, rows);
    try {
      await insertScript(deps, rows, { ...context, missing, blobs });
      return { inserted: missing.map((row) => Number(row["number"])), put, lost };
    } catch (error) {
      if (!(error instanceof BytesGoingError) || tries === TRIES) throw error;
      await delay(BETWEEN_TRIES_MS, undefined, { signal });
    }
  }
}

/** Puts bytes where no blob has them, each held against its hash. */
async function putBytes(
  deps: RestoreScriptDeps,
  hashes: readonly string[],
  rows: ScriptRows,
): Promise<{ blobs: PutBlob[]; put: string[]; lost: LostBlob[] }> {
  const { catalog, objects, from, backup, signal } = deps;
  const there = new Map((await readStoredBlobs(catalog, hashes)).map((one) => [one.sha256, one]));
  const blobs: PutBlob[] = [];
  const put: string[] = [];
  const lost: LostBlob[] = [];
  await pMap(
    hashes,
    async (sha256) => {
      signal.throwIfAborted();
      const known = there.get(sha256);
      if (known !== undefined) {
        // Another script has the same bytes.
        const kept = await inspectKept(deps, [sha256], rows);
        put.push(...kept.healed);
        lost.push(...kept.lost);
        return;
      }
      const startedAt = await readClock(catalog);
      const copy = await findCopy(from, sha256, copiesOf(sha256, rows));
      if ("why" in copy) {
        lost.push({ sha256, why: copy.why });
        return;
      }
      if (from !== backup) await putVerified(backup, copy.key, copy.stored);
      const key = copy.key.includes("quarantine/")
        ? quarantineKey(sha256)
        : blobKey(sha256, copy.encoding);
      await objects.put(key, copy.stored);
      put.push(sha256);
      blobs.push({
        sha256,
        size: copy.content.length,
        key,
        length: copy.stored.length,
        encoding: copy.encoding,
        backupKey: copy.key,
        startedAt,
      });
    },
    { concurrency: AT_ONCE },
  );
  return { blobs, put, lost };
}

/** The database's own, in which it says when bytes were deleted. */
async function readClock(catalog: Catalog): Promise<string> {
  const { rows } = await catalog.query<{ now: string }>("select clock_timestamp()::text as now");
  return rows[0]?.now ?? "";
}

function columnsOf({ tables }: ExportIndex): ReadonlyMap<string, readonly string[]> {
  return new Map(tables.map(({ name, columns }) => [name, columns]));
}

async function undelete({ catalog, scriptId, actor, filename }: RestoreScriptDeps): Promise<void> {
  const undeletion = await undeleteScript(catalog, { scriptId, actor, filename });
  if (undeletion.kind === "name_taken")
    throw new NameTakenError(undeletion.filename, undeletion.scriptId);
  if (undeletion.kind === "not_found" || undeletion.kind === "purged")
    throw new BeingPurgedError(scriptId);
}

/** A purge takes a script of many versions in steps, and what it has begun it ends. */
class BeingPurgedError extends RestoreRefusedError {
  constructor(scriptId: string) {
    super(`the script ${scriptId} is being purged at this moment: run it again when it is gone`);
  }
}

/** Takes versions out of the trash that were not in it when they were exported. */
async function undeleteVersions(
  { catalog, scriptId, actor }: RestoreScriptDeps,
  rows: ScriptRows,
): Promise<number[]> {
  const { rows: gone } = await catalog.query<{ number: number }>(
    `select v.number from versions v join scripts s on s.id = v.script_id
     where s.id = $1 and s.deleted_at is null and v.deleted_at is not null order by v.number`,
    [scriptId],
  );
  const wanted = new Set(
    rows
      .of("versions")
      .filter((row) => (row["deleted_at"] ?? null) === null)
      .map((row) => Number(row["number"])),
  );
  const undeleted: number[] = [];
  for (const { number: version } of gone.filter(({ number }) => wanted.has(number)))
    if ((await undeleteVersion(catalog, { scriptId, version, actor })) === "undeleted")
      undeleted.push(version);
  return undeleted;
}
