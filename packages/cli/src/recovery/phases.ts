import type { WriteStream } from "node:tty";

const EVERY_MS = 500;

/** Shows how far each phase of a long work is: one line that changes on a terminal; elsewhere a line now and again, and the last one. */
export class Phases {
  #phase = "";
  #line = "";
  #shown = "";
  #shownAt = 0;

  constructor(private readonly stream: WriteStream) {}

  show(phase: string, done: number, total: number): void {
    const isNew = phase !== this.#phase;
    if (isNew) this.end();
    this.#phase = phase;
    this.#line = `${phase}: ${done}/${Math.max(done, total)}`;
    const now = Date.now();
    const pause = this.stream.isTTY ? EVERY_MS : 10 * EVERY_MS;
    if (!isNew && now - this.#shownAt < pause) return;
    this.#shownAt = now;
    this.#shown = this.#line;
    this.stream.write(this.stream.isTTY ? `\r\u001b[K${this.#line}` : `${this.#line}\n`);
  }

  /** Leaves the last word of a phase behind. */
  end(): void {
    if (this.#line === "") return;
    if (this.stream.isTTY) this.stream.write(`\r\u001b[K${this.#line}\n`);
    else if (this.#line !== this.#shown) this.stream.write(`${this.#line}\n`);
    this.#line = "";
  }
}
