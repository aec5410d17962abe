import { beforeAll, describe, expect, test } from "vitest";
import { MemoryLimit } from "../../src/verdict/memory-limit.js";
import { PyodideEngine } from "../../src/verdict/pyodide-engine.js";
import { EngineLost } from "../../src/verdict/types.js";
import { PYTHON_VERSION } from "../../src/version.js";

const memory = new MemoryLimit(64 * 1_048_576);
let first: PyodideEngine;
let second: PyodideEngine;

beforeAll(async () => {
  memory.install();
  first = await PyodideEngine.start({ makeSnapshot: true });
  second = await PyodideEngine.start({
    snapshot: first.snapshot,
    memory,
  });
}, 120_000);

const ok = { valid: true, error: null, killed: null };
const error = (type: string, message: string, line: number | null, column: number | null) => ({
  valid: false,
  error: { type, message, line, column },
  killed: null,
});

// Expected values are CPython 3.14's own: python3.14 -c 'compile(…)'.
const TABLE: [source: string | Uint8Array, verdict: object][] = [
  ["", ok],
  ["x = 1", ok],
  ["x = 1\r\ny = 2\rz = 3\n", ok],
  ["\f\ndef f():\n\f    return 1\n", ok],
  ["type A[T] = list[T]\nmatch x:\n    case {'a': 1, **rest}: pass\n", ok],
  ["try: pass\nexcept A, B: pass\n", ok],
  ["x = t'{a}'\n", ok],
  ["'\\d'; 1 is 1; assert (1, 2)\n", ok],
  ["import os\nos.abort()\n", ok],
  ["while True: pass\n", ok],
  ["x =\n", error("SyntaxError", "invalid syntax", 1, 4)],
  ['x="😀é" y\n', error("SyntaxError", "invalid syntax", 1, 8)],
  [
    "print 'a'\n",
    error("SyntaxError", "Missing parentheses in call to 'print'. Did you mean print(...)?", 1, 1),
  ],
  [
    "def f():\n",
    error(
      "IndentationError",
      "expected an indented block after function definition on line 1",
      1,
      9,
    ),
  ],
  [
    "if 1:\n\tx\n        y\n",
    error("TabError", "inconsistent use of tabs and spaces in indentation", 3, 1),
  ],
  ["  x\n", error("IndentationError", "unexpected indent", 1, 2)],
  ["return\n", error("SyntaxError", "'return' outside function", 1, 1)],
  [
    "def f(a, a): pass\n",
    error("SyntaxError", "duplicate argument 'a' in function definition", 1, 10),
  ],
  ["a\0b", error("SyntaxError", "source code string cannot contain null bytes", null, null)],
  ["# coding: nonsense\n", error("SyntaxError", "unknown encoding: nonsense", null, null)],
  [
    Uint8Array.of(0x78, 0x3d, 0x22, 0xe9, 0x22),
    error("SyntaxError", expect.stringMatching(/^Non-UTF-8 code starting with '\\xe9'/), 1, 4),
  ],
  ["x = '\\ud800'\n", ok],
  [
    "x = '\\N{no such name}'\n",
    error("SyntaxError", expect.stringMatching(/unknown Unicode character name/), 1, 5),
  ],
  ["(".repeat(201), error("SyntaxError", "too many nested parentheses", 1, 201)],
  [
    `x = ${"9".repeat(5_000)}\n`,
    error("SyntaxError", expect.stringMatching(/^Exceeds the limit \(4300 digits\)/), 1, null),
  ],
];

describe.each([
  ["started from nothing", () => first],
  ["started from a snapshot", () => second],
])("an engine %s", (_, engine) => {
  test.each(TABLE)("says of %j what CPython says", async (source, verdict) => {
    expect(
      await engine().compile(typeof source === "string" ? Buffer.from(source) : source),
    ).toEqual(verdict);
  });

  test("is of the version that reports name", () => {
    expect(engine().pythonVersion).toBe(PYTHON_VERSION);
  });
});

test("nothing of a script stays behind", async () => {
  const sources = Array.from({ length: 50 }, (_, i) =>
    Buffer.from(
      i % 5 === 0
        ? `x = (${i}\n`
        : `class C${i}:\n  def f(self, a=${i}): return [a for b in 'text ${i}']\n`.repeat(5),
    ),
  );
  const compileAll = async (rounds: number): Promise<number> => {
    for (let round = 0; round < rounds; round++)
      for (const source of sources) await first.compile(source);
    return memory.mostGrown;
  };
  const early = await compileAll(2);
  expect(await compileAll(20)).toBe(early);
}, 60_000);

test("an engine that was refused memory gives no verdict, then or later", async () => {
  const large = Buffer.from(`x = [${"'a', 1, ".repeat(80_000)}]\n`);
  await expect(second.compile(large)).rejects.toEqual(new EngineLost("memory"));
  await expect(second.compile(Buffer.from("x = 1\n"))).rejects.toBeInstanceOf(EngineLost);
}, 60_000);

test("a closed engine gives no verdict", async () => {
  await first.close();
  await expect(first.compile(Buffer.from("x = 1\n"))).rejects.toBeInstanceOf(EngineLost);
});
