import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { entry, type Entry } from "../src/entry.js";

export const PROGRAM = fileURLToPath(new URL("../bin/sluice.mjs", import.meta.url));

/** Long enough for a machine that does much else. */
export const LONG_MS = 120_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What these say about colours, and about who judges, is the test's to say. */
const { FORCE_COLOR: _, NO_COLOR: __, PYTHON_BIN: ___, ...INHERITED } = process.env;

export function start(args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const env = { ...INHERITED, ...options.env };
  return spawn(process.execPath, [PROGRAM, ...args], { stdio: "pipe", ...options, env });
}

/** Runs the program as users do, in a process of its own. */
export async function sluice(
  args: readonly string[],
  { input = "", ...options }: SpawnOptions & { readonly input?: string | Uint8Array } = {},
): Promise<Ended> {
  const child = start(args, options);
  // It may end without having read.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return ended(child);
}

export async function ended(child: ChildProcess): Promise<Ended> {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return {
    code,
    signal,
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(err).toString(),
  };
}

/** Lines of `--format ndjson`, each held to the schema. */
export function entriesOf(ndjson: string): Entry[] {
  const lines = ndjson.split("\n");
  if (lines.pop() !== "") throw new Error("the last line has no end");
  return lines.map((line) => entry.parse(JSON.parse(line)));
}

/** A directory that is removed after the tests of the file or the suite; not to be called within a test. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "sluice-cli-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
