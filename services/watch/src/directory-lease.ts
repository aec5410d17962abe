import { randomUUID } from "node:crypto";
import { type Catalog, holdDirectory, releaseDirectory } from "@sluice/catalog";
import type { Logger } from "@sluice/runtime";

/** Another process has the directory, or this one is to stop. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

export interface LeaseDeps {
  readonly catalog: Catalog;
  readonly leaseMs: number;
  readonly log: Logger;
  /** Of the shutdown. */
  readonly signal: AbortSignal;
}

/** Keeps one directory to this process. It is renewed by a clock of its own, however long an upload takes. */
export class DirectoryLease {
  readonly token = randomUUID();
  #heldUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  #lost = new AbortController();

  constructor(
    private readonly directory: string,
    private readonly deps: LeaseDeps,
  ) {}

  /** Aborted when the lease is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** @throws {@link LeaseLostError} where this process does not have the directory, or is to stop */
  check(): void {
    if (this.deps.signal.aborted || performance.now() >= this.#heldUntil) {
      throw new LeaseLostError();
    }
  }

  /**
   * Takes the directory, unless this process has it.
   *
   * @throws {@link LeaseLostError} where another process has it
   */
  async take(): Promise<void> {
    if (this.deps.signal.aborted) throw new LeaseLostError();
    if (performance.now() < this.#heldUntil) return;
    this.#lose();
    if (!(await this.#hold())) throw new LeaseLostError();
    this.#lost = new AbortController();
    this.#timer = setInterval(() => void this.#renew(), this.deps.leaseMs / 4);
  }

  /** Lets it go. */
  async release(): Promise<void> {
    this.#lose();
    await releaseDirectory(this.deps.catalog, { directory: this.directory, token: this.token });
  }

  async #renew(): Promise<void> {
    try {
      if (!(await this.#hold())) this.#lose();
    } catch (error) {
      this.deps.log.warn({ err: error }, "the lease of a directory was not renewed");
      if (performance.now() >= this.#heldUntil) this.#lose();
    }
  }

  async #hold(): Promise<boolean> {
    const { catalog, leaseMs } = this.deps;
    const now = performance.now();
    const held = await holdDirectory(catalog, {
      directory: this.directory,
      token: this.token,
      leaseMs,
    });
    if (held) this.#heldUntil = now + leaseMs;
    return held;
  }

  #lose(): void {
    clearInterval(this.#timer);
    this.#heldUntil = 0;
    this.#lost.abort();
  }
}
