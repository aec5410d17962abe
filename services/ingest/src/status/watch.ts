import type { StatusRef } from "@sluice/catalog";
import type { Status } from "@sluice/contracts";

export type ReadStatuses = (refs: readonly StatusRef[]) => Promise<readonly (Status | undefined)[]>;

interface Waiter {
  readonly ref: StatusRef;
  /** What was read; `undefined` where the script is gone. */
  tell(status: Status | undefined): void;
  fail(error: Error): void;
  /** The time is over. */
  readonly giveUp: () => void;
}

/** Refs of one query, at most; more are read by several, one after the other. */
const MAX_REFS = 500;

/**
 * Lets requests wait for news of a status. All that wait in this process share one query by primary
 * key each tick, however many they are; while nobody waits nothing is asked.
 */
export class StatusWatch {
  readonly #read: ReadStatuses;
  readonly #tickMs: number;
  readonly #waiters = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;
  #ticking = false;
  #closed = false;

  constructor(read: ReadStatuses, { tickMs }: { tickMs: number }) {
    this.#read = read;
    this.#tickMs = tickMs;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Resolves with the first status that is news, or, when the time is over, the signal aborts or this
   * is closed, with `latest` or what was read since; `undefined` where the script is gone.
   */
  wait(
    ref: StatusRef,
    latest: Status,
    isNews: (status: Status) => boolean,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<Status | undefined> {
    if (this.#closed || signal.aborted) return Promise.resolve(latest);
    return new Promise((resolve, reject) => {
      let seen = latest;
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        this.#waiters.delete(waiter);
        if (this.#waiters.size === 0) this.#stop();
      };
      const giveUp = (): void => {
        leave();
        resolve(seen);
      };
      const waiter: Waiter = {
        ref,
        giveUp,
        tell(status) {
          if (status !== undefined) seen = status;
          if (status !== undefined && !isNews(status)) return;
          leave();
          resolve(status);
        },
        fail(error) {
          leave();
          reject(error);
        },
      };
      const timer = setTimeout(giveUp, timeoutMs);
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiters.add(waiter);
      this.#schedule();
    });
  }

  /** Answers all who wait at once, and whoever comes later. */
  close(): void {
    this.#closed = true;
    for (const { giveUp } of this.#waiters) giveUp();
  }

  #schedule(): void {
    if (this.#ticking) return;
    this.#timer ??= setTimeout(() => void this.#tick(), this.#tickMs);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #tick(): Promise<void> {
    this.#timer = undefined;
    this.#ticking = true;
    const waiters = [...this.#waiters];
    try {
      await this.#look(waiters);
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      for (const waiter of waiters) waiter.fail(reason);
    }
    this.#ticking = false;
    if (this.#waiters.size > 0) this.#schedule();
  }

  async #look(waiters: readonly Waiter[]): Promise<void> {
    const byRef = new Map<string, { ref: StatusRef; waiters: Waiter[] }>();
    for (const waiter of waiters) {
      const key = `${waiter.ref.scriptId} ${waiter.ref.version ?? ""}`;
      const entry = byRef.get(key);
      if (entry === undefined) byRef.set(key, { ref: waiter.ref, waiters: [waiter] });
      else entry.waiters.push(waiter);
    }
    const entries = [...byRef.values()];
    for (let start = 0; start < entries.length; start += MAX_REFS) {
      const some = entries.slice(start, start + MAX_REFS);
      const statuses = await this.#read(some.map(({ ref }) => ref));
      for (const [index, { waiters: interested }] of some.entries()) {
        for (const waiter of interested) waiter.tell(statuses[index]);
      }
    }
  }
}
