import { decodeSource, withLineFeeds } from "@sluice/python-analysis/vocabulary";

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

/** Lines between two entries of a script's index. */
const LINES_STEP = 1_024;

/** Lines of a script by number. However many there are, each line is looked for once, and then found fast in any order. */
export class SourceLines {
  /** Where every {@link LINES_STEP}th line starts, as far as lines were asked for. */
  readonly #starts = [0];
  #latest: { readonly number: number; readonly line: SourceLine } | undefined;

  /** @param text - whose lines are ended by `\n` */
  constructor(private readonly text: string) {}

  /**
   * @param number - counts from 1
   * @returns `undefined` where there is no such line
   */
  line(number: number): SourceLine | undefined {
    if (this.#latest?.number === number) return this.#latest.line;
    const wanted = Math.floor((number - 1) / LINES_STEP);
    while (this.#starts.length <= wanted) {
      const next = this.#skip(this.#starts.at(-1)!, LINES_STEP);
      if (next === undefined) return undefined;
      this.#starts.push(next);
    }
    const start = this.#skip(this.#starts[wanted]!, (number - 1) % LINES_STEP);
    if (start === undefined) return undefined;
    const end = this.text.indexOf("\n", start);
    const line = new SourceLine(this.text.slice(start, end < 0 ? undefined : end));
    this.#latest = { number, line };
    return line;
  }

  /** Where the line starts that is so many lines below the one that starts at a place. */
  #skip(start: number, lines: number): number | undefined {
    let at = start;
    for (let i = 0; i < lines; i++) {
      const end = this.text.indexOf("\n", at);
      if (end < 0) return undefined;
      at = end + 1;
    }
    return at;
  }
}

/** The lines of a script, ended wherever Python ends them. What does not decode has lines too; CPython names their numbers. */
export function linesOf(source: Uint8Array): SourceLines {
  const decoded = decodeSource(source);
  if (decoded.ok) return new SourceLines(decoded.text);
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  return new SourceLines(
    withLineFeeds(bytes)
      .toString("utf8")
      .replace(/^\ufeff/, ""),
  );
}
