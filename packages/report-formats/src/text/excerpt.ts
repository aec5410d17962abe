import { show } from "./visible.js";
import type { SourceLine } from "../source-lines.js";

/** Columns of a terminal that an excerpt of a line takes at most. */
const WIDEST = 96;
/** Code points that are looked at, of which many may take no column at all. */
const MOST_CHARACTERS = 4 * WIDEST;
/** Characters that are kept before the place where a line is cut. */
const BEFORE = 40;

/** A place in a line. Columns count from 1, in code points. */
export interface Mark {
  readonly column: number;
  /** Behind the last character; `null` where the place has no length. */
  readonly endColumn: number | null;
}

/** A line of source fit for a terminal, and what to write below it. */
export interface Excerpt {
  readonly source: string;
  readonly carets: string;
}

/**
 * Shows a line and marks a place in it. A long line is cut around the place; tabs, wide characters and what had to be escaped
 * keep the carets where they belong.
 */
export function excerpt(line: SourceLine, { column, endColumn }: Mark): Excerpt {
  const at = Math.max(column - 1, 0);
  const end = Math.max(endColumn === null ? at + 1 : endColumn - 1, at + 1);
  const first = at > WIDEST - BEFORE ? at - BEFORE : 0;
  const start = line.offset(first);
  let source = first > 0 ? "…" : "";
  let indent = source.length;
  let carets = 0;
  let width = source.length;
  let current = first;
  let offset = start;
  while (offset < line.text.length) {
    const character = String.fromCodePoint(line.text.codePointAt(offset)!);
    const shown = show(character);
    if (width + shown.width > WIDEST || current - first >= MOST_CHARACTERS) {
      source += "…";
      break;
    }
    source += shown.text;
    width += shown.width;
    if (current < at) indent += shown.width;
    else if (current < end) carets += shown.width;
    current += 1;
    offset += character.length;
  }
  return { source: source.trimEnd(), carets: " ".repeat(indent) + "^".repeat(Math.max(carets, 1)) };
}
