/** Hits as people see them: line by line, with the text around them. */
import type { MatchPlace } from "@sluice/contracts";
import type { Hit } from "./pattern.js";

/** One line with hits in it, or a part of a long one. */
export interface Match {
  readonly in: MatchPlace;
  /** Counts from 1; `null` for what is in no line. */
  readonly line: number | null;
  /** Of the first hit; counts from 1, in code points. */
  readonly column: number;
  /** The line, or what of it is around the hits. */
  readonly snippet: string;
  /** Of the hits in the snippet, in code points from 0; one that goes on beyond it ends with it. */
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
}

/** UTF-16 units of a snippet, at most. */
const SNIPPET = 240;
/** Of it, what is before the first hit. */
const LEAD = 60;

/**
 * @param hits - in the order of the text
 * @param limit - matches at most
 */
export function toMatches(
  text: string,
  hits: readonly Hit[],
  place: MatchPlace,
  limit: number,
): Match[] {
  const matches: Match[] = [];
  const lines = new LineCounter(text);
  for (let index = 0; index < hits.length && matches.length < limit;) {
    const { start } = hits[index]!;
    const line = lines.at(start);
    const from = line.end - line.start <= SNIPPET ? line.start : Math.max(line.start, start - LEAD);
    const snippetStart = whole(text, from);
    const snippetEnd = whole(text, Math.min(line.end, snippetStart + SNIPPET));
    const ranges: { start: number; end: number }[] = [];
    const points = new PointCounter(text, snippetStart);
    for (; index < hits.length; index++) {
      const hit = hits[index]!;
      const isHere =
        hit.start < snippetEnd || (hit.start === snippetEnd && snippetEnd === line.end);
      if (!isHere) break;
      const begins = points.at(hit.start);
      ranges.push({
        start: begins,
        end: points.at(Math.max(hit.start, Math.min(hit.end, snippetEnd))),
      });
    }
    matches.push({
      in: place,
      line: line.number,
      column: line.column(start),
      snippet: text.slice(snippetStart, snippetEnd),
      ranges,
    });
  }
  return matches;
}

/** Not between the halves of a code point. */
function whole(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
    ? at - 1
    : at;
}

/** Counts lines and columns of places that are asked for in order, each part of the text once. */
class LineCounter {
  #number = 1;
  #start = 0;
  #points: PointCounter;

  constructor(private readonly text: string) {
    this.#points = new PointCounter(text, 0);
  }

  at(offset: number): {
    number: number;
    start: number;
    end: number;
    column: (offset: number) => number;
  } {
    let start = this.#start;
    for (let end = this.text.indexOf("\n", start); end >= 0 && end < offset;) {
      this.#number++;
      start = end + 1;
      end = this.text.indexOf("\n", start);
    }
    if (start !== this.#start) this.#points = new PointCounter(this.text, start);
    this.#start = start;
    const end = this.text.indexOf("\n", offset);
    const points = this.#points;
    return {
      number: this.#number,
      start,
      end: end < 0 ? this.text.length : end,
      column: (place) => points.at(place) + 1,
    };
  }
}

class PointCounter {
  #points = 0;
  #at: number;

  constructor(
    private readonly text: string,
    start: number,
  ) {
    this.#at = start;
  }

  /** @param offset - not before the one asked for last */
  at(offset: number): number {
    while (this.#at < offset) {
      this.#at += this.text.codePointAt(this.#at)! > 0xffff ? 2 : 1;
      this.#points++;
    }
    return this.#points;
  }
}

/** Where lines start, for places that are known by line. */
export class LineStarts {
  #starts: number[] | undefined;
  constructor(private readonly text: string) {}

  /** @returns the offset of a line's first character; the text's end for lines beyond it */
  of(line: number): number {
    if (this.#starts === undefined) {
      this.#starts = [0];
      for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1))
        this.#starts.push(at + 1);
    }
    return this.#starts[line - 1] ?? this.text.length;
  }
}
