import { Worker } from "node:worker_threads";
import type { Comparison, ToolProfile } from "@sluice/contracts";
import { ProblemError } from "../http/problem-error.js";
import type { Diffed } from "./unified-diff.js";

/** Two versions; what is `undefined` is not compared. */
export interface ComparisonInput {
  readonly sources: readonly [string, string] | undefined;
  /** As JSON. */
  readonly metadata: readonly [string, string] | undefined;
  readonly reports: readonly [string, string] | undefined;
  readonly context: number;
  /** Of the files, as the diff has them. */
  readonly names: readonly [string, string];
  readonly profile: ToolProfile;
}

export interface Compared {
  readonly source: Diffed | undefined;
  readonly analysis: Pick<
    Comparison,
    "functions" | "tools" | "imports" | "dependencies" | "capabilities" | "findings"
  >;
  readonly listsCut: boolean;
}

const AT_ONCE = 2;
const MOST_WAITING = 16;
const TIMEOUT_MS = 20_000;
const MEMORY_MB = 512;

/** Compares versions in threads of their own, a few at a time. */
export class Comparer {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** @throws {@link ProblemError} `too_many_comparisons` or `comparison_too_large` */
  async compare(input: ComparisonInput): Promise<Compared> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING) {
        throw new ProblemError(
          "too_many_comparisons",
          "Many versions are being compared already. Try again in a moment.",
          { headers: { "Retry-After": "2" } },
        );
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await runThread(input);
    } finally {
      // Whoever waits takes over the place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

function runThread(input: ComparisonInput): Promise<Compared> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL("./thread.js", import.meta.url), {
      workerData: input,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    const timer = setTimeout(() => {
      reject(tooLarge());
      void thread.terminate();
    }, TIMEOUT_MS);
    thread.once("message", resolve);
    thread.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? tooLarge() : error),
    );
    thread.once("exit", () => {
      clearTimeout(timer);
      reject(new Error("a comparison ended without an answer"));
    });
  });
}

function tooLarge(): ProblemError {
  return new ProblemError(
    "comparison_too_large",
    `The versions could not be compared within ${TIMEOUT_MS / 1_000} seconds and ${MEMORY_MB} MB.`,
  );
}
