import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import { type Analysis, DEFAULT_POLICY } from "@sluice/python-analysis";
import { expect, test, vi } from "vitest";
import { analyse, type Source } from "../src/analyse.js";
import { createFormat } from "../src/format.js";
import { Output, OutputClosed } from "../src/output.js";
import { NO_PROGRESS } from "../src/progress.js";
import { createStyle } from "@sluice/report-formats";
import { LONG_MS, scratchDirectory } from "./sluice.js";

vi.setConfig({ testTimeout: LONG_MS });

const directory = scratchDirectory();
const report = { verdict: "allowed" } as AnalysisReport;
const metadata = { tools: { fastmcp: ["f"], mcp: ["m"] } } as unknown as AnalysisMetadata;
const DONE: Analysis = { report, metadata };

function makeFiles(name: string, number: number, bytes: number): Source[] {
  const parent = join(directory, name);
  mkdirSync(parent);
  return Array.from({ length: number }, (_, i) => {
    const file = join(parent, `${i}.py`);
    writeFileSync(file, Buffer.alloc(bytes, `${i} `));
    return { name: Buffer.from(file) };
  });
}

/** A run over files with an analyser of the test's own. */
function run(
  files: readonly Source[],
  analyser: (source: Uint8Array) => Promise<Analysis>,
  stream: Writable,
  signal = new AbortController().signal,
) {
  let read = 0;
  const faults: string[] = [];
  async function* sources() {
    for (const file of files) {
      read++;
      yield file;
    }
  }
  const tally = analyse(sources(), {
    analysers: { analyse: analyser },
    threads: 2,
    policy: DEFAULT_POLICY,
    profile: "mcp",
    format: createFormat("ndjson", createStyle(false), "1"),
    output: new Output(stream),
    progress: NO_PROGRESS,
    signal,
    readStdin: async () => ({ bytes: Buffer.alloc(0) }),
    onFault: (file) => faults.push(file),
  });
  return { tally, faults, read: () => read };
}

function collector(): { stream: Writable; entries: () => { file: string }[] } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk);
      done();
    },
  });
  const lines = () => Buffer.concat(chunks).toString().trimEnd().split("\n");
  return { stream, entries: () => lines().map((line) => JSON.parse(line)) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("what is done early waits for what comes before it", async () => {
  const files = makeFiles("order", 50, 10);
  const { stream, entries } = collector();
  let first: (() => void) | undefined;
  const { tally } = run(
    files,
    async (source) => {
      if (String(source).startsWith("0 ")) await new Promise<void>((resolve) => (first = resolve));
      // The first is done when all that can be done before it are.
      else if (String(source).startsWith("40 ")) first?.();
      return DONE;
    },
    stream,
  );
  expect((await tally).exitCode).toBe(0);
  expect(entries().map(({ file }) => Buffer.from(file))).toEqual(
    files.map((file) => (file as { name: Buffer }).name),
  );
});

test("an output that nobody reads stops the reading", async () => {
  const files = makeFiles("slow", 300, 10);
  let go: (() => void) | undefined;
  const stream = new Writable({ highWaterMark: 1, write: (_, __, done) => (go = done) });
  const { tally, read } = run(files, async () => DONE, stream);
  for (let before = -1; before < read();) {
    before = read();
    for (let i = 0; i < 1_000; i++) await turn();
  }
  expect(read()).toBeLessThan(100);
  stream._write = (_, __, done) => done();
  go?.();
  expect((await tally).files).toBe(300);
});

test("large files wait for each other", async () => {
  const files = makeFiles("large", 12, 8_000_000);
  let go: (() => void) | undefined;
  const stream = new Writable({ highWaterMark: 1, write: (_, __, done) => (go = done) });
  const { tally, read } = run(files, async () => DONE, stream);
  for (let before = -1; before < read() || read() === 0;) {
    before = read();
    for (let i = 0; i < 1_000; i++) await turn();
  }
  expect(read()).toBeLessThan(8);
  stream._write = (_, __, done) => done();
  go?.();
  expect((await tally).files).toBe(12);
});

test("what goes wrong with one file is said of it, and the others go on", async () => {
  const files = makeFiles("faults", 4, 10);
  const { stream, entries } = collector();
  const { tally, faults } = run(
    files,
    async (source) => {
      if (String(source).startsWith("1 ")) throw new TypeError("a mistake");
      if (String(source).startsWith("2 ")) return { report, metadata: null };
      return DONE;
    },
    stream,
  );
  expect((await tally).exitCode).toBe(3);
  expect(entries()).toMatchObject([
    { report, metadata: { tools: ["m"] } },
    { report: null, metadata: null, error: { code: "internal", message: "a mistake" } },
    { report, metadata: null },
    { report, metadata: { tools: ["m"] } },
  ]);
  expect(faults).toEqual([join(directory, "faults", "1.py")]);
});

test("what fails because the run is stopped is said of no file", async () => {
  const stopped = new AbortController();
  const chunks: string[] = [];
  const stream = new Writable({ write: (chunk: Buffer) => void chunks.push(String(chunk)) });
  const closed = async () => {
    stopped.abort();
    throw new Error("the parser threads were closed");
  };
  const { tally, faults } = run(makeFiles("stopped", 3, 1), closed, stream, stopped.signal);
  await expect(tally).rejects.toThrow(/aborted/);
  expect([chunks, faults]).toEqual([[], []]);
});

test.each([
  ["EPIPE", OutputClosed],
  ["ENOSPC", Error],
])("an output that fails with %s ends the run", async (code, kind) => {
  const failure = Object.assign(new Error(code), { code });
  const stream = new Writable({ write: (_, __, done) => done(failure) });
  const { tally } = run(makeFiles(code, 3, 1), async () => DONE, stream);
  await expect(tally).rejects.toThrow(kind);
});
