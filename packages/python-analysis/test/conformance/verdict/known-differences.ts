/** Why two Pythons, or this package by its own rule, say different things of one source. */
interface KnownDifference {
  readonly reason: string;
  /** What the other Python says, an error's class and message; `null` where the source compiles there. */
  readonly there: RegExp | null;
  /** What is said here. */
  readonly here: RegExp | null;
  readonly source?: RegExp;
}

/** Between CPython 3.11 to 3.13 and this package's 3.14. The first that fits a difference explains it. */
const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    reason: "PEP 758 (3.14): `except A, B:` needs no parentheses",
    there: /multiple exception types must be parenthesized/,
    here: null,
  },
  {
    reason: "PEP 701 (3.12): what stands in an f-string's braces is an expression like any other",
    there: /f-string/,
    here: null,
  },
  {
    reason: "3.13: comprehensions and lambdas may stand in annotation scopes inside a class",
    there: /Cannot use (?:comprehension|lambda) in annotation scope within class scope/,
    here: null,
  },
  {
    reason: "3.14: `while` no longer counts among statically nested blocks",
    there: /too many statically nested blocks/,
    here: null,
  },
  {
    reason: "3.14: `from __future__ import barry_as_FLUFL` holds for the source that says it",
    there: /invalid syntax/,
    here: null,
    source: /barry_as_FLUFL\n.*<>/,
  },
  {
    reason: "3.14: `from __future__ import barry_as_FLUFL` holds for the source that says it",
    there: null,
    here: /with Barry as BDFL/,
  },
  {
    reason: "how deep a source may nest depends on the C stack, of which there is more here",
    there: /^RecursionError/,
    here: null,
  },
  {
    reason: "Sluice's own rule: no encodings under which an ASCII byte may be another character",
    there: null,
    here: /encoding not accepted/,
  },
];

/** @returns why the two differ on a source, if that is known */
export function explain(
  source: string,
  there: string | null,
  here: string | null,
): string | undefined {
  return KNOWN_DIFFERENCES.find(
    (known) =>
      fits(known.there, there) && fits(known.here, here) && (known.source?.test(source) ?? true),
  )?.reason;
}

function fits(pattern: RegExp | null, said: string | null): boolean {
  return pattern === null ? said === null : said !== null && pattern.test(said);
}
