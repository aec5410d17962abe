import { describe, expect, test } from "vitest";
import { excerpt } from "../src/text/excerpt.js";
import { SourceLine, SourceLines } from "../src/source-lines.js";
import { visible, visibleStart } from "../src/text/visible.js";

describe("visible text", () => {
  test.each([
    ["\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"],
    ["a\nb\tc\rd\0", "a\\nb\\tc\\rd\\x00"],
    ["\x9b31m", "\\x9b31m"],
    ["if access\u202e ⁦# admin⁩", "if access\\u202e \\u2066# admin\\u2069"],
    ["zero\u200bwidth\ufeff\u00ad", "zero\\u200bwidth\\ufeff\\xad"],
    ["\u{e0041}\u3164\u{f0000}", "\\U000e0041\\u3164\\U000f0000"],
    ["no\u00a0break", "no\\xa0break"],
    ["\udcff and \ud83d", "\\udcff and \\ud83d"],
    ["日本語 naïve 🐍 שלום", "日本語 naïve 🐍 שלום"],
  ])("of %j is %j", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test("is cut where it is long, before it is looked at", () => {
    expect(visibleStart("\x1b".repeat(10_000_000), 3)).toBe("\\x1b\\x1b\\x1b…");
    expect(visibleStart("abc", 3)).toBe("abc");
  });
});

describe("an excerpt", () => {
  const of = (text: string, column: number, endColumn: number | null = null) => {
    const { source, carets } = excerpt(new SourceLine(text), { column, endColumn });
    return [source, carets];
  };

  test("marks from the first character to before the last column", () => {
    expect(of("x = eval(y)", 5, 9)).toEqual(["x = eval(y)", "    ^^^^"]);
    expect(of("if x", 5)).toEqual(["if x", "    ^"]);
    expect(of("", 1)).toEqual(["", "^"]);
    expect(of("a", 0)).toEqual(["a", "^"]);
    expect(of("f(a,", 2, Infinity)).toEqual(["f(a,", " ^^^"]);
  });

  test("keeps the carets in place behind tabs, wide, combining and escaped characters", () => {
    expect(of("\t\tx y", 5)).toEqual(["        x y", "          ^"]);
    expect(of("日本 x", 4)).toEqual(["日本 x", "     ^"]);
    expect(of("日本", 2)).toEqual(["日本", "  ^^"]);
    expect(of("e\u0301 x", 4)).toEqual(["e\u0301 x", "  ^"]);
    expect(of("🐍🐍 x", 4)).toEqual(["🐍🐍 x", "     ^"]);
    expect(of("a\x1b[2J x", 7)).toEqual(["a\\x1b[2J x", "         ^"]);
    expect(of("x\u202e = 1", 2)).toEqual(["x\\u202e = 1", " ^^^^^^"]);
  });

  test("of a long line is cut around the place", () => {
    for (const character of ["a", "🐍"]) {
      const long = `${character.repeat(3_000_000)}!${character.repeat(3_000_000)}`;
      const line = new SourceLine(long);
      // Many places in one line must not each look through all of it.
      for (let i = 0; i < 500; i++) excerpt(line, { column: 5_000_000 + i, endColumn: null });
      const { source, carets } = excerpt(line, { column: 3_000_001, endColumn: null });
      expect(source.startsWith("…")).toBe(true);
      expect(source.endsWith("…")).toBe(true);
      expect(source.length).toBeLessThan(200);
      const width = character === "a" ? 1 : 2;
      expect(carets).toBe(`${" ".repeat(1 + 40 * width)}^`);
      expect([...source][1 + 40]).toBe("!");
    }
    expect(of("a".repeat(200), 1)[0]).toBe(`${"a".repeat(96)}…`);
  });
});

test("lines are found in any order, however many there are", () => {
  const many = new SourceLines(Array.from({ length: 5_000 }, (_, i) => `line ${i + 1}`).join("\n"));
  for (const number of [5_000, 1, 1_024, 1_025, 1_026, 2_048, 2_049, 4_999, 2])
    expect(many.line(number)?.text).toBe(`line ${number}`);
  expect([many.line(5_001), many.line(1_000_000_000)]).toEqual([undefined, undefined]);
});

test("lines are those between line ends", () => {
  const lines = new SourceLines("one\ntwo\n\nfour");
  expect([3, 1, 4, 4, 2].map((number) => lines.line(number)?.text)).toEqual([
    "",
    "one",
    "four",
    "four",
    "two",
  ]);
  expect(lines.line(5)).toBeUndefined();
  expect(lines.line(1)?.text).toBe("one");
});
