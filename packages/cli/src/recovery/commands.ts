/** `sluice restore`, `sluice rebuild` and `sluice backup verify`: an installation made again, and whether it could be. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type ObjectStore,
  ObjectStoreUrlError,
  StoreMissingError,
  StoreUnavailableError,
} from "@sluice/object-store";
import {
  type BackupKey,
  backupKey,
  BlobsLostError,
  DamagedExportError,
  KeyMissingError,
  rebuild,
  restore,
  restoreMissingObjects,
  RestoreRefusedError,
  verifyBackup,
} from "@sluice/recovery";
import { visible } from "@sluice/report-formats";
import { loadSettings, type Settings, SettingsError } from "@sluice/runtime";
import { StartError, type StoreUrls, withStores } from "@sluice/standalone";
import { Output } from "../output.js";
import { UsageError } from "../usage-error.js";
import { Phases } from "./phases.js";
import { readScriptArguments, runRestoreScript } from "./restore-script.js";
import { openSource, type OpenStore, withObjectStores } from "./stores.js";

export interface RestoreArguments {
  readonly from?: string;
  readonly keyFile?: string;
  readonly export?: string;
  readonly keepObjects?: boolean;
  readonly objectsOnly?: boolean;
  readonly allowMissing?: boolean;
  readonly script?: string;
  readonly at?: string;
  readonly filename?: string;
}

const OK = 0;
const DAMAGED = 1;
const REFUSED = 2;
const AWAY = 3;
const SHOWN_LOST = 20;

/** @returns the exit code */
export async function runRestore(
  options: RestoreArguments,
  say: (line: string) => void,
): Promise<number> {
  const settings = readSettings();
  const keys = await readKeys(settings, options.keyFile);
  if (options.script !== undefined) readScriptArguments(options);
  else if (options.at !== undefined || options.filename !== undefined)
    throw new UsageError("--at and --filename are for one script: say which by --script");
  return untilStopped(say, async (signal, phases) => {
    if (options.script !== undefined) {
      const isWhole = await runRestoreScript(settings, options, { keys, say, signal, phases });
      return isWhole ? OK : DAMAGED;
    }
    if (options.objectsOnly) return runObjectsOnly(settings, options, { say, signal, phases });
    const restored = await withTheStores(settings, say, async (urls, open) => {
      const own = await open(urls.backupUrl);
      const from = await openSource(options.from, own, open);
      return restore({
        catalogUrl: urls.catalogUrl,
        objects: await open(urls.objectStoreUrl),
        from,
        backup: from === own ? undefined : own,
        keys,
        exportId: options.export,
        keepObjects: options.keepObjects ?? false,
        allowMissing: options.allowMissing ?? false,
        signal,
        onProgress: (phase, done, total) => phases.show(phase, done, total),
      });
    });
    phases.end();
    const { exportId, exportedAt, scripts, versions, lost } = restored;
    await new Output(process.stdout).write(
      `restored ${scripts} scripts with ${versions} versions, as they were at ${exportedAt} (export ${exportId})\n`,
    );
    for (const blob of lost.slice(0, SHOWN_LOST)) say(`lost: ${blob.sha256}: ${blob.why}`);
    return lost.length === 0 ? OK : DAMAGED;
  });
}

async function runObjectsOnly(
  settings: Settings,
  { from }: RestoreArguments,
  { say, signal, phases }: { say: (line: string) => void; signal: AbortSignal; phases: Phases },
): Promise<number> {
  const { blobs, lost } = await withTheStores(settings, say, async (urls, open) =>
    restoreMissingObjects({
      catalogUrl: urls.catalogUrl,
      objects: await open(urls.objectStoreUrl),
      from: await open(from ?? urls.backupUrl, { mustExist: true }),
      signal,
      onProgress: (phase, done, total) => phases.show(phase, done, total),
    }),
  );
  phases.end();
  await new Output(process.stdout).write(
    `of ${blobs} blobs ${lost.length} are lost, the others are there\n`,
  );
  for (const blob of lost) say(`lost: ${blob.sha256}: ${blob.why}`);
  return lost.length === 0 ? OK : DAMAGED;
}

export interface VerifyArguments {
  readonly from?: string;
  readonly keyFile?: string;
  readonly sample?: number;
  readonly all?: boolean;
}

const SAMPLE = 1_000;

/** @returns 0 where everything is there and whole */
export async function runVerify(
  options: VerifyArguments,
  say: (line: string) => void,
): Promise<number> {
  const settings = readSettings();
  const keys = await readKeys(settings, options.keyFile);
  const own = pathToFileURL(join(settings.dataDir, "backup")).href;
  return untilStopped(say, async (signal, phases) => {
    const verified = await withObjectStores(async (open) =>
      verifyBackup({
        backup: await open(options.from ?? settings.backupUrl ?? own, { mustExist: true }),
        keys,
        sample: options.all ? Infinity : (options.sample ?? SAMPLE),
        signal,
        onProgress: (phase, done, total) => phases.show(phase, done, total),
      }),
    );
    phases.end();
    const { exportId, exportedAt, segments, blobs, read, lost } = verified;
    await new Output(process.stdout).write(
      `export ${exportId} of ${exportedAt}: ${segments} segments are whole; ${blobs} blobs, ${read} of them read back, ${lost.length} lost or damaged\n`,
    );
    for (const { sha256, why } of lost) say(`${sha256}: ${why}`);
    return lost.length === 0 ? OK : DAMAGED;
  });
}

export interface RebuildArguments {
  readonly ignoreRegister?: boolean;
}

/** @returns the exit code */
export async function runRebuild(
  { ignoreRegister = false }: RebuildArguments,
  say: (line: string) => void,
): Promise<number> {
  const settings = readSettings();
  return untilStopped(say, async (signal, phases) => {
    const rebuilt = await withTheStores(settings, say, async (urls, open) =>
      rebuild({
        catalogUrl: urls.catalogUrl,
        objects: await open(urls.objectStoreUrl),
        backup: await openIfThere(urls.backupUrl, open, say),
        ignoreRegister,
        signal,
        onProgress: (phase, done, total) => phases.show(phase, done, total),
      }),
    );
    phases.end();
    const { scripts, versions, queued, found, registeredAt, lost, damaged } = rebuilt;
    const of =
      registeredAt === undefined ? "without a register" : `by the register of ${registeredAt}`;
    await new Output(process.stdout).write(
      `rebuilt ${scripts} scripts with ${versions} versions ${of}; ${found} versions were in no register; ${queued} are to be analysed again\n`,
    );
    for (const pack of damaged) say(pack);
    for (const blob of lost.slice(0, SHOWN_LOST)) say(`lost: ${blob.sha256}: ${blob.why}`);
    return lost.length + damaged.length === 0 ? OK : DAMAGED;
  });
}

/** A rebuild needs no backup store; one that answers may have what the object store has lost. */
async function openIfThere(
  url: string,
  open: OpenStore,
  say: (line: string) => void,
): Promise<ObjectStore | undefined> {
  try {
    const store = await open(url);
    await store.check();
    return store;
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    say(`the backup store does not answer, and is done without: ${visible(error.message)}`);
    return undefined;
  }
}

/** Runs until the end, or until the first signal: what is told of errors is the same of all commands. */
async function untilStopped(
  say: (line: string) => void,
  run: (signal: AbortSignal, phases: Phases) => Promise<number>,
): Promise<number> {
  const abort = new AbortController();
  const onSignal = (): void => abort.abort(new Error("stopped"));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, onSignal);
  const phases = new Phases(process.stderr);
  try {
    return await run(abort.signal, phases);
  } catch (error) {
    phases.end();
    return tell(error, abort.signal, say);
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal);
  }
}

function tell(error: unknown, signal: AbortSignal, say: (line: string) => void): number {
  if (signal.aborted) {
    say("stopped; run it again to go on where it stopped");
    return 130;
  }
  if (error instanceof BlobsLostError) {
    say(`${error.message}; --allow-missing goes on without them:`);
    for (const { sha256, why } of error.lost.slice(0, SHOWN_LOST)) say(`  ${sha256}: ${why}`);
    return DAMAGED;
  }
  if (error instanceof DamagedExportError) {
    say(visible(error.message));
    return DAMAGED;
  }
  if (
    error instanceof RestoreRefusedError ||
    error instanceof KeyMissingError ||
    error instanceof ObjectStoreUrlError ||
    error instanceof StoreMissingError ||
    error instanceof StartError
  ) {
    say(visible(error.message));
    return REFUSED;
  }
  if (error instanceof StoreUnavailableError) {
    say(visible(error.message));
    return AWAY;
  }
  throw error;
}

function readSettings(): Settings {
  try {
    return loadSettings(process.env);
  } catch (error) {
    if (error instanceof SettingsError) throw new UsageError(error.message);
    throw error;
  }
}

/** Those of BACKUP_KEY, and those of a file: one a line, in base64. */
async function readKeys(
  { backupSecrets }: Settings,
  file: string | undefined,
): Promise<BackupKey[]> {
  const keys = backupSecrets.map(backupKey);
  if (file === undefined) return keys;
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new UsageError(`the key file cannot be read: ${visible(error.message)}`);
  });
  for (const line of text.split("\n").map((part) => part.trim())) {
    if (line === "") continue;
    if (!/^[A-Za-z0-9+/]{43}=$/.test(line))
      throw new UsageError("the key file must have 32 bytes in base64 on each line");
    keys.unshift(backupKey(Buffer.from(line, "base64")));
  }
  return keys;
}

/** Runs work with the stores of an installation that does not run; what it opens is closed before PostgreSQL is stopped. */
function withTheStores<T>(
  settings: Settings,
  say: (line: string) => void,
  work: (urls: StoreUrls, open: OpenStore) => Promise<T>,
): Promise<T> {
  return withStores(settings, say, (urls) => withObjectStores((open) => work(urls, open)));
}
