import { foldCase } from "./fold.js";

/** A name with `*` for any number of characters. */
export interface Glob {
  readonly test: (name: string) => boolean;
  /** What each name that fits contains; what the whole of it is where there is no `*`. */
  readonly literals: readonly string[];
  readonly isWhole: boolean;
}

/** @param value - as it stands in a query; only `*` means anything */
export function parseGlob(value: string, caseSensitive: boolean): Glob {
  const fold = (text: string): string => (caseSensitive ? text : foldCase(text));
  const parts = fold(value).split("*");
  const first = parts[0] ?? "";
  if (parts.length === 1)
    return { test: (name) => fold(name) === first, literals: [value], isWhole: true };
  const last = parts.at(-1) ?? "";
  const inner = parts.slice(1, -1).filter((part) => part !== "");
  return {
    test(name) {
      const folded = fold(name);
      if (folded.length < first.length + last.length) return false;
      if (!folded.startsWith(first) || !folded.endsWith(last)) return false;
      // The earliest place for each part leaves the most room for the others.
      let at = first.length;
      for (const part of inner) {
        const found = folded.indexOf(part, at);
        if (found < 0) return false;
        at = found + part.length;
      }
      return at <= folded.length - last.length;
    },
    literals: value.split("*").filter((part) => part !== ""),
    isWhole: false,
  };
}
