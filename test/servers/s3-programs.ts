import { execFile } from "node:child_process";
import { accessSync, constants, copyFileSync, mkdirSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

import { removeDirectory, temporaryDirectory } from "./guard.js";

/** S3 servers of different make that the tests run against. */
export type S3Kind = "minio" | "versitygw";

/** Where the Go toolchain gets each: the versions that the documentation names. */
const MODULES: Readonly<Record<S3Kind, string>> = {
  // The last source of MinIO, whose upstream is archived.
  minio: "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
  versitygw: "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
};

/** Looks for a program on PATH. */
export function findOnPath(name: string): string | undefined {
  const directories = (process.env["PATH"] ?? "").split(delimiter).filter((path) => path !== "");
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

/** Finds an S3 server on PATH, or one that was built earlier. */
export function findS3Program(kind: S3Kind): string | undefined {
  const built = join(cacheDirectory(), kind);
  return findOnPath(kind) ?? (isExecutable(built) ? built : undefined);
}

/**
 * Builds an S3 server with the Go toolchain, outside the checkout, where {@link findS3Program} finds it.
 * Takes minutes.
 *
 * @throws Error where there is no Go, or it cannot reach the modules
 */
export async function buildS3Program(kind: S3Kind): Promise<void> {
  const go = findOnPath("go");
  if (go === undefined) throw new Error("the Go toolchain is not on PATH");
  process.stdout.write(`building ${kind} with the Go toolchain, once; this takes minutes …\n`);
  const building = temporaryDirectory();
  try {
    const env = { ...process.env, GOBIN: building };
    await promisify(execFile)(go, ["install", MODULES[kind]], { env });
    mkdirSync(cacheDirectory(), { recursive: true });
    // Another run may do the same: each puts its own in place, whole.
    const beside = join(cacheDirectory(), `${kind}.${process.pid}`);
    copyFileSync(join(building, kind), beside);
    renameSync(beside, join(cacheDirectory(), kind));
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new Error(`go install ${MODULES[kind]} failed: ${said.trim().split("\n").at(-1)}`, {
      cause: error,
    });
  } finally {
    removeDirectory(building);
  }
}

function cacheDirectory(): string {
  // An empty value counts as not set (XDG Base Directory Specification).
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "sluice-test", "bin");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
