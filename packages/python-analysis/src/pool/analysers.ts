import { Worker } from "node:worker_threads";
import type { AnalysisMetadata, AnalysisReport, Finding } from "@sluice/contracts";
import { decodeSource } from "../decode.js";
import { collectFacts } from "../facts/collect.js";
import { type ScriptFacts, withFinding } from "../facts/script-facts.js";
import { describeKill, unscanned } from "../findings/syntax.js";
import type { RuleFile } from "../malware/yara.js";
import { judge } from "../policy/judge.js";
import type { Policy } from "../policy/schema.js";
import { NativeEngine, type NativeOptions, NotStarted } from "../verdict/native-engine.js";
import { BUILT_IN_PYTHON, type Python } from "../verdict/python.js";
import type { KillReason } from "../verdict/types.js";
import { hostEngine } from "./engine-port.js";
import {
  type AnalysisAnswer,
  type AnalysisRequest,
  type AnalysisThreadData,
  PHASE,
} from "./protocol.js";
import type { Outcome } from "./thread.js";
import { type PoolLog, ThreadPool } from "./thread-pool.js";

export interface AnalysersOptions {
  /** How many scripts are analysed at once, each in a thread of its own. */
  readonly threads: number;
  /** How long one script may take, in milliseconds, before it counts as a bomb. Metadata may take twice as long. */
  readonly timeoutMs?: number | undefined;
  /**
   * How much memory each of a thread's two parsers may add for a script, in MiB, and as much again its JavaScript objects. A thread
   * that collects facts has about 100 MiB to begin with.
   */
  readonly maxMemoryMb?: number | undefined;
  /**
   * Whether facts will be asked for: only then is CPython started. The built-in one takes seconds and 100 MiB a thread, another
   * one is a process for each thread.
   */
  readonly verdict: boolean;
  /** Who gives the verdict; the built-in Python if nothing is said. */
  readonly python?: Python | undefined;
  /** Files of YARA rules to scan for besides those that come along. */
  readonly ruleFiles?: readonly RuleFile[] | undefined;
  readonly log?: PoolLog | undefined;
}

/** Analysers of scripts, in threads that are replaced when a script kills them. */
export interface Analysers {
  /**
   * What any policy can judge. Any bytes have facts: those that kill their parser twice have that.
   *
   * @throws Error where the fault is Sluice's: a mistake in its code, a thread that cannot be started, or after {@link close}
   */
  facts(source: Uint8Array): Promise<ScriptFacts>;
  /** {@link facts}, judged. */
  report(source: Uint8Array, policy: Policy): Promise<AnalysisReport>;
  /**
   * {@link facts}, judged, and {@link metadata} in one, for which the script is parsed once.
   *
   * @throws Error as {@link facts} does
   */
  analyse(source: Uint8Array, policy: Policy): Promise<Analysis>;
  /**
   * Functions, classes, imports, dependencies and tools of a script that is valid.
   *
   * @throws {@link ParserKilled} where the script killed its parser twice
   * @throws Error as {@link facts} does, and for bytes that are no text
   */
  metadata(source: Uint8Array): Promise<AnalysisMetadata>;
  /** Kills every thread; what is under way is rejected. */
  close(): Promise<void>;
}

/** Everything that can be said of a script. */
export interface Analysis {
  readonly report: AnalysisReport;
  /** `null` where the report finds the script invalid, or refuses it because making this killed the parser twice. */
  readonly metadata: AnalysisMetadata | null;
}

/** A script killed the parser that should have read its structure, twice. */
export class ParserKilled extends Error {
  override readonly name = "ParserKilled";

  /** What a report has to say of it. */
  get finding(): Finding {
    return describeKill(this.reason);
  }

  constructor(readonly reason: KillReason) {
    super(`the script killed its parser twice (${reason})`);
  }
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_MEMORY_MB = 1024;
/**
 * With the 4 MiB that threads have by default, Pyodide traps on chains and nests that CPython has an answer to. With this much its
 * own guard against recursion is always the first to act. Only what is used is ever taken from the system.
 */
const STACK_MB = 256;
const MIB = 1_048_576;

/**
 * Starts the threads.
 *
 * @returns when all of them are ready
 * @throws Error where one cannot be started
 */
export async function createAnalysers(options: AnalysersOptions): Promise<Analysers> {
  const analysers = new PooledAnalysers(options);
  try {
    await analysers.ready();
  } catch (error) {
    await analysers.close();
    throw error;
  }
  return analysers;
}

class PooledAnalysers implements Analysers {
  readonly #pool: ThreadPool<AnalysisRequest, AnalysisAnswer, number>;
  readonly #timeoutMs: number;
  readonly #python: Python;

  constructor({
    threads,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    maxMemoryMb = DEFAULT_MAX_MEMORY_MB,
    verdict,
    python = BUILT_IN_PYTHON,
    ruleFiles = [],
    log,
  }: AnalysersOptions) {
    this.#timeoutMs = timeoutMs;
    this.#python = python;
    this.#pool = new ThreadPool({
      threads,
      log,
      start: (gift) => {
        const phase = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
        const budget = { timeoutMs, memoryBytes: maxMemoryMb * MIB };
        const { path } = python;
        const host =
          verdict && path !== undefined
            ? hostEngine((signal) => startNative({ path, budget, signal }))
            : undefined;
        const workerData: AnalysisThreadData = {
          verdict: host?.port ?? (verdict ? "built-in" : "none"),
          python,
          budget,
          ruleFiles,
          snapshot: gift as AnalysisThreadData["snapshot"],
          phase,
        };
        const worker = new Worker(new URL("./analysis-thread.js", import.meta.url), {
          workerData,
          transferList: host ? [host.port] : [],
          // Not the process's own, among which are loaders and options for other code.
          execArgv: [],
          stdout: true,
          stderr: true,
          resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: maxMemoryMb },
        });
        // What a dying parser prints is told by the outcome.
        worker.stdout.resume();
        worker.stderr.resume();
        return {
          worker,
          progress: () => Atomics.load(phase, 0),
          stopCompanions: async () => host?.close(),
        };
      },
    });
  }

  ready(): Promise<void> {
    return this.#pool.ready();
  }

  async facts(source: Uint8Array): Promise<ScriptFacts> {
    const outcome = await this.#ask(source, false);
    return outcome.killed ? factsOfKill(source, outcome, this.#python) : outcome.answer.facts;
  }

  async report(source: Uint8Array, policy: Policy): Promise<AnalysisReport> {
    return judge(await this.facts(source), policy);
  }

  async analyse(source: Uint8Array, policy: Policy): Promise<Analysis> {
    const outcome = await this.#ask(source, true);
    if (!outcome.killed) {
      const { facts, metadata } = outcome.answer;
      return { report: judge(facts, policy), metadata };
    }
    if (outcome.progress !== PHASE.metadata)
      return {
        report: judge(factsOfKill(source, outcome, this.#python), policy),
        metadata: null,
      };
    // The facts were lost with the thread that had collected them, and metadata has more time of its own.
    return analyseApart(source, policy, this);
  }

  async metadata(source: Uint8Array): Promise<AnalysisMetadata> {
    // What facts were collected of in time must not be lost for a slower moment.
    const outcome = await this.#pool.run(
      { kind: "metadata", source: compact(source) },
      this.#timeoutMs * 2,
    );
    if (outcome.killed) throw new ParserKilled(outcome.killed);
    if (outcome.answer.kind !== "metadata")
      throw new Error("a thread answered what it was not asked");
    return outcome.answer.metadata;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #ask(
    source: Uint8Array,
    withMetadata: boolean,
  ): Promise<Outcome<Extract<AnalysisAnswer, { kind: "facts" }>, number>> {
    const outcome = await this.#pool.run(
      { kind: "facts", source: compact(source), withMetadata },
      this.#timeoutMs,
    );
    if (outcome.killed) return outcome;
    const { answer } = outcome;
    if (answer.kind !== "facts") throw new Error("a thread answered what it was not asked");
    return { killed: null, answer };
  }
}

/** Facts and metadata by a thread each, so that what metadata does to a parser leaves the facts, which are told of it. */
export async function analyseApart(
  source: Uint8Array,
  policy: Policy,
  analysers: Pick<Analysers, "facts" | "metadata">,
): Promise<Analysis> {
  const facts = await analysers.facts(source);
  if (facts.structure === null) return { report: judge(facts, policy), metadata: null };
  try {
    return { report: judge(facts, policy), metadata: await analysers.metadata(source) };
  } catch (error) {
    if (!(error instanceof ParserKilled)) throw error;
    return { report: judge(withFinding(facts, error.finding), policy), metadata: null };
  }
}

/** @param kill - how collecting the facts ended, twice */
function factsOfKill(
  source: Uint8Array,
  { killed, progress }: { readonly killed: KillReason; readonly progress: number },
  python: Python,
): ScriptFacts {
  const verdict = { valid: progress !== PHASE.verdict, error: null, killed };
  const decoded = decodeSource(source);
  const facts = collectFacts({ source, decoded, verdict, parsed: undefined, python });
  // What could not be scanned must not look as if it had been.
  return progress === PHASE.scan ? withFinding(facts, unscanned(killed)) : facts;
}

/** @throws Error that names the program, too */
async function startNative(options: NativeOptions): Promise<NativeEngine> {
  try {
    return await NativeEngine.start(options);
  } catch (error) {
    if (!(error instanceof NotStarted)) throw error;
    throw new Error(`${options.path} ${error.message}`, { cause: error });
  }
}

/** A view is sent with the whole buffer behind it, which for a script out of a chunk is all the others too. */
function compact(source: Uint8Array): Uint8Array {
  return source.byteLength === source.buffer.byteLength ? source : new Uint8Array(source);
}
