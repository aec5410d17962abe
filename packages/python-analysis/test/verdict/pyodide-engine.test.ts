import { beforeAll, describe, expect, test } from "vitest";
import { MemoryLimit } from "../../src/verdict/memory-limit.js";
import { PyodideEngine, type Snapshot } from "../../src/verdict/pyodide-engine.js";
import type { CompileVerdict } from "../../src/verdict/types.js";
import { PYTHON_VERSION } from "../../src/version.js";
import { describeEngine, MEMORY_BYTES, SOURCES, VALID } from "./engine.contract.js";

const error = (type: string, message: string, line: number | null, column: number | null) => ({
  valid: false,
  error: { type, message, line, column },
  killed: null,
});

// CPython 3.14's own words: python3.14 -c 'compile(…)'.
const ERRORS: Readonly<Record<string, CompileVerdict>> = {
  "no value": error("SyntaxError", "invalid syntax", 1, 4),
  "an error behind other characters": error("SyntaxError", "invalid syntax", 1, 8),
  "Python 2": error(
    "SyntaxError",
    "Missing parentheses in call to 'print'. Did you mean print(...)?",
    1,
    1,
  ),
  "no body": error(
    "IndentationError",
    "expected an indented block after function definition on line 1",
    1,
    9,
  ),
  "tabs among spaces": error(
    "TabError",
    "inconsistent use of tabs and spaces in indentation",
    3,
    1,
  ),
  "an indent": error("IndentationError", "unexpected indent", 1, 2),
  "a return outside of functions": error("SyntaxError", "'return' outside function", 1, 1),
  "a parameter twice": error("SyntaxError", "duplicate argument 'a' in function definition", 1, 10),
  NUL: error("SyntaxError", "source code string cannot contain null bytes", null, null),
  "an unknown encoding": error("SyntaxError", "unknown encoding: nonsense", null, null),
  "an unknown encoding, again": error("SyntaxError", "unknown encoding: nonsense", null, null),
  "an encoding that is not of text": error(
    "SyntaxError",
    expect.stringContaining("rot13") as string,
    null,
    null,
  ),
  "a mark and another encoding": error(
    "SyntaxError",
    "encoding problem: iso-8859-1 with BOM",
    1,
    null,
  ),
  "bytes that are no UTF-8": error(
    "SyntaxError",
    expect.stringMatching(/^Non-UTF-8 code starting with '\\xe9'/) as string,
    1,
    4,
  ),
  "a broken character at the end": error(
    "SyntaxError",
    expect.stringMatching(/^Non-UTF-8 code starting with '\\xf0'/) as string,
    1,
    2,
  ),
  "an unknown character's name": error(
    "SyntaxError",
    expect.stringMatching(/unknown Unicode character name/) as string,
    1,
    5,
  ),
  "201 brackets": error("SyntaxError", "too many nested parentheses", 1, 201),
  "a long number": error(
    "SyntaxError",
    expect.stringMatching(/^Exceeds the limit \(4300 digits\)/) as string,
    1,
    null,
  ),
  "an unterminated string": error(
    "SyntaxError",
    "unterminated triple-quoted string literal (detected at line 1)",
    1,
    5,
  ),
  "an error far down": error("SyntaxError", "invalid syntax", 10_000, 3),
};

function expected(source: Uint8Array): CompileVerdict {
  const found = SOURCES.find(([, each]) => Buffer.from(each as string).equals(source));
  return (found && ERRORS[found[0]]) ?? VALID;
}

let first: PyodideEngine;

beforeAll(async () => {
  first = await PyodideEngine.start({ makeSnapshot: true });
}, 120_000);

// Those that come later stand before the others of this thread, and see to their own engine.
async function start(snapshot?: Snapshot): Promise<PyodideEngine> {
  const memory = new MemoryLimit(MEMORY_BYTES);
  memory.install();
  return PyodideEngine.start({ snapshot, memory });
}

describe("an engine started from a snapshot", () => {
  describeEngine({ start: () => start(first.snapshot), expected });
});

describe("an engine started from nothing", () => {
  test.each(SOURCES)("says of %s what CPython says", async (_what, source) => {
    const bytes = Buffer.from(source as string);
    expect(await first.compile(bytes)).toEqual(expected(bytes));
  });

  // What the language had last is what an engine of an older Python would refuse.
  test.each([
    "type A[T] = list[T]\nmatch x:\n    case {'a': 1, **rest}: pass\n",
    "try: pass\nexcept A, B: pass\n",
    "x = t'{a}'\n",
  ])("compiles %j", async (source) => {
    expect(await first.compile(Buffer.from(source))).toEqual(VALID);
  });

  test("is of the version that reports name", () => {
    expect(first.pythonVersion).toBe(PYTHON_VERSION);
  });
});
