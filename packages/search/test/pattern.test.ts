import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldCase } from "../src/fold.js";
import { KeySet } from "../src/keys.js";
import {
  compilePattern,
  keysOfPattern,
  type PatternOptions,
  SearchedText,
} from "../src/pattern.js";

/** Few letters, so that texts contain patterns: case pairs beyond ASCII, both halves of pairs, marks, blanks, line ends. */
const LETTERS = [..."aAbBkK\u212ask\u017fßẞéÉσςΣıİ_1 .*\n\t(é\u{10400}\u{10428}😀😁"];
const letter = fc.constantFrom(...LETTERS);
const text = fc.string({ unit: letter, maxLength: 60 });
const pattern = fc.string({ unit: letter, minLength: 1, maxLength: 5 });
const flags = fc.record({ word: fc.boolean(), caseSensitive: fc.boolean() });

const quoted = (literal: string): string =>
  literal.replaceAll(/[\\^$.*+?()[\]{}|/\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`));

/** The engine of the language itself, by the same definitions: it compares by simple case folding. */
function naive(
  source: string,
  searched: string,
  { word, caseSensitive }: Omit<PatternOptions, "regex">,
): { start: number; end: number }[] {
  const whole = word ? `(?<![\\p{L}\\p{M}\\p{N}_])(?:${source})(?![\\p{L}\\p{M}\\p{N}_])` : source;
  const expression = new RegExp(whole, caseSensitive ? "gmu" : "gmiu");
  return [...searched.matchAll(expression)]
    .map((match) => ({ start: match.index, end: match.index + match[0].length }))
    .filter(({ start, end }) => !word || end > start);
}

const found = (source: string, searched: string, options: PatternOptions): object[] => [
  ...compilePattern(source, options)(new SearchedText(searched)),
];

/** Expressions that mean the same in RE2 and in the language, and have no hit that the order of trying decides. */
const atom = fc.oneof(
  { weight: 4, arbitrary: letter.map(quoted) },
  fc.constantFrom("[ab1]", "[^a\\n]", ".", "\\d", "\\Qa.b\\E"),
);
const piece = fc
  .tuple(atom, fc.constantFrom("", "", "", "+", "*", "?", "{2}", "{1,2}"))
  .map(([what, times]) => what + times);
const concatenation = fc
  .array(piece, { minLength: 1, maxLength: 4 })
  .map((pieces) => pieces.join(""));
const expression = fc.oneof(
  concatenation,
  fc.tuple(concatenation, concatenation).map(([a, b]) => `(?:${a})(?:${b})`),
  fc.tuple(concatenation, concatenation, concatenation).map(([a, b, c]) => `${a}(?:${b}|${c})`),
  concatenation.map((inner) => `^${inner}`),
  concatenation.map((inner) => `${inner}$`),
);

const inJavaScript = (source: string): string => source.replaceAll("\\Qa.b\\E", "a\\.b");

function keysIn(...texts: string[]): Set<number> {
  const keys = new KeySet();
  for (const each of texts) keys.addText(foldCase(each));
  return new Set(keys.toKeys());
}

describe("foldCase", () => {
  it("keeps every length, and makes alike what differs in case only", () => {
    for (let point = 0; point < 0x1_f000; point++) {
      if (point >= 0xd800 && point < 0xe000) continue;
      const character = String.fromCodePoint(point);
      const folded = foldCase(character);
      expect(folded.length).toBe(character.length);
      if (folded !== character) {
        expect(folded).toMatch(new RegExp(`^\\u{${point.toString(16)}}$`, "iu"));
        expect(foldCase(folded)).toBe(folded);
      }
    }
    expect(foldCase("ΣΣς")).toBe(foldCase("σςΣ"));
    expect(foldCase("\u212aſ")).toBe("ks");
    expect(foldCase("µ")).toBe(foldCase("μ"));
    expect(foldCase("ß")).not.toBe(foldCase("ss"));
  });
});

describe("a substring", () => {
  it("is found where a naive scan finds it", () => {
    fc.assert(
      fc.property(text, pattern, flags, (searched, source, options) => {
        expect(found(source, searched, { ...options, regex: false })).toEqual(
          naive(quoted(source), searched, options),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a regular expression", () => {
  it("is found where a naive scan finds it", () => {
    fc.assert(
      fc.property(text, expression, flags, (searched, source, options) => {
        // Behind the last line feed there is no line of its own.
        const end = searched.endsWith("\n") ? searched.length : Infinity;
        const expected = naive(inJavaScript(source), searched, options).filter(
          ({ start }) => start < end,
        );
        expect(found(source, searched, { ...options, regex: true })).toEqual(expected);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("the keys of a pattern", () => {
  it("are all in whatever it matches in", () => {
    fc.assert(
      fc.property(
        text,
        fc.oneof(pattern.map(quoted), expression),
        flags,
        fc.boolean(),
        (searched, source, options, regex) => {
          const all = { ...options, regex };
          const keys = keysOfPattern(source, all);
          if (keys === undefined || found(source, searched, all).length === 0) return;
          const held = keysIn(searched);
          expect(keys.some((each) => each.every((key) => held.has(key)))).toBe(true);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
