import type { ToolProfile } from "@sluice/contracts";
import type { Analysers, Policy } from "@sluice/python-analysis";
import { pMapIterable } from "p-map";
import type { Entry, EntryError } from "./entry.js";
import type { FoundFile } from "./files/find.js";
import { nameText } from "./files/name.js";
import { type Content, readFile } from "./files/read.js";
import type { Format } from "./format.js";
import { HeldBytes } from "./held-bytes.js";
import type { Output } from "./output.js";
import type { Progress } from "./progress.js";
import { Tally } from "./tally.js";

/** A script to analyse; what could not even be found has an error in place of its content. */
interface Script {
  readonly file: string;
  readonly content: Content;
}

export interface AnalyseOptions {
  readonly analysers: Pick<Analysers, "analyse">;
  readonly threads: number;
  readonly policy: Policy;
  readonly profile: ToolProfile;
  readonly format: Format;
  readonly output: Output;
  readonly progress: Progress;
  /** Reads what the name `-` stands for. */
  readonly readStdin: () => Promise<Content>;
  /** Aborted when the analysers are about to be closed: what fails from then on is no fault. */
  readonly signal: AbortSignal;
  /** Told of what went wrong by a fault of Sluice. */
  readonly onFault: (file: string, error: unknown) => void;
}

/** Standard input, which has no name. */
export const STDIN = Symbol("standard input");
export type Source = FoundFile | typeof STDIN;

/** Files that wait for their turn to be written, for each thread, while one before them takes long. */
const AHEAD = 32;
/** Bytes of scripts that are read and not yet written; what is made of them takes a multiple of that. */
const MOST_HELD = 33_554_432;

/**
 * Analyses files side by side and writes what comes out in their order, each as soon as it and all before it are done. Reading waits
 * for writing, so that memory is bounded however many files there are and however slowly the output is read.
 *
 * @throws OutputClosed and other errors of the output; an AbortError after {@link AnalyseOptions.signal}
 */
export async function analyse(
  sources: AsyncIterable<Source>,
  options: AnalyseOptions,
): Promise<Tally> {
  const { format, output, progress, threads } = options;
  const tally = new Tally();
  const held = new HeldBytes(MOST_HELD);
  const results = pMapIterable(
    readScripts(sources, options, held),
    (script) => analyseScript(script, options),
    // One more than threads, so that none waits for the next script to be handed over.
    { concurrency: threads + 1, backpressure: threads * AHEAD },
  );
  await output.write(format.head);
  for await (const { entry, source } of results) {
    await output.write(format.entry(entry, source));
    held.give(source?.length ?? 0);
    tally.add(entry);
    progress.done();
  }
  await output.write(format.tail(tally));
  return tally;
}

async function* readScripts(
  sources: AsyncIterable<Source>,
  { readStdin }: AnalyseOptions,
  held: HeldBytes,
): AsyncGenerator<Script> {
  for await (const source of sources) {
    await held.room();
    const content = await readSource(source, readStdin);
    if ("bytes" in content) held.take(content.bytes.length);
    yield { file: source === STDIN ? "-" : nameText(source.name), content };
  }
}

async function readSource(source: Source, readStdin: () => Promise<Content>): Promise<Content> {
  if (source === STDIN) return readStdin();
  return source.error ? { error: source.error } : readFile(source.name);
}

async function analyseScript(
  { file, content }: Script,
  { analysers, policy, profile, signal, onFault }: AnalyseOptions,
): Promise<{ entry: Entry; source: Uint8Array | undefined }> {
  if ("error" in content) return { entry: withoutReport(file, content.error), source: undefined };
  const source = content.bytes;
  try {
    const { report, metadata } = await analysers.analyse(source, policy);
    const entry = {
      file,
      report,
      metadata: metadata && { ...metadata, tools: metadata.tools[profile] },
    };
    return { entry, source };
  } catch (error) {
    signal.throwIfAborted();
    onFault(file, error);
    const message = error instanceof Error ? error.message : String(error);
    return { entry: withoutReport(file, { code: "internal", message }), source };
  }
}

function withoutReport(file: string, error: EntryError): Entry {
  return { file, report: null, metadata: null, error };
}
