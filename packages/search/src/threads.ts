import { Worker } from "node:worker_threads";
import { ExpressionError } from "./pattern.js";
import type { Found, Rank, SearchSpec } from "./verify.js";

export interface Candidate {
  /** Number of its document. */
  readonly document: number;
  readonly filename: string;
}

export interface VerifyRequest {
  readonly spec: SearchSpec;
  readonly rank: Rank | undefined;
  /** Those of one document beside each other. */
  readonly candidates: readonly Candidate[];
  /** Packed, by number; a candidate without one is none. */
  readonly documents: ReadonlyMap<number, Uint8Array>;
  /** Ends once so many are found. */
  readonly wanted: number;
  /** Ends after the candidate at which so much time is over. */
  readonly timeMs: number;
}

export interface Verified {
  readonly found: readonly { readonly index: number; readonly found: Found }[];
  /** How many of the candidates were looked at. */
  readonly looked: number;
  /** The last of them took too long, and was given up. */
  readonly gaveUp: boolean;
}

export type ThreadAnswer =
  | { readonly kind: "found"; readonly index: number; readonly found: Found }
  | { readonly kind: "verified"; readonly looked: number }
  | { readonly kind: "wrong"; readonly reason: string; readonly fragment: string };

/** More is asked for than the threads can do. */
export class SearchBusyError extends Error {
  override readonly name = "SearchBusyError";
  constructor() {
    super("too much is being searched for at once");
  }
}

/** How long one candidate may take beyond the time of its request, in milliseconds. */
const GRACE_MS = 3_000;
const MEMORY_MB = 512;
/** How long a request waits for a thread, in milliseconds; who asked for it has hardly patience for more. */
const LONGEST_WAIT_MS = 5_000;

interface Job {
  readonly request: VerifyRequest;
  readonly waiting: NodeJS.Timeout;
  readonly resolve: (verified: Verified) => void;
  readonly reject: (error: unknown) => void;
}

/** What a thread is at. */
interface Task {
  readonly onAnswer: (answer: ThreadAnswer) => void;
  /** The thread has ended. */
  readonly onEnd: () => void;
}

/**
 * Threads that look at candidates, off the event loop. One that does not come back is ended, its candidate given up, and the thread
 * replaced.
 */
export class SearchThreads {
  readonly #waiting: Job[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  #closed = false;

  /**
   * @param threads - at most; they are started when there is something to do
   * @param maxWaiting - requests that wait for a thread, at most
   * @param longestWaitMs - how long one waits, at most
   */
  constructor(
    private readonly threads: number,
    private readonly maxWaiting: number,
    private readonly longestWaitMs = LONGEST_WAIT_MS,
  ) {}

  /** @throws {@link SearchBusyError}; {@link ExpressionError} where a text of the query is no expression */
  verify(request: VerifyRequest): Promise<Verified> {
    return new Promise((resolve, reject) => {
      if (this.#closed || this.#waiting.length >= this.maxWaiting) {
        reject(new SearchBusyError());
        return;
      }
      const waiting = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(job), 1);
        reject(new SearchBusyError());
      }, this.longestWaitMs);
      const job: Job = { request, waiting, resolve, reject };
      this.#waiting.push(job);
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject, waiting } of this.#waiting.splice(0)) {
      clearTimeout(waiting);
      reject(new SearchBusyError());
    }
    await Promise.all(
      [...this.#idle.splice(0), ...this.#busy.keys()].map((worker) => worker.terminate()),
    );
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const worker = this.#idle.pop() ?? (this.#busy.size < this.threads ? this.#start() : undefined);
    if (worker === undefined) return;
    worker.ref();
    this.#ask(worker, this.#take());
  }

  /** Plain text before expressions: it is quickly looked for, and must not wait for those that are made to take long. */
  #take(): Job {
    const plain = this.#waiting.findIndex(({ request }) => !request.spec.options.regex);
    const [job] = this.#waiting.splice(Math.max(0, plain), 1);
    clearTimeout(job!.waiting);
    return job!;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./thread.js", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    worker.on("message", (answer: ThreadAnswer) => this.#busy.get(worker)?.onAnswer(answer));
    // Out of memory, above all. Its exit follows.
    worker.on("error", () => {});
    worker.on("exit", () => {
      const place = this.#idle.indexOf(worker);
      if (place >= 0) this.#idle.splice(place, 1);
      this.#busy.get(worker)?.onEnd();
    });
    return worker;
  }

  #ask(worker: Worker, { request, resolve, reject }: Job): void {
    const found: { index: number; found: Found }[] = [];
    const progress = new Int32Array(new SharedArrayBuffer(4));
    const end = (): void => {
      clearTimeout(timer);
      this.#busy.delete(worker);
    };
    const giveUp = (): void => {
      end();
      void worker.terminate();
      if (this.#closed || request.candidates.length === 0) reject(new SearchBusyError());
      else resolve({ found, looked: Atomics.load(progress, 0) + 1, gaveUp: true });
      this.#next();
    };
    const timer = setTimeout(giveUp, request.timeMs + GRACE_MS);
    const onAnswer = (answer: ThreadAnswer): void => {
      if (answer.kind === "found") {
        found.push({ index: answer.index, found: answer.found });
        return;
      }
      end();
      worker.unref();
      this.#idle.push(worker);
      if (answer.kind === "wrong") reject(new ExpressionError(answer.reason, answer.fragment));
      else resolve({ found, looked: answer.looked, gaveUp: false });
      this.#next();
    };
    this.#busy.set(worker, { onAnswer, onEnd: giveUp });
    worker.postMessage({ ...request, progress });
  }
}
