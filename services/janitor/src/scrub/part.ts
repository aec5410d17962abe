import type { HealDeps } from "@sluice/backup";
import type { ScrubCounts, ScrubPass } from "@sluice/catalog";
import type { Logger } from "@sluice/runtime";
import type { Pace } from "./pace.js";

/** What the steps of a pass work with. */
export interface StepDeps extends HealDeps {
  readonly log: Logger;
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

/** How a step ended. */
export type Step =
  /** `after` is where the next step goes on; without it the part is over. */
  | {
      readonly kind: "went";
      readonly after: string | undefined;
      readonly counts: Partial<ScrubCounts>;
    }
  /** A store seems to be another one than it should be: nothing was marked or written. */
  | { readonly kind: "halted"; readonly why: string }
  /** There was no time left; what was done will be done again. */
  | { readonly kind: "stopped" };

/** Looks at the next of one part of the stores, after where the last step has come to. Each step is safe to do twice. */
export type StepOf = (deps: StepDeps, pass: ScrubPass) => Promise<Step>;

/** Objects read at once, and listed at once. */
export const AT_ONCE = 8;
export const BATCH = 100;
