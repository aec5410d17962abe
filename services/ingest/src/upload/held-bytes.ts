import { ProblemError } from "../http/problem-error.js";

/** Counts the bytes of uploads that are held in memory, over all requests, and refuses what is too much. */
export class HeldBytes {
  #held = 0;

  constructor(readonly limit: number) {}

  get held(): number {
    return this.#held;
  }

  /** @throws {@link ProblemError} `overloaded` where that many more would be too much */
  checkRoom(bytes: number): void {
    if (this.#held + bytes > this.limit) {
      throw new ProblemError(
        "overloaded",
        "The server is taking as many uploads as it has memory for. Nothing was stored; try again in a moment.",
        { headers: { "Retry-After": "1" } },
      );
    }
  }

  /** Counts the bytes of one request; whoever opens it must release it. */
  open(): Holding {
    let mine = 0;
    return {
      add: (bytes) => {
        this.checkRoom(bytes);
        this.#held += bytes;
        mine += bytes;
      },
      release: () => {
        this.#held -= mine;
        mine = 0;
      },
    };
  }
}

export interface Holding {
  /** @throws {@link ProblemError} `overloaded` */
  add(bytes: number): void;
  release(): void;
}
