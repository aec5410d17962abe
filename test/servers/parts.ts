import { spawnSync } from "node:child_process";
import { describe, inject, test } from "vitest";

import { findBinaries } from "../../packages/standalone/src/postgres/binaries.js";
import { buildS3Program, findOnPath, findS3Program, type S3Kind } from "./s3-programs.js";

/** What a test may need that npm does not install. */
export const PARTS = [
  "redis",
  "postgres",
  "minio",
  "versitygw",
  "clamd",
  "chromium",
  "python3",
  "mount",
] as const;
export type Part = (typeof PARTS)[number];

/** For each part that this machine lacks: one line that says so, and how to get it. */
export type MissingParts = Partial<Record<Part, string>>;

declare module "vitest" {
  interface ProvidedContext {
    missingParts: MissingParts;
    postgresUrl: string;
  }
}

const PROBES: Readonly<Record<Part, () => string | undefined | Promise<string | undefined>>> = {
  redis: () => missingProgram("redis-server", "apt-get install redis-server"),
  postgres: () => {
    try {
      findBinaries();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
  minio: () => ((process.env["S3_TEST_URL"] ?? "") !== "" ? undefined : missingS3("minio")),
  versitygw: () => missingS3("versitygw"),
  clamd: () => missingProgram("clamd", "apt-get install clamav-daemon"),
  chromium: () => missingProgram("chromium", "apt-get install chromium"),
  python3: () => missingProgram("python3", "apt-get install python3"),
  mount: () =>
    spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0
      ? undefined
      : "this user may not mount a disk of its own: run the tests as root",
};

/** Looks for every part; S3 servers that can be built are built. */
export async function findMissingParts(): Promise<MissingParts> {
  const missing: MissingParts = {};
  for (const part of PARTS) {
    const reason = await PROBES[part]();
    if (reason !== undefined) missing[part] = reason;
  }
  return missing;
}

/** Chromium's place, for `executablePath`. */
export function chromiumPath(): string {
  const path = findOnPath("chromium");
  if (path === undefined) throw new Error("chromium is not on PATH");
  return path;
}

/**
 * A `describe` whose tests need servers or a browser. Where one is missing the whole of it is skipped,
 * and the summary says why; with CI=true it fails instead.
 *
 * @param parts - what the tests need
 */
export function describeWith(parts: readonly Part[], name: string, body: () => void): void {
  const missing = inject("missingParts");
  const reasons = parts.flatMap((part) => missing[part] ?? []);
  if (reasons.length === 0) {
    describe(name, body);
  } else if (isCi()) {
    test(name, () => {
      throw new Error(reasons.join("; "));
    });
  } else {
    test(name, ({ skip }) => skip(reasons.join("; ")));
  }
}

/** The PostgreSQL that all test files share; each makes its own database there. */
export function sharedPostgres(): { readonly url: string } {
  return { url: inject("postgresUrl") };
}

function isCi(): boolean {
  return process.env["CI"] === "true";
}

function missingProgram(name: string, how: string): string | undefined {
  return findOnPath(name) === undefined ? `${name} is not on PATH: ${how}` : undefined;
}

async function missingS3(kind: S3Kind): Promise<string | undefined> {
  if (findS3Program(kind) !== undefined) return undefined;
  const how =
    kind === "minio"
      ? "put it on PATH, set S3_TEST_URL, or install Go, which builds it"
      : "put it on PATH, or install Go, which builds it";
  try {
    await buildS3Program(kind);
    return undefined;
  } catch (error) {
    return `there is no ${kind} (${error instanceof Error ? error.message : String(error)}): ${how}`;
  }
}
