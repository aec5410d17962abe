import { expect, test, vi } from "vitest";
import { parseModule } from "../../src/structure/parse.js";
import { stringValue } from "../../src/structure/strings.js";

// Reading the table of character names takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

async function valueOf(expression: string): Promise<string | null> {
  const parsed = await parseModule(`x = ${expression}\n`);
  const value = parsed.root.children[0]!.children[0]!.childForFieldName("right");
  return stringValue(value!);
}

test.each([
  [`''`, ""],
  [`'''a"b'''`, 'a"b'],
  [`"a\\nb"`, "a\nb"],
  [`"\\x41\\u00e9\\U0001F600"`, "Aé😀"],
  // No Python compiles it.
  [`"\\U00110000"`, "\\U00110000"],
  [`"\\0\\7\\12\\1014"`, "\0\u0007\nA4"],
  [`"\\777"`, "ǿ"],
  [`"\\8\\q\\ "`, "\\8\\q\\ "],
  [`"a\\\nb"`, "ab"],
  [`"\\N{EURO SIGN}\\N{euro sign}\\N{NBSP}"`, "€€\u00a0"],
  [`"\\N{CJK UNIFIED IDEOGRAPH-20000}\\N{HANGUL SYLLABLE GAG}"`, "\u{20000}각"],
  [`"\\ud83d\\ude00\\udfff"`, "😀\udfff"],
  [`r"\\n\\""`, '\\n\\"'],
  [`R'''\\\n'''`, "\\\n"],
  [`u'a' "b" r'\\d'`, "ab\\d"],
  [`(('a'\n  # comment\n 'b'))`, "ab"],
  [`"😀"`, "😀"],
])("%s", async (expression, value) => {
  expect(await valueOf(expression)).toBe(value);
});

test.each([`b"a"`, `f"a"`, `rb'a'`, `t"a"`, `"a" f"b"`, `"a" + "b"`, `("a",)`, `1`, `x`, `"a".b`])(
  "%s is no text",
  async (expression) => {
    expect(await valueOf(expression)).toBeNull();
  },
);
