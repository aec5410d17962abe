/**
 * Writes in groups: while a group is being written the next one gathers, with no timer, so that a lone
 * item waits for nobody and a busy caller pays one commit for many items.
 */
export class GroupCommit<Item, Result> {
  readonly #write: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #maxItems: number;
  readonly #maxInFlight: number;
  readonly #waiting: Waiting<Item, Result>[] = [];
  #inFlight = 0;
  #scheduled = false;

  /**
   * @param write - writes a group; answers one result an item, in order; a throw fails the whole group
   * @param maxItems - items in a group, at most
   * @param maxInFlight - groups written at once; two keep the database busy while one returns
   */
  constructor(
    write: (items: readonly Item[]) => Promise<readonly Result[]>,
    { maxItems = 64, maxInFlight = 2 }: { maxItems?: number; maxInFlight?: number } = {},
  ) {
    this.#write = write;
    this.#maxItems = maxItems;
    this.#maxInFlight = maxInFlight;
  }

  /** Resolves with the item's result once its group is committed. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  /** Lets whatever is added in the same turn of the event loop go together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#inFlight < this.#maxInFlight && this.#waiting.length > 0) {
      this.#inFlight += 1;
      void this.#writeGroup(this.#waiting.splice(0, this.#maxItems)).finally(() => {
        this.#inFlight -= 1;
        this.#flush();
      });
    }
  }

  async #writeGroup(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#write(group.map(({ item }) => item));
      for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}
