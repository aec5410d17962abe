/**
 * A limit on WebAssembly memory, which a thread's `resourceLimits` do not count.
 *
 * Emscripten asks JavaScript for every growth, so the limit is kept there: a growth that is refused makes `malloc` fail, and
 * CPython raises `MemoryError` where an unlimited instance would go on until the machine swaps. Nothing needs to watch the
 * process from outside, and the thread at fault is known.
 */

const PAGE_BYTES = 65_536;

/** How much WebAssembly memory this thread has added, of what it may. */
export class MemoryLimit {
  #grownBytes = 0;
  #exceeded = false;

  /** @param maxBytes - how far all instances of this thread together may grow beyond their first size */
  constructor(private readonly maxBytes: number) {}

  get grownBytes(): number {
    return this.#grownBytes;
  }

  /** Whether a growth was refused; whatever the instance said afterwards is no verdict. */
  get exceeded(): boolean {
    return this.#exceeded;
  }

  /** Puts the limit on every instance of this thread, present and future. */
  install(): void {
    const limit = this;
    // eslint-disable-next-line typescript/unbound-method
    const grow = WebAssembly.Memory.prototype.grow;
    WebAssembly.Memory.prototype.grow = function (pages) {
      const bytes = pages * PAGE_BYTES;
      if (limit.#grownBytes + bytes > limit.maxBytes) {
        limit.#exceeded = true;
        throw new RangeError("this thread may not have more WebAssembly memory");
      }
      const before = grow.call(this, pages);
      limit.#grownBytes += bytes;
      return before;
    };
  }
}
