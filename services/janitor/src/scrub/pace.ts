import { setTimeout as delay } from "node:timers/promises";

/** What the scrub may read of the stores in a second. */
export interface Rate {
  readonly objectsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Holds a reader to a rate: it waits for what it has read already. */
export class Pace {
  #freeAt = performance.now();

  constructor(private readonly rate: Rate) {}

  /** Resolves once so much more may be read; early where the signal is aborted. */
  async spend(objects: number, bytes: number, signal: AbortSignal): Promise<void> {
    const { objectsPerSecond, bytesPerSecond } = this.rate;
    const seconds = Math.max(objects / objectsPerSecond, bytes / bytesPerSecond);
    // What was not used while nothing was read is not made up for.
    this.#freeAt = Math.max(this.#freeAt, performance.now()) + seconds * 1_000;
    const wait = this.#freeAt - performance.now();
    if (wait > 1) await delay(wait, undefined, { signal }).catch(() => undefined);
  }
}
