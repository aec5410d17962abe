/** `sluice analyse`: from its arguments to its exit code. */
import { createReadStream } from "node:fs";
import type { ToolProfile } from "@sluice/contracts";
import {
  createAnalysers,
  findPython,
  findRules,
  type Python,
  PythonError,
  RulesError,
  withRules,
} from "@sluice/python-analysis";
import { createStyle, visible } from "@sluice/report-formats";
import { analyse, type Source, STDIN } from "./analyse.js";
import { wantsColour } from "./colour.js";
import { describeError } from "./describe-error.js";
import { fileError } from "./files/failure.js";
import { findFiles } from "./files/find.js";
import { splitNames } from "./files/list.js";
import { argumentNames } from "./files/name.js";
import { readStream } from "./files/read.js";
import { createFormat, type FormatName } from "./format.js";
import { Output } from "./output.js";
import { readPolicy } from "./policy/read.js";
import { NO_PROGRESS, showProgress } from "./progress.js";
import { Tally } from "./tally.js";
import { defaultThreads } from "./threads.js";
import { UsageError } from "./usage-error.js";

/** What the options of the command line say. */
export interface AnalyseArguments {
  readonly format: FormatName;
  readonly profile: ToolProfile;
  readonly policy?: string;
  readonly rules?: string;
  readonly namespace: string;
  readonly filesFrom?: string;
  readonly null?: boolean;
  readonly threads?: number;
}

/**
 * @param say - takes lines for whoever called, beside the output
 * @returns the exit code
 * @throws UsageError where the arguments make no sense; OutputClosed and other errors of standard output
 */
export async function runAnalyse(
  files: readonly string[],
  options: AnalyseArguments,
  say: (line: string) => void,
): Promise<number> {
  checkArguments(files, options);
  const { stdout, stderr, env } = process;
  const policy = await readPolicy(options.policy, options.namespace);
  const ruleFiles = await rulesOf(options.rules);
  const python = withRules(await pythonOf(env), ruleFiles);
  const style = createStyle(options.format === "text" && wantsColour(env, stdout.isTTY));

  // A bar needs to know how many there are; and where the output itself is on the terminal, that is what shows progress.
  const showsBar = stderr.isTTY && !stdout.isTTY;
  const ahead = showsBar ? Infinity : (options.threads ?? defaultThreads());
  const { first, all } = await lookAhead(listSources(files, options), ahead);
  const format = createFormat(options.format, style, python.analyserVersion);
  const output = new Output(stdout);
  if (first.length === 0) {
    say("no Python files found");
    await output.write(format.head + format.tail(new Tally()));
    return 0;
  }
  // Starting a thread takes longer than most scripts.
  const threads = Math.min(options.threads ?? defaultThreads(), first.length);

  const analysers = await createAnalysers({ threads, verdict: true, python, ruleFiles });
  const progress = showsBar ? showProgress(stderr, first.length) : NO_PROGRESS;
  const stopped = new AbortController();
  const interruption = interrupted();
  const faults: string[] = [];
  const analysed = analyse(all, {
    analysers,
    threads,
    policy,
    profile: options.profile,
    format,
    output,
    progress,
    signal: stopped.signal,
    readStdin: () => readStream(process.stdin),
    onFault: (file, error) => faults.push(`${file}: ${describeError(error)}`),
  });
  // Where it is interrupted, nobody waits for it.
  analysed.catch(() => {});
  try {
    return await Promise.race([analysed.then(({ exitCode }) => exitCode), interruption.code]);
  } finally {
    stopped.abort();
    progress.stop();
    await analysers.close();
    interruption.ignore();
    if (faults[0] !== undefined) {
      const lines = faults[0].split("\n").map(visible);
      say(`${faults.length} failed by a fault of Sluice; the first:\n${lines.join("\n")}`);
    }
  }
}

function checkArguments(
  files: readonly string[],
  { filesFrom, null: nul }: AnalyseArguments,
): void {
  if (files.length === 0 && filesFrom === undefined)
    throw new UsageError("no files: name some, or a directory, or a list with --files-from");
  if (nul && filesFrom === undefined)
    throw new UsageError("--null says how the list of --files-from is made, which is missing");
  const readers = files.filter((file) => file === "-").length + (filesFrom === "-" ? 1 : 0);
  if (readers > 1) throw new UsageError("standard input (-) can be read for one thing only");
}

async function rulesOf(path: string | undefined): ReturnType<typeof findRules> {
  try {
    return await findRules(path);
  } catch (error) {
    if (!(error instanceof RulesError)) throw error;
    throw new UsageError(`--rules ${visible(error.message)}`);
  }
}

/** The Python that judges, which is set as it is for the services. */
async function pythonOf({ PYTHON_BIN: name }: NodeJS.ProcessEnv): Promise<Python> {
  try {
    return await findPython(name?.trim() || undefined);
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    throw new UsageError(`Wrong settings: PYTHON_BIN ${visible(error.message)}`);
  }
}

async function* listSources(
  files: readonly string[],
  { filesFrom, null: nul }: AnalyseArguments,
): AsyncGenerator<Source> {
  const names = argumentNames(files);
  for (const [i, file] of files.entries()) {
    if (file === "-") yield STDIN;
    else yield* findFiles(names[i]!);
  }
  if (filesFrom === undefined) return;
  const list = filesFrom === "-" ? process.stdin : createReadStream(argumentNames([filesFrom])[0]!);
  try {
    for await (const name of splitNames(list, nul ? "nul" : "line")) yield* findFiles(name);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `the list ${visible(filesFrom)} cannot be read: ${fileError(error).message}`,
    );
  }
}

/** @returns the first of the items, as many as are asked for; and all of them, those too */
async function lookAhead<Item>(
  items: AsyncGenerator<Item>,
  number: number,
): Promise<{ first: readonly Item[]; all: AsyncIterable<Item> }> {
  const first: Item[] = [];
  while (first.length < number) {
    const { done, value } = await items.next();
    if (done) break;
    first.push(value);
  }
  async function* all(): AsyncGenerator<Item> {
    yield* first;
    yield* items;
  }
  return { first, all: all() };
}

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/**
 * Hears the signals that end a run. The second one ends the process at once.
 *
 * @returns `code` resolves on the first with the exit code that a shell gives to it; `ignore` gives the signals back
 */
function interrupted(): { code: Promise<number>; ignore: () => void } {
  const signals = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  let first = true;
  let resolve: (code: number) => void;
  const code = new Promise<number>((resolveCode) => (resolve = resolveCode));
  const listener = (signal: keyof typeof SIGNALS): void => {
    if (!first) process.exit(128 + SIGNALS[signal]);
    first = false;
    resolve(128 + SIGNALS[signal]);
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    code,
    ignore: () => {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
