import { existsSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@sluice/runtime";
import { processIdentity } from "../process-identity.js";
import { StartError } from "../start-error.js";

const PATIENCE_MS = 15_000;

/**
 * Ends a PostgreSQL that a killed Sluice left running on the directory. The caller holds the data
 * directory's lock, so nobody uses it any more.
 *
 * @throws {@link StartError} where it does not end
 */
export async function stopLeftover(
  directory: string,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const pid = leftoverPid(directory);
  if (pid === undefined) return;
  const identity = processIdentity(pid);
  log.warn({ child: pid }, "an earlier PostgreSQL still runs, and is stopped");
  // Fast shutdown, then immediate: what it had committed is in its log either way.
  for (const how of ["SIGINT", "SIGQUIT"] as const) {
    process.kill(pid, how);
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
      if (processIdentity(pid) !== identity) return;
      await delay(50, undefined, { signal });
    }
  }
  throw new StartError(
    `an earlier PostgreSQL (process ${pid}) uses ${directory} and does not end: end it by hand`,
  );
}

/** The port of the server that runs on the directory; `undefined` where none does. */
export function runningPort(directory: string): number | undefined {
  if (leftoverPid(directory) === undefined) return undefined;
  // The fourth line of postmaster.pid (miscadmin.h of PostgreSQL).
  const port = Number(readFileSync(join(directory, "postmaster.pid"), "utf8").split("\n")[3]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

function leftoverPid(directory: string): number | undefined {
  const file = join(directory, "postmaster.pid");
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, "utf8").split("\n", 1)[0]);
  if (!Number.isInteger(pid) || pid <= 1 || processIdentity(pid) === undefined) return undefined;
  return isServerOf(pid, directory) ? pid : undefined;
}

/** The number may long be another process's: PostgreSQL works in its data directory. */
function isServerOf(pid: number, directory: string): boolean {
  if (process.platform !== "linux") return true;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(directory);
  } catch {
    return false;
  }
}
