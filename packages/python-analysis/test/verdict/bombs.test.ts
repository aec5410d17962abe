import { expect, test } from "vitest";
import { type Budget, findBomb } from "../../src/verdict/bombs.js";

const BUDGET: Budget = { timeoutMs: 1_000, memoryBytes: 100_000_000 };
const MAX_BYTES = 2_000_000;

const fill = (piece: string): string => piece.repeat(MAX_BYTES / piece.length);
const judge = (source: string, budget = BUDGET): string | undefined =>
  findBomb(Buffer.from(source), budget)?.killed;

test("statements, sums and chains that fill a file with tokens are told at once", () => {
  for (const source of [
    "x = 1\n",
    "x;",
    "1+",
    "a.",
    "if 1: x\n",
    "foo(a, b)\n",
    "if 1: pass\nelse: pass\n",
    "f'a';",
  ].map(fill)) {
    expect(judge(source), source.slice(0, 20)).toBe("memory");
  }
});

test("so is an f-string field for every few bytes", () => {
  for (const source of [
    fill('f"{a}{b}{c}"\n'),
    `f"${fill("{a}")}"`,
    `rf'''${fill("{a:{b}}")}'''`,
    `T"${fill("{a}")}"`,
  ]) {
    expect(judge(source), source.slice(0, 20)).toBe("timeout");
  }
});

test("the reason says how much is too much", () => {
  expect(findBomb(Buffer.from(fill("x = 1\n")), BUDGET)?.message).toBe(
    "about 1333332 tokens, where at most 400000 can be judged within the memory limit",
  );
});

test("the limits follow the budget", () => {
  const source = "x = 1\n".repeat(90_000);
  expect(judge(source)).toBeUndefined();
  expect(judge(source, { ...BUDGET, memoryBytes: 50_000_000 })).toBe("memory");
  const fields = 'f"{a}"\n'.repeat(20_000);
  expect(judge(fields)).toBeUndefined();
  expect(judge(fields, { ...BUDGET, timeoutMs: 500 })).toBe("timeout");
});

test("large files of few tokens pass", () => {
  for (const source of [
    `"""${fill("some text, 1+1+1+1\n")}"""`,
    `'${fill("\\'")}'`,
    fill("# x = 1; y = 2\r\n"),
    fill("\n"),
    fill("\\\n"),
    fill("identifier"),
    `x = f'${fill("{{}}")}'`,
    `{${'"a rather usual key": "a rather usual value, of a line of text",\n'.repeat(28_000)}}`,
    "    result += compute_something(argument_one, keyword=argument_two)  # and why\n".repeat(
      24_000,
    ),
  ]) {
    expect(judge(source), source.slice(0, 30)).toBeUndefined();
  }
});

test("what CPython refuses at once is left to it", () => {
  for (const source of [fill("["), fill("{"), "(".repeat(201) + fill("x;")])
    expect(judge(source)).toBeUndefined();
});

test("unterminated strings end with their line, and any bytes are fine", () => {
  const low = { timeoutMs: 1, memoryBytes: 1_000 };
  expect(findBomb(Buffer.from(`'abc\nx = 1\n`.repeat(10)), low)?.message).toMatch(
    /^about 60 tokens/,
  );
  expect(findBomb(Buffer.from(`"abc\\`), low)).toBeUndefined();
  expect(findBomb(Buffer.from(`f`), low)).toBeUndefined();
  expect(
    findBomb(
      Uint8Array.from({ length: 2_000 }, (_, i) => i % 256),
      low,
    ),
  ).toBeDefined();
});
