import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CompileVerdict, EngineLost, type VerdictEngine } from "../../src/verdict/types.js";

export interface EngineUnderTest {
  /** Starts one that may take {@link MEMORY_BYTES}. */
  readonly start: () => Promise<VerdictEngine>;
  /** What its Python says of a source, learnt on another way. */
  readonly expected: (source: Uint8Array) => CompileVerdict | Promise<CompileVerdict>;
}

export const MEMORY_BYTES = 64 * 1_048_576;

export const VALID: CompileVerdict = { valid: true, error: null, killed: null };

/** Sources of every kind that a verdict may depend on. What is valid here is so for every version of Python that may judge. */
export const SOURCES: readonly (readonly [what: string, source: string | Uint8Array])[] = [
  ["nothing", ""],
  ["a statement", "x = 1"],
  ["every end of a line", "x = 1\r\ny = 2\rz = 3\n"],
  ["form feeds", "\f\ndef f():\n\f    return 1\n"],
  ["what would warn", "'\\d'; 1 is 1; assert (1, 2)\n"],
  ["what would end the process", "import os\nos.abort()\n"],
  ["what would never end", "while True: pass\n"],
  ["a byte order mark", Buffer.from("\xef\xbb\xbfx = '\xc3\xa9'\n", "latin1")],
  ["Latin-1", Buffer.from("# coding: latin-1\nx = '\xe9'\n", "latin1")],
  ["another encoding", Buffer.from("\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n", "latin1")],
  ["a surrogate", "x = '\\ud800'\n"],
  ["a character's name", "x = '\\N{LATIN SMALL LETTER A}'\n"],
  ["199 brackets", "[".repeat(199) + "]".repeat(199)],
  ["no value", "x =\n"],
  ["an error behind other characters", 'x="😀é" y\n'],
  ["Python 2", "print 'a'\n"],
  ["no body", "def f():\n"],
  ["tabs among spaces", "if 1:\n\tx\n        y\n"],
  ["an indent", "  x\n"],
  ["a return outside of functions", "return\n"],
  ["a parameter twice", "def f(a, a): pass\n"],
  ["NUL", "a\0b"],
  ["an unknown encoding", "# coding: nonsense\n"],
  ["an unknown encoding, again", "# coding: nonsense\n"],
  ["an encoding that is not of text", "# coding: rot13\nvzcbeg bf\n"],
  ["a mark and another encoding", Buffer.from("\xef\xbb\xbf# coding: latin-1\n", "latin1")],
  ["bytes that are no UTF-8", Uint8Array.of(0x78, 0x3d, 0x22, 0xe9, 0x22)],
  ["a broken character at the end", Uint8Array.of(0x23, 0xf0, 0x9f, 0x98)],
  ["an unknown character's name", "x = '\\N{no such name}'\n"],
  ["201 brackets", "(".repeat(201)],
  ["a long number", `x = ${"9".repeat(5_000)}\n`],
  ["an unterminated string", "x = '''abc\n"],
  ["an error far down", `${"x = 1\n".repeat(9_999)}x x\n`],
];

const bytes = (source: string | Uint8Array): Uint8Array =>
  typeof source === "string" ? Buffer.from(source) : source;

/** What every engine has to do, whichever Python it is of. */
export function describeEngine({ start, expected }: EngineUnderTest): void {
  let engine: VerdictEngine;
  beforeAll(async () => {
    engine = await start();
  }, 120_000);
  afterAll(() => engine?.close());

  test.each(SOURCES)("says of %s what its CPython says", async (_what, source) => {
    expect(await engine.compile(bytes(source))).toEqual(await expected(bytes(source)));
    expect(await engine.compile(Buffer.from("x = 1\n"))).toEqual(VALID);
  });

  test("judges a part of a larger buffer", async () => {
    expect(await engine.compile(Buffer.from("(x = 1)").subarray(1, -1))).toEqual(VALID);
  });

  test("gives each its own answer when asked for many at once", async () => {
    const sources = Array.from({ length: 200 }, (_, i) => `${"\n".repeat(i)}${i % 3 ? "x" : "="}`);
    const verdicts = await Promise.all(sources.map((source) => engine.compile(bytes(source))));
    expect(verdicts.map(({ error }) => error?.line)).toEqual(
      sources.map((_, i) => (i % 3 ? undefined : i + 1)),
    );
  });

  test("judges 10 MB of one string, and answers with 1 MB", async () => {
    expect(await engine.compile(bytes(`x = "${"a".repeat(10_000_000)}"\n`))).toEqual(VALID);
    const { error } = await engine.compile(bytes(`# coding: ${"b".repeat(1_000_000)}\n`));
    expect(error?.message).toHaveLength("unknown encoding: ".length + 1_000_000);
  });

  describe("memory", () => {
    // Both kinds of verdict, and of all that an interpreter might keep so much that nobody's reserves hold it: a long constant.
    const padding = "padding ".repeat(600);
    const file = (i: number, identifier: string): Uint8Array =>
      bytes(
        i % 10 === 0
          ? `# coding: unknown-${i}\n# ${padding}\n`
          : `class C${identifier}:\n  def f(self, a=${i}): return [a for b in ('text ${i}', b'${i}', ${i}.5)]\n`.repeat(
              3,
            ) + `x = "${padding}${i}"\n${i % 10 === 1 ? `x = (${i}\n` : ""}`,
      );
    const growth = async (identifiers: boolean): Promise<number> => {
      const fresh = await start();
      try {
        await fresh.compile(file(2, "_0"));
        const first = fresh.memoryGrown;
        for (let i = 0; i < 5_000; i++)
          await fresh.compile(file(i, identifiers ? `_an_identifier_like_others_${i}` : "_0"));
        return fresh.memoryGrown - first;
      } finally {
        await fresh.close();
      }
    };

    test("of 5,000 files is that of 1, but for what an allocator keeps at hand", async () => {
      expect(await growth(false)).toBeLessThan(2_000_000);
    }, 120_000);

    // CPython keeps them, some versions for ever: a string of 49 bytes and its characters, and its place in a table.
    test("grows by no more than identifiers that were not seen before", async () => {
      expect(await growth(true)).toBeLessThan(2_000_000 + 5_000 * 300);
    }, 120_000);
  });

  test("is lost when it needs more memory than it may have, and stays so", async () => {
    const small = await start();
    const large = bytes(`x = [${"'a', 1, ".repeat(150_000)}]\n`);
    await expect(small.compile(large)).rejects.toEqual(new EngineLost("memory"));
    await expect(small.compile(bytes("x = 1\n"))).rejects.toBeInstanceOf(EngineLost);
    await small.close();
  }, 120_000);

  test("gives no verdict when it is closed, as often as one likes", async () => {
    const closed = await start();
    await closed.close();
    await expect(closed.compile(bytes("x = 1\n"))).rejects.toBeInstanceOf(EngineLost);
    await closed.close();
  }, 120_000);
}
