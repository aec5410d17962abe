/** How much of what was read is still held, so that reading waits for writing. For one reader at a time. */
export class HeldBytes {
  #held = 0;
  #wake: (() => void) | undefined;

  constructor(private readonly limit: number) {}

  /** Resolves when there is room again; something may always be held, however large it is. */
  async room(): Promise<void> {
    while (this.#held >= this.limit) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  take(bytes: number): void {
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
    this.#wake?.();
  }
}
