import { randomUUID } from "node:crypto";
import {
  accessSync,
  constants,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { processIdentity } from "./process-identity.js";
import { codeOf, messageOf, StartError } from "./start-error.js";

/** The directory that holds all state, held by this process until {@link release}. */
export interface DataDir {
  readonly path: string;
  /** The one who held it before died without releasing it, and may have left processes behind. */
  readonly wasAbandoned: boolean;
  release(): void;
}

interface Holder {
  readonly pid: number;
  readonly identity: string | undefined;
}

/**
 * Makes the directory if it is missing, and takes it for this process alone.
 *
 * @throws {@link StartError} where it cannot be written, or another Sluice that runs holds it
 */
export function openDataDir(path: string): DataDir {
  makeWritable(path);
  const lock = join(path, "sluice.lock");
  let wasAbandoned = false;
  for (;;) {
    if (take(lock)) {
      return { path, wasAbandoned, release: () => rmSync(lock, { force: true }) };
    }
    const found = readIfThere(lock);
    if (found === undefined) continue;
    const pid = runningHolder(found);
    if (pid !== undefined) {
      throw new StartError(
        `the data directory ${path} is in use by another Sluice (process ${pid}): stop that one, or set SLUICE_DATA to another directory`,
      );
    }
    removeStale(lock, found);
    wasAbandoned = true;
  }
}

/** Whether a Sluice that runs holds the directory. */
export function isHeld(path: string): boolean {
  const found = readIfThere(join(path, "sluice.lock"));
  return found !== undefined && runningHolder(found) !== undefined;
}

function makeWritable(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = codeOf(error);
    const why =
      code === "EEXIST" || code === "ENOTDIR"
        ? "is not a directory"
        : `cannot be written (${code ?? messageOf(error)})`;
    throw new StartError(
      `the data directory ${path} ${why}: set SLUICE_DATA to a directory that this user may write`,
    );
  }
}

/** A link appears with its whole content or not at all, and only where none is. */
function take(lock: string): boolean {
  const own = `${lock}.${randomUUID()}`;
  const holder: Holder = { pid: process.pid, identity: processIdentity(process.pid) };
  try {
    writeFileSync(own, JSON.stringify(holder), { mode: 0o644 });
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw new StartError(`the data directory cannot be used: ${messageOf(error)}`);
  } finally {
    rmSync(own, { force: true });
  }
}

function readIfThere(lock: string): string | undefined {
  try {
    return readFileSync(lock, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function runningHolder(content: string): number | undefined {
  let holder: Partial<Holder>;
  try {
    holder = JSON.parse(content) as Partial<Holder>;
  } catch {
    return undefined;
  }
  if (typeof holder?.pid !== "number" || holder.pid === process.pid) return undefined;
  const identity = processIdentity(holder.pid);
  return identity !== undefined && identity === holder.identity ? holder.pid : undefined;
}

/** Moves the lock away before it is deleted: between look and deed another process may have taken it. */
function removeStale(lock: string, found: string): void {
  const aside = `${lock}.${randomUUID()}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  if (readFileSync(aside, "utf8") !== found) linkSync(aside, lock);
  rmSync(aside);
}
