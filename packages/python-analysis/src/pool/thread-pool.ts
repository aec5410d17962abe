import { type Outcome, type StartedWorker, Thread } from "./thread.js";

/** Where the pool says what it had to do; a pino logger is one. */
export interface PoolLog {
  warn(details: object, message: string): void;
}

export interface ThreadPoolOptions<Progress> {
  readonly threads: number;
  /** Makes a thread. It is given what the first thread that started handed over, `undefined` for the first itself. */
  readonly start: (gift: unknown) => StartedWorker<Progress>;
  readonly log?: PoolLog | undefined;
}

interface Job<Request, Answer, Progress> {
  readonly request: Request;
  readonly timeoutMs: number;
  readonly resolve: (outcome: Outcome<Answer, Progress>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Threads that may be killed by what they are asked.
 *
 * A request that killed its thread is asked once more, alone, in the fresh thread that replaces it; requests that wait or run in
 * other threads notice nothing. Piscina can abort a task, but its time limits run from the moment of queueing, and it can
 * neither replace a thread that asks for it nor put a second try into a thread of its own, which is most of what is wanted here.
 */
export class ThreadPool<Request, Answer, Progress> {
  readonly #options: ThreadPoolOptions<Progress>;
  readonly #jobs: Job<Request, Answer, Progress>[] = [];
  /** Threads' loops that wait for a job. */
  readonly #idle: ((job: Job<Request, Answer, Progress> | undefined) => void)[] = [];
  readonly #running = new Set<Thread<Request, Answer, Progress>>();
  readonly #loops: Promise<void>[];
  readonly #warm: Promise<unknown>;
  #gift: unknown;
  #closed = false;

  constructor(options: ThreadPoolOptions<Progress>) {
    this.#options = options;
    // The others wait for the first one, whose gift makes their start cheap.
    const first = this.#start();
    const others = Array.from({ length: options.threads - 1 }, async () => {
      await first.catch(() => {});
      return this.#start();
    });
    const all = [first, ...others];
    this.#warm = Promise.all(all);
    this.#warm.catch(() => {});
    this.#loops = all.map((thread) => this.#serve(thread));
  }

  /** Resolves once every thread takes requests; rejects where one could not start. */
  async ready(): Promise<void> {
    await this.#warm;
  }

  /**
   * @param timeoutMs - how long a thread may take; waiting for one does not count
   * @returns the answer, or what killed a fresh thread on the second try
   * @throws Error where the thread's code failed, no thread could be started, or the pool was closed
   */
  run(request: Request, timeoutMs: number): Promise<Outcome<Answer, Progress>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closedError());
        return;
      }
      const job = { request, timeoutMs, resolve, reject };
      const take = this.#idle.shift();
      if (take) take(job);
      else this.#jobs.push(job);
    });
  }

  /** Kills every thread; what was asked and not answered is rejected. Nothing is left that keeps the process alive. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#jobs.splice(0)) job.reject(closedError());
    for (const take of this.#idle.splice(0)) take(undefined);
    await Promise.all([...this.#running].map((thread) => thread.stop()));
    await Promise.all(this.#loops);
  }

  /** The life of one place in the pool: a thread, and the one that replaces it, and so on. */
  async #serve(first: Promise<Thread<Request, Answer, Progress>>): Promise<void> {
    let thread = await this.#settle(first);
    for (let job = await this.#next(); job; job = await this.#next()) {
      try {
        // It may have failed to start, or died while nobody asked it for anything.
        thread = await this.#replace(thread);
        let outcome = await thread.ask(job.request, job.timeoutMs);
        if (outcome.killed) {
          this.#options.log?.warn(
            { reason: outcome.killed },
            "a script killed its parser thread; trying it once more alone",
          );
          thread = await this.#replace(thread);
          outcome = await thread.ask(job.request, job.timeoutMs);
        }
        job.resolve(outcome);
      } catch (error) {
        // What a thread says that was ended while it started is of no use to anybody.
        job.reject(this.#closed ? closedError() : error);
      }
      // Not left to the next request, which should not wait for it.
      thread = await this.#settle(this.#replace(thread));
    }
    if (thread) await this.#retire(thread);
  }

  /** @returns the same thread as long as it is usable */
  async #replace(
    thread: Thread<Request, Answer, Progress> | undefined,
  ): Promise<Thread<Request, Answer, Progress>> {
    if (thread?.usable) return thread;
    if (thread) await this.#retire(thread);
    return this.#start();
  }

  async #start(): Promise<Thread<Request, Answer, Progress>> {
    if (this.#closed) throw closedError();
    const thread = new Thread<Request, Answer, Progress>(this.#options.start(this.#gift));
    this.#running.add(thread);
    try {
      const gift = await thread.ready;
      this.#gift ??= gift;
      return thread;
    } catch (error) {
      await this.#retire(thread);
      throw error;
    }
  }

  async #settle(
    starting: Promise<Thread<Request, Answer, Progress>>,
  ): Promise<Thread<Request, Answer, Progress> | undefined> {
    try {
      return await starting;
    } catch (error) {
      if (!this.#closed) this.#options.log?.warn({ err: error }, "a parser thread did not start");
      return undefined;
    }
  }

  async #retire(thread: Thread<Request, Answer, Progress>): Promise<void> {
    await thread.stop();
    this.#running.delete(thread);
  }

  async #next(): Promise<Job<Request, Answer, Progress> | undefined> {
    if (this.#closed) return undefined;
    return this.#jobs.shift() ?? new Promise((resolve) => this.#idle.push(resolve));
  }
}

function closedError(): Error {
  return new Error("the parser threads were closed");
}
