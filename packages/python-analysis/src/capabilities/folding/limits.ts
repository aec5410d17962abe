/** What folding may cost in all: a script that needs more is not folded any further. */
export class Budget {
  #steps: number;
  #characters: number;

  /** @param length - of the script, with which both grow */
  constructor(length: number) {
    this.#steps = 30_000 + 4 * length;
    this.#characters = 4_000_000 + 8 * length;
  }

  get isSpent(): boolean {
    return this.#steps < 0 || this.#characters < 0;
  }

  /** Counts one step, or several. Returns `false` when there are none left. */
  step(count = 1): boolean {
    this.#steps -= count;
    return !this.isSpent;
  }

  /** Counts text that is to be made. Returns `false` when it is too long. */
  make(length: number): boolean {
    if (length > LONGEST_TEXT) return false;
    this.#characters -= length;
    return !this.isSpent;
  }

  get stepsLeft(): number {
    return this.#steps;
  }
}

/** Longer texts are not folded, in characters or bytes. Whoever hides code in one has it in the script at least once. */
export const LONGEST_TEXT = 1_000_000;
/** Longer numbers are not reckoned with, in bits. */
export const LONGEST_NUMBER = 65_536;
/** Collections of more are not made. */
export const MOST_ITEMS = 65_536;
/** Expressions that are nested deeper are left to the flow of values. */
export const DEEPEST_EXPRESSION = 150;
export const DEEPEST_CALL = 12;
