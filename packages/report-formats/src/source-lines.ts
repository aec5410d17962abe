import { decodeSource } from "@sluice/python-analysis/vocabulary";

/** Code points between two entries of a line's index. */
const STEP = 4_096;

/** A line of source in which columns are found fast, however long it is. */
export class SourceLine {
  /** Where every {@link STEP}th code point starts; only lines with surrogate pairs need it. */
  #index: number[] | undefined;
  readonly #hasPairs: boolean;

  constructor(readonly text: string) {
    this.#hasPairs = /[\ud800-\udbff]/.test(text);
  }

  /**
   * @param column - counts from 0, in code points
   * @returns the offset in UTF-16 units; the line's end for a column beyond it
   */
  offset(column: number): number {
    if (!this.#hasPairs) return Math.min(column, this.text.length);
    this.#index ??= this.#makeIndex();
    const entry = Math.min(Math.floor(column / STEP), this.#index.length - 1);
    let offset = this.#index[entry]!;
    for (let at = entry * STEP; at < column && offset < this.text.length; at++)
      offset += this.#width(offset);
    return offset;
  }

  #makeIndex(): number[] {
    const index: number[] = [];
    let offset = 0;
    for (let at = 0; offset < this.text.length; at++) {
      if (at % STEP === 0) index.push(offset);
      offset += this.#width(offset);
    }
    return index;
  }

  #width(offset: number): number {
    return this.text.codePointAt(offset)! > 0xffff ? 2 : 1;
  }
}

/** Lines of a script by number. Those asked for in order are found without looking at any other twice. */
export class SourceLines {
  #number = 1;
  #start = 0;
  #latest: { readonly number: number; readonly line: SourceLine } | undefined;

  /** @param text - whose lines are ended by `\n` */
  constructor(private readonly text: string) {}

  /** @returns `undefined` where there is no such line */
  line(number: number): SourceLine | undefined {
    if (this.#latest?.number === number) return this.#latest.line;
    if (number < this.#number) [this.#number, this.#start] = [1, 0];
    while (this.#number < number) {
      const end = this.text.indexOf("\n", this.#start);
      if (end < 0) return undefined;
      this.#start = end + 1;
      this.#number++;
    }
    const end = this.text.indexOf("\n", this.#start);
    const line = new SourceLine(this.text.slice(this.#start, end < 0 ? undefined : end));
    this.#latest = { number, line };
    return line;
  }
}

/** The lines of a script, ended wherever Python ends them. What does not decode has lines too; CPython names their numbers. */
export function linesOf(source: Uint8Array): SourceLines {
  const decoded = decodeSource(source);
  return new SourceLines(
    decoded.ok ? decoded.text : new TextDecoder().decode(source).replace(/\r\n?/g, "\n"),
  );
}
