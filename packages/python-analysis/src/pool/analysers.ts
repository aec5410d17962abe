import { Worker } from "node:worker_threads";
import type { AnalysisMetadata, AnalysisReport, Finding } from "@sluice/contracts";
import { decodeSource } from "../decode.js";
import { describeKill } from "../findings/syntax.js";
import type { Policy } from "../policy/schema.js";
import { buildReport } from "../report.js";
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
   * that makes reports has about 100 MiB to begin with.
   */
  readonly maxMemoryMb?: number | undefined;
  /**
   * Whether reports will be asked for: only then is CPython started. The built-in one takes seconds and 100 MiB a thread, another
   * one is a process for each thread.
   */
  readonly verdict: boolean;
  /** Who gives the verdict; the built-in Python if nothing is said. */
  readonly python?: Python | undefined;
  readonly log?: PoolLog | undefined;
}

/** Analysers of scripts, in threads that are replaced when a script kills them. */
export interface Analysers {
  /**
   * Verdict, findings, capabilities. Any bytes get a report: those that kill their parser twice are reported as that.
   *
   * @throws Error where the fault is Sluice's: a mistake in its code, a thread that cannot be started, or after {@link close}
   */
  report(source: Uint8Array, policy: Policy): Promise<AnalysisReport>;
  /**
   * {@link report} and {@link metadata} in one, for which the script is parsed once.
   *
   * @throws Error as {@link report} does
   */
  analyse(source: Uint8Array, policy: Policy): Promise<Analysis>;
  /**
   * Functions, classes, imports, dependencies and tools of a script that a report found valid.
   *
   * @throws {@link ParserKilled} where the script killed its parser twice
   * @throws Error as {@link report} does, and for bytes that are no text
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
  readonly #policyIds = new WeakMap<Policy, number>();
  #policies = 0;

  constructor({
    threads,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    maxMemoryMb = DEFAULT_MAX_MEMORY_MB,
    verdict,
    python = BUILT_IN_PYTHON,
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

  async report(source: Uint8Array, policy: Policy): Promise<AnalysisReport> {
    const outcome = await this.#ask(source, policy, false);
    if (outcome.killed) return reportOfKill(source, policy, outcome, this.#python);
    return outcome.answer.report;
  }

  async analyse(source: Uint8Array, policy: Policy): Promise<Analysis> {
    const outcome = await this.#ask(source, policy, true);
    if (!outcome.killed) {
      const { report, metadata } = outcome.answer;
      return { report, metadata };
    }
    if (outcome.progress !== PHASE.metadata)
      return { report: reportOfKill(source, policy, outcome, this.#python), metadata: null };
    // The report was lost with the thread that had made it, and metadata has more time of its own.
    return analyseApart(source, policy, this);
  }

  async metadata(source: Uint8Array): Promise<AnalysisMetadata> {
    // What a report was made of in time must not be lost for a slower moment.
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
    policy: Policy,
    withMetadata: boolean,
  ): Promise<Outcome<Extract<AnalysisAnswer, { kind: "report" }>, number>> {
    const outcome = await this.#pool.run(
      {
        kind: "report",
        source: compact(source),
        policy,
        policyId: this.#idOf(policy),
        withMetadata,
      },
      this.#timeoutMs,
    );
    if (outcome.killed) return outcome;
    const { answer } = outcome;
    if (answer.kind !== "report") throw new Error("a thread answered what it was not asked");
    return { killed: null, answer };
  }

  #idOf(policy: Policy): number {
    const known = this.#policyIds.get(policy);
    if (known !== undefined) return known;
    this.#policyIds.set(policy, ++this.#policies);
    return this.#policies;
  }
}

/** Report and metadata by a thread each, so that what metadata does to a parser leaves the report, which is told of it. */
export async function analyseApart(
  source: Uint8Array,
  policy: Policy,
  analysers: Pick<Analysers, "report" | "metadata">,
): Promise<Analysis> {
  const report = await analysers.report(source, policy);
  if (report.verdict === "invalid") return { report, metadata: null };
  try {
    return { report, metadata: await analysers.metadata(source) };
  } catch (error) {
    if (!(error instanceof ParserKilled)) throw error;
    const findings = [error.finding, ...report.findings];
    return { report: { ...report, verdict: "refused", findings }, metadata: null };
  }
}

/** @param kill - how making the report ended, twice */
function reportOfKill(
  source: Uint8Array,
  policy: Policy,
  { killed, progress }: { readonly killed: KillReason; readonly progress: number },
  python: Python,
): AnalysisReport {
  const verdict = { valid: progress !== PHASE.verdict, error: null, killed };
  const decoded = decodeSource(source);
  return buildReport({ source, decoded, verdict, parsed: undefined, policy, python });
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
