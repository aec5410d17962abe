import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPythonFilename, originalFilename, sanitiseFilename } from "../src/filename.js";

const naughtyStrings = JSON.parse(
  readFileSync(
    new URL("../../../test/fixtures/naughty-strings/blns.json", import.meta.url),
    "utf8",
  ),
) as string[];

const anyString = fc.oneof(
  fc.string({ unit: "binary", maxLength: 400 }),
  fc.string({
    unit: fc.constantFrom(..."/\\. \0\u202e\u200d\ud800\udc00aA.pyCON1é\u0301😀\ufeff"),
    maxLength: 60,
  }),
);

function expectSafe(name: string): void {
  expect(name).not.toBe("");
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
  expect(name).not.toMatch(/[/\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
  expect(name).not.toMatch(/^[\s.]|[\s.]$/u);
  expect(name).not.toMatch(/^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i);
  expect(name).toBe(name.normalize("NFC"));
}

describe("sanitiseFilename", () => {
  it.each([
    ["script.py", "script.py"],
    ["Ünïcode 文件 😀.py", "Ünïcode 文件 😀.py"],
    ["e\u0301.py", "é.py"],
    ["/etc/passwd.py", "passwd.py"],
    ["..\\..\\windows\\system32\\evil.pyw", "evil.pyw"],
    ["a/b\\c.py", "c.py"],
    ["C:\\dir\\x.py", "x.py"],
    ["..", "script"],
    [".", "script"],
    ["", "script"],
    ["dir/", "script"],
    ["   ", "script"],
    [".py", "script.py"],
    ["...py", "script.py"],
    [" .py", "script.py"],
    [".hidden.py", "hidden.py"],
    ["trailing.py. . ", "trailing.py"],
    ["nul\0byte.py", "nulbyte.py"],
    ["line\r\nbreak.py", "linebreak.py"],
    ["exe\u202eyp.exe.py", "exeyp.exe.py"],
    ["zero\u200bwidth\ufeff.py", "zerowidth.py"],
    ["lone\ud800surrogate.py", "lonesurrogate.py"],
    ["split\ud83d\u200b\ude00.py", "split.py"],
    ["\u3164.py", "script.py"],
    ["CON", "_CON"],
    ["con.py", "_con.py"],
    ["NUL.tar.py", "_NUL.tar.py"],
    ["nul .py", "_nul .py"],
    ["com1.py", "_com1.py"],
    ["LPT¹.py", "_LPT¹.py"],
    ["console.py", "console.py"],
    ["com10.py", "com10.py"],
    ["script (2).py", "script (2).py"],
  ])("makes %j into %j", (name, expected) => {
    expect(sanitiseFilename(name)).toBe(expected);
  });

  it.each(["x", "é", "文", "😀", "👩‍👩‍👧‍👦"])("keeps the extension of 10,000 × %s", (character) => {
    const name = sanitiseFilename(`${character.repeat(10_000)}.py`);
    expectSafe(name);
    expect(name).toMatch(/\.py$/);
    expect(Buffer.byteLength(name)).toBeGreaterThan(255 - 4);
    expect(name).not.toContain("\ufffd");
  });

  it.each(naughtyStrings.map((text) => [text]))("copes with the naughty string %j", (text) => {
    for (const name of [text, `${text}.py`, `dir/${text}`, `${text}/x.py`]) {
      const safe = sanitiseFilename(name);
      expectSafe(safe);
      expect(sanitiseFilename(safe)).toBe(safe);
    }
    expect(isPythonFilename(`${text}.py`)).toBe(true);
  });

  it("gives a safe name for any string, and the same for that name", () => {
    fc.assert(
      fc.property(anyString, (text) => {
        const safe = sanitiseFilename(text);
        expectSafe(safe);
        expect(sanitiseFilename(safe)).toBe(safe);
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps Python Python, and nothing else", () => {
    fc.assert(
      fc.property(anyString, fc.constantFrom("", ".py", ".PYW", ".txt"), (text, extension) => {
        const name = text + extension;
        expect(isPythonFilename(sanitiseFilename(name))).toBe(isPythonFilename(name));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("isPythonFilename", () => {
  it.each(["a.py", "a.PY", "a.Pyw", "a.py ", "a.py.", "a.txt\0.py", ".py"])("takes %j", (name) => {
    expect(isPythonFilename(name)).toBe(true);
  });

  it.each([
    "",
    "a",
    "a.txt",
    "a.pyc",
    "a.py.txt",
    "a.py\0.txt",
    "a.pyx",
    "apy",
    "py",
    "a.py/",
    "a.pу",
  ])("refuses %j", (name) => {
    expect(isPythonFilename(name)).toBe(false);
  });
});

describe("originalFilename", () => {
  it("gives what PostgreSQL can hold as jsonb, for any string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 3_000 }), (text) => {
        const original = originalFilename(text);
        expect(original.length).toBeLessThanOrEqual(1_000);
        expect(JSON.stringify(original)).not.toMatch(/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i);
      }),
    );
  });

  it("leaves the rest as it is", () => {
    expect(originalFilename("../a\u202eb 😀\t.py")).toBe("../a\u202eb 😀\t.py");
  });
});
