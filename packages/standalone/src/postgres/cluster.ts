import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { messageOf, StartError } from "../start-error.js";
import type { Account } from "./account.js";
import type { Binaries } from "./binaries.js";

/** PostgreSQL's superuser; Sluice's own processes connect as {@link APPLICATION_ROLE}. */
export const SUPERUSER = "postgres";
export const APPLICATION_ROLE = "sluice";

/** Written into a cluster as its last file: one that has it is whole. */
const PASSWORD_FILE = "sluice-password";

/** A directory that PostgreSQL can be started on. */
export interface Cluster {
  readonly directory: string;
  /** Password of {@link SUPERUSER}. */
  readonly password: string;
}

/**
 * Opens the cluster, or makes it where there is none. It is made beside its place and renamed when it
 * is whole, so that a crash leaves nothing half made behind.
 *
 * @param version - of the binaries, for example `18.4`
 * @throws {@link StartError} where it is of another version, or nobody knows what it is
 */
export async function openCluster(
  directory: string,
  version: string,
  binaries: Binaries,
  account: Account,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Cluster> {
  removeUnfinished(directory);
  const major = version.split(".")[0];
  if (existsSync(directory)) {
    const found = readIfThere(join(directory, "PG_VERSION"));
    if (found !== undefined && found !== major) {
      throw new StartError(
        `${directory} was made by PostgreSQL ${found}, and this is PostgreSQL ${major}: start it with the Sluice that made it and dump it, or set SLUICE_DATA to another directory`,
      );
    }
    const password = readIfThere(join(directory, PASSWORD_FILE));
    if (found !== undefined && password !== undefined) return { directory, password };
    if (found !== undefined && existsSync(join(directory, "global", "pg_control"))) {
      throw new StartError(
        `${directory} holds a PostgreSQL that Sluice has not made (${PASSWORD_FILE} is missing): set SLUICE_DATA to another directory`,
      );
    }
    setAside(directory, say);
  }
  return createCluster(directory, binaries, account, signal);
}

/** The superuser's, of a cluster that is whole; `undefined` where there is none. */
export function passwordOf(directory: string): string | undefined {
  return readIfThere(join(directory, PASSWORD_FILE));
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}

function temporaryPrefix(directory: string): string {
  return `${directory}.new-`;
}

function removeUnfinished(directory: string): void {
  const parent = dirname(directory);
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    if (path.startsWith(temporaryPrefix(directory)))
      rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

function setAside(directory: string, say: (line: string) => void): void {
  if (readdirSync(directory).length === 0) {
    rmSync(directory, { recursive: true });
    return;
  }
  const aside = `${directory}.unfinished-${Date.now()}`;
  renameSync(directory, aside);
  say(
    `${directory} was left half made by an earlier start: it is now ${aside}, and a new one is made.`,
  );
}

async function createCluster(
  directory: string,
  binaries: Binaries,
  account: Account,
  signal: AbortSignal,
): Promise<Cluster> {
  const temporary = `${temporaryPrefix(directory)}${randomBytes(6).toString("hex")}`;
  const passwordFile = `${temporary}-password`;
  const password = randomBytes(24).toString("base64url");
  try {
    mkdirSync(temporary, { mode: 0o700 });
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    account.own(temporary);
    account.own(passwordFile);
    await initdb(temporary, passwordFile, binaries, account, signal);
    account.own(writePassword(temporary, password));
    renameSync(temporary, directory);
    syncDirectory(dirname(directory));
    return { directory, password };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
    rmSync(passwordFile, { force: true });
  }
}

/** Rules of UTF-8 everywhere, and an order of bytes that no update of a library changes. */
const LOCALE = [
  "--encoding=UTF8",
  "--locale-provider=builtin",
  "--builtin-locale=C.UTF-8",
  "--locale=C",
];

async function initdb(
  directory: string,
  passwordFile: string,
  binaries: Binaries,
  account: Account,
  signal: AbortSignal,
): Promise<void> {
  const common = [
    `--pgdata=${directory}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    ...LOCALE,
  ];
  // pg_trgm asks the C library what is a letter; where that knows no C.UTF-8, only ASCII ones are.
  const said = await run(binaries.initdb, [...common, "--lc-ctype=C.UTF-8"], account, signal);
  if (said === undefined) return;
  const failed = /invalid locale/.test(said)
    ? await run(binaries.initdb, common, account, signal)
    : said;
  if (failed === undefined) return;
  signal.throwIfAborted();
  const reason = failed.split("\n").find((line) => /error|fatal/i.test(line)) ?? failed.trim();
  throw new StartError(`PostgreSQL's data directory ${directory} could not be made: ${reason}`);
}

/** @returns what a program that failed said; `undefined` where it did not fail */
function run(
  program: string,
  args: readonly string[],
  account: Account,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = "";
    const child = account.spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], signal });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.once("error", (error) => (said += messageOf(error)));
    child.once("close", (code) => resolve(code === 0 ? undefined : said || `exit code ${code}`));
  });
}

function writePassword(directory: string, password: string): string {
  const path = join(directory, PASSWORD_FILE);
  const file = openSync(path, "w", 0o600);
  writeFileSync(file, `${password}\n`);
  fsyncSync(file);
  closeSync(file);
  return path;
}

function syncDirectory(path: string): void {
  // Windows has no such thing.
  if (process.platform === "win32") return;
  const directory = openSync(path, "r");
  fsyncSync(directory);
  closeSync(directory);
}
