import { randomUUID } from "node:crypto";
import {
  type Catalog,
  type Claim,
  CLAIM_SECONDS,
  claimIdempotencyKey,
  type Held,
  releaseIdempotencyKeys,
} from "@sluice/catalog";

const RETRY_MS = 500;
/** Beyond so many that wait, claims are left to run out. */
const MAX_UNRELEASED = 10_000;

/** Claims of `Idempotency-Key`s by the requests of this process, given back where those fail. */
export class KeyClaims {
  /** What could not be given back yet, and until when it is worth trying (milliseconds since 1970). */
  readonly #unreleased = new Map<string, { readonly held: Held; readonly until: number }>();
  #retry: NodeJS.Timeout | undefined;

  constructor(private readonly catalog: Catalog) {}

  /**
   * Claims a key for one request.
   *
   * @returns also how to give it back; that never throws: while the catalog is away it is tried again, and
   *   what nobody gives back runs out by itself
   */
  async claim(request: {
    readonly key: string;
    readonly fingerprint: string;
  }): Promise<{ readonly claim: Claim; readonly release: () => Promise<void> }> {
    const held: Held = { key: request.key, holder: randomUUID() };
    try {
      const claim = await claimIdempotencyKey(this.catalog, { ...request, ...held });
      return { claim, release: () => this.#release(held) };
    } catch (error) {
      // It may have been committed, and only the answer lost.
      this.#later(held);
      throw error;
    }
  }

  async #release(held: Held): Promise<void> {
    try {
      await releaseIdempotencyKeys(this.catalog, [held]);
    } catch {
      this.#later(held);
    }
  }

  #later(held: Held): void {
    if (this.#unreleased.size >= MAX_UNRELEASED) return;
    this.#unreleased.set(held.holder, { held, until: Date.now() + CLAIM_SECONDS * 1_000 });
    if (this.#retry === undefined) this.#retryLater();
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.#releaseAll();
    }, RETRY_MS).unref();
  }

  async #releaseAll(): Promise<void> {
    const now = Date.now();
    for (const [holder, { until }] of this.#unreleased)
      if (until < now) this.#unreleased.delete(holder);
    const all = [...this.#unreleased.values()].map(({ held }) => held);
    try {
      if (all.length > 0) await releaseIdempotencyKeys(this.catalog, all);
      for (const { holder } of all) this.#unreleased.delete(holder);
    } catch {
      // The next round will.
    }
    if (this.#unreleased.size > 0 && this.#retry === undefined) this.#retryLater();
  }
}
