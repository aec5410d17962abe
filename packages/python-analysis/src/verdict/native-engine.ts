/** CPython as a process of its own: `data/judge.py`, run by an interpreter of this machine. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Budget } from "./bombs.js";
import { type CompileVerdict, EngineLost, type KillReason, type VerdictEngine } from "./types.js";
import { readError, type RawError } from "./raw-error.js";

const PROGRAM = fileURLToPath(new URL("../../data/judge.py", import.meta.url));
const LENGTH_BYTES = 4;
/** No interpreter introduces itself at greater length. */
const MAX_GREETING_BYTES = 10_000;
const KEPT_STDERR = 2_000;
/** A busy machine takes its time, and what PYTHON_BIN names may be a wrapper that does so as well. */
const START_TIMEOUT_MS = 30_000;
/** Beyond the time of one script, which whoever asks watches: this ends one that nobody watches any more. */
const CPU_MARGIN_SECONDS = 2;

/** What an interpreter says of itself when it starts. */
export interface Greeting {
  /** `sys.implementation.name` */
  readonly implementation: string;
  /** Such as `3.11.7`. */
  readonly version: string;
  readonly version_info: readonly [major: number, minor: number];
}

type Answer =
  | { readonly error: RawError | null; readonly grown: number }
  | { readonly lost: KillReason };

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: EngineLost) => void;
}

export interface NativeOptions {
  /** Path of the program. */
  readonly path: string;
  /** What one script may take. The time is enforced by whoever asks; here it bounds the CPU time of one that hangs. */
  readonly budget: Budget;
  readonly startTimeoutMs?: number | undefined;
  /** Gives up a start that takes its time. */
  readonly signal?: AbortSignal | undefined;
}

/** The program did not start, or does not speak as `judge.py` does. */
export class NotStarted extends Error {
  override readonly name = "NotStarted";

  constructor(
    message: string,
    /** Whether the program ended by itself. */
    readonly ended: boolean,
  ) {
    super(message);
  }
}

/**
 * One child process. It has an empty environment, ignores site-packages and `PYTHON*` variables, and may write no file, start no
 * process and take no more memory than its budget (on Linux; other systems do not enforce all of it).
 *
 * It dies with the thread that started it (Linux), else at the end of its input, else at its limit on CPU time. A thread that is
 * terminated reaps no children, though: start it in one that is not.
 */
export class NativeEngine implements VerdictEngine {
  readonly greeting: Greeting;
  readonly #child: ChildProcess;
  readonly #frames: Frames;
  readonly #exited: Promise<unknown>;
  readonly #pending: Pending[] = [];
  #memoryGrown = 0;
  #lost: EngineLost | undefined;

  private constructor(
    child: ChildProcess,
    frames: Frames,
    exited: Promise<unknown>,
    greeting: Greeting,
  ) {
    this.#child = child;
    this.#frames = frames;
    this.#exited = exited;
    this.greeting = greeting;
    frames.onFrame = (frame) => this.#hear(frame);
    child.once("exit", (_code, signal) => this.#lose(reasonOf(signal), signal ?? "it ended"));
  }

  /**
   * Starts an interpreter: tens of milliseconds.
   *
   * @throws {@link NotStarted} that says why it does not start, in one line
   */
  static async start(options: NativeOptions): Promise<NativeEngine> {
    const { path, budget, startTimeoutMs = START_TIMEOUT_MS, signal } = options;
    const cpuSeconds = Math.ceil(budget.timeoutMs / 1_000) + CPU_MARGIN_SECONDS;
    const args = ["-I", "-S", "-B", PROGRAM, String(budget.memoryBytes), String(cpuSeconds)];
    const child = spawnApart(path, args);
    const exited = once(child, "exit").catch(() => {});
    // What goes wrong with a pipe of one that has died is told by its exit.
    for (const stream of child.stdio) stream?.on("error", () => {});
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < KEPT_STDERR) stderr += text;
    });
    const frames = new Frames(child);
    let timer: NodeJS.Timeout | undefined;
    try {
      const greeting = await new Promise<Greeting>((resolve, reject) => {
        const fail = (message: string, ended = false): void =>
          reject(new NotStarted(message, ended));
        timer = setTimeout(
          () => fail(`says nothing for ${startTimeoutMs / 1_000} s`),
          startTimeoutMs,
        );
        signal?.addEventListener("abort", () => fail("was given up while it started"));
        child.once("error", (error: NodeJS.ErrnoException) =>
          fail(`cannot be run (${error.code ?? error.message})`),
        );
        // Not `exit`, after which its last words may still be on their way.
        child.once("close", (code, signal) => fail(describeEnd(code, signal, stderr), true));
        frames.onRubbish = () => fail("does not answer as Python does");
        frames.onFrame = (frame) => {
          const said = readGreeting(frame);
          if (said) resolve(said);
          else fail("does not answer as Python does");
        };
      });
      frames.maxBytes = Number.POSITIVE_INFINITY;
      return new NativeEngine(child, frames, exited, greeting);
    } catch (error) {
      killGroup(child);
      if (child.pid !== undefined) await exited;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pythonVersion(): string {
    return this.greeting.version;
  }

  get memoryGrown(): number {
    return this.#memoryGrown;
  }

  /** Process number of the interpreter. */
  get pid(): number {
    return this.#child.pid!;
  }

  async compile(source: Uint8Array): Promise<CompileVerdict> {
    if (this.#lost) throw this.#lost;
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      const stdin = this.#child.stdin!;
      const length = Buffer.allocUnsafe(LENGTH_BYTES);
      length.writeUInt32BE(source.byteLength);
      // One write for both.
      stdin.cork();
      stdin.write(length);
      stdin.write(source);
      stdin.uncork();
    });
    if ("lost" in answer) throw this.#lose(answer.lost, "it had no memory left");
    this.#memoryGrown = Math.max(this.#memoryGrown, answer.grown);
    const error = answer.error === null ? null : readError(answer.error);
    return { valid: error === null, error, killed: null };
  }

  /** Kills it, whatever it is doing; what it was asked is rejected. Resolves when the process is gone. */
  async close(): Promise<void> {
    this.#lose("trap", "it was closed");
    await this.#exited;
  }

  #hear(frame: Buffer): void {
    let answer: Answer;
    try {
      answer = JSON.parse(frame.toString()) as Answer;
    } catch {
      this.#lose("trap", "it does not answer as it did");
      return;
    }
    this.#pending.shift()?.resolve(answer);
  }

  #lose(reason: KillReason, why: string): EngineLost {
    if (this.#lost) return this.#lost;
    const lost = new EngineLost(reason, { cause: new Error(why) });
    this.#lost = lost;
    this.#frames.onFrame = () => {};
    killGroup(this.#child);
    for (const { reject } of this.#pending.splice(0)) reject(lost);
    return lost;
  }
}

/** @throws {@link NotStarted} where not even a process could be made; most errors come from the child, later */
function spawnApart(path: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  let child: ChildProcessWithoutNullStreams;
  try {
    // A process group of its own: what PYTHON_BIN names may be a wrapper, which must not leave its child behind.
    child = spawn(path, args, { env: {}, cwd: "/", detached: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NotStarted(`cannot be run (${code ?? message})`, false);
  }
  if ((child as ChildProcess).stdin) return child;
  // It has an error to tell, but no pipes.
  child.once("error", () => {});
  throw new NotStarted("cannot be run (no more files can be opened)", false);
}

/** Splits what a child writes into frames. */
class Frames {
  onFrame: (frame: Buffer) => void = () => {};
  onRubbish: () => void = () => {};
  maxBytes = MAX_GREETING_BYTES;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor({ stdout }: ChildProcess) {
    stdout!.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      while (this.#split());
    });
  }

  #split(): boolean {
    if (this.#length < LENGTH_BYTES) return false;
    if (this.#chunks[0]!.length < LENGTH_BYTES) this.#join();
    const wanted = LENGTH_BYTES + this.#chunks[0]!.readUInt32BE();
    if (wanted > this.maxBytes) {
      this.onRubbish();
      return false;
    }
    if (this.#length < wanted) return false;
    const all = this.#join();
    const rest = all.subarray(wanted);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    this.onFrame(all.subarray(LENGTH_BYTES, wanted));
    return true;
  }

  #join(): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}

/** Kills a child that was started detached, and what it has started. */
export function killGroup({ pid, exitCode, signalCode, stdio }: ChildProcess): void {
  for (const stream of stdio) stream?.destroy();
  // Once it has been waited for, its number may be somebody else's.
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

/** Its limit on CPU time sends SIGXCPU; SIGKILL that was not sent from here is the system's, which has run out of memory. */
function reasonOf(signal: NodeJS.Signals | null): KillReason {
  return signal === "SIGXCPU" ? "timeout" : signal === "SIGKILL" ? "memory" : "trap";
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null, stderr: string): string {
  const end = signal === null ? `ends at once (exit code ${code})` : `ends at once (${signal})`;
  const last = stderr.trim().split("\n").at(-1)?.trim();
  return last ? `${end}: ${last.slice(0, 200)}` : end;
}

function readGreeting(frame: Buffer): Greeting | undefined {
  try {
    const said = JSON.parse(frame.toString()) as Partial<Greeting> | null;
    const { implementation, version, version_info: info } = said ?? {};
    if (typeof implementation !== "string" || typeof version !== "string") return undefined;
    if (!Array.isArray(info) || !info.every(Number.isInteger)) return undefined;
    return said as Greeting;
  } catch {
    return undefined;
  }
}
