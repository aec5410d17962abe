import { z } from "zod";

// PostgreSQL takes no NUL and no lone surrogate; people are fooled by what changes the direction of
// text or cannot be seen.
const LINE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;
// Tabs and line ends, and the joiners and marks that real writing needs.
const PARAGRAPHS = /^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u;

function text(max: number, pattern: RegExp) {
  // Not `.regex()`: the document would give the pattern in a dialect that is not JSON Schema's.
  return z
    .string()
    .max(max, `must have at most ${max} characters`)
    .refine((value) => pattern.test(value), "must have no control or invisible characters");
}

/** Text on one line, all of it visible. */
export function line(max: number) {
  return text(max, LINE);
}

/** Text of any number of lines. */
export function paragraphs(max: number) {
  return text(max, PARAGRAPHS);
}
