import type { Consumer, QueueLog } from "./queue.js";

/** What is used of BullMQ's `Worker`, made with `autorun: false`. */
export interface BullWorker {
  waitUntilReady(): Promise<unknown>;
  run(): Promise<void>;
  close(force?: boolean): Promise<void>;
}

const RETRY_MS = 500;

/**
 * Consumes as soon as the queue's server can be reached. BullMQ remembers a failed first connection for
 * ever: a worker that is made while PostgreSQL starts would fail in a tight loop and never recover, so
 * one that does not get ready is thrown away and made anew.
 */
export class PersistentConsumer implements Consumer {
  readonly #make: () => BullWorker;
  readonly #log: QueueLog;
  readonly #abort = new AbortController();
  readonly #started: Promise<BullWorker | undefined>;

  constructor(make: () => BullWorker, log: QueueLog) {
    this.#make = make;
    this.#log = log;
    this.#started = this.#start();
  }

  async #start(): Promise<BullWorker | undefined> {
    while (!this.#abort.signal.aborted) {
      const worker = this.#make();
      if (await this.#isReady(worker)) {
        worker.run().catch((err: unknown) => this.#log.warn({ err }, "the consumer ended"));
        return worker;
      }
      worker.close(true).catch(() => {});
      await this.#pause();
    }
    return undefined;
  }

  /** Resolves to `false` where it cannot be, or is not wanted any more. */
  #isReady(worker: BullWorker): Promise<boolean> {
    return new Promise((resolve) => {
      this.#abort.signal.addEventListener("abort", () => resolve(false), { once: true });
      worker.waitUntilReady().then(
        () => resolve(!this.#abort.signal.aborted),
        () => resolve(false),
      );
    });
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS);
      this.#abort.signal.addEventListener(
        "abort",
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }

  async close(): Promise<void> {
    this.#abort.abort();
    const worker = await this.#started;
    await worker?.close();
  }
}
