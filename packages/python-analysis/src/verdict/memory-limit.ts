/**
 * A limit on WebAssembly memory, which a thread's `resourceLimits` do not count.
 *
 * Emscripten asks JavaScript for every growth, so the limit is kept there: a growth that is refused makes `malloc` fail, and
 * CPython raises `MemoryError` where an unlimited instance would go on until the machine swaps. Nothing needs to watch the
 * process from outside, and the thread at fault is known.
 */

const PAGE_BYTES = 65_536;

/** How far the WebAssembly instances of this thread have grown, and may grow. */
export class MemoryLimit {
  readonly #grown = new WeakMap<WebAssembly.Memory, number>();
  #mostGrown = 0;
  #exceeded = false;

  /** @param maxBytes - how far each instance may grow beyond its first size */
  constructor(private readonly maxBytes: number) {}

  /** How far the largest of them has grown, in bytes. */
  get mostGrown(): number {
    return this.#mostGrown;
  }

  /** Whether a growth was refused; whatever the instance said afterwards is no verdict. */
  get exceeded(): boolean {
    return this.#exceeded;
  }

  /** Puts the limit on every instance of this thread, present and future. */
  install(): void {
    const { prototype } = WebAssembly.Memory;
    const grow = Object.getOwnPropertyDescriptor(prototype, "grow")!.value as typeof prototype.grow;
    const mayGrow = (memory: WebAssembly.Memory, bytes: number): boolean =>
      this.#mayGrow(memory, bytes);
    prototype.grow = function (pages) {
      if (!mayGrow(this, pages * PAGE_BYTES))
        throw new RangeError("this instance may not have more memory");
      return grow.call(this, pages);
    };
  }

  #mayGrow(memory: WebAssembly.Memory, bytes: number): boolean {
    const grown = (this.#grown.get(memory) ?? 0) + bytes;
    if (grown > this.maxBytes) {
      this.#exceeded = true;
      return false;
    }
    this.#grown.set(memory, grown);
    this.#mostGrown = Math.max(this.#mostGrown, grown);
    return true;
  }
}
