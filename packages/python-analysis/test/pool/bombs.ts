import { randomBytes } from "node:crypto";
import { type Analysers, DEFAULT_POLICY } from "@sluice/python-analysis";
import { expect } from "vitest";

const SIZE = 10_000_000;
const fill = (piece: string): string => piece.repeat(SIZE / piece.length);
const nest = (open: string, close: string, depth: number): string =>
  open.repeat(depth) + close.repeat(depth);
/** Each with what CPython 3.14 says of it, where there is only one right answer. */
const BOMBS: readonly (readonly [
  name: string,
  source: string | Uint8Array,
  valid: boolean | undefined,
  message: RegExp | undefined,
])[] = [
  ["brackets, 200,000 deep", "[".repeat(200_000), false, /too many nested parentheses/],
  ["brackets, 10 MB deep", fill("("), false, /too many nested parentheses/],
  ["lists, 20,000 deep", nest("[", "]", 20_000), false, /too many nested parentheses/],
  ["lists, 199 deep", nest("[", "]", 199), true, undefined],
  ["attributes, 40 KB", `a${".b".repeat(20_000)}`, true, undefined],
  ["calls", `a${"()".repeat(20_000)}`, undefined, undefined],
  ["conditional expressions, 60 KB", `${"1 if 1 else ".repeat(5_000)}1`, true, undefined],
  ["elif, 20,000", `if 1: pass\n${"elif 1: pass\n".repeat(20_000)}`, undefined, undefined],
  ["a sum of 200,000 terms", `x = 1${"+1".repeat(200_000)}`, undefined, undefined],
  ["a sum of 5,000,000 terms", fill("1+"), false, /tokens/],
  ["not, 20,000", `${"not ".repeat(20_000)}1`, undefined, undefined],
  [
    "indentation, 150 deep",
    Array.from({ length: 150 }, (_, i) => `${" ".repeat(i)}if 1:\n`).join(""),
    false,
    /too many levels of indentation/,
  ],
  [
    "f-strings, 140 deep",
    Array.from({ length: 140 }).reduce<string>((inner) => `f"{${inner}}"`, "1"),
    true,
    undefined,
  ],
  ["10 MB of statements", fill("x = 1\n"), false, /tokens/],
  ["a million ifs", "if 1: x\n".repeat(1_000_000), false, /tokens/],
  ["10 MB of f-strings", fill('f"{a}"\n'), false, /f-string replacement fields|tokens/],
  ["10 MB of one name", fill("a"), true, undefined],
  ["10 MB of one string", `x = "${fill("a")}"\n`, true, undefined],
  ["10 MB of one number", `x = ${fill("9")}\n`, false, /Exceeds the limit/],
  ["10 MB of backslashes", fill("\\"), false, /unexpected character after line continuation/],
  ["10 MB of random bytes", randomBytes(SIZE), false, undefined],
  ["10 MB of NUL", new Uint8Array(SIZE), false, /null bytes/],
  ["more memory than there is", `import a${".a".repeat(40_000)}\n`, undefined, /took more memory/],
  [
    "more time than there is",
    `f(${Array.from({ length: 60_000 }, (_, i) => `a${i}=1`).join()})\n`,
    undefined,
    /took longer/,
  ],
];

/** Of these some versions of CPython from 3.9 on say something else, or need more or less memory or time. */
const DIFFERING: ReadonlySet<string> = new Set([
  "attributes, 40 KB",
  "conditional expressions, 60 KB",
  "f-strings, 140 deep",
  "more memory than there is",
  "more time than there is",
]);

/**
 * Sends every bomb, and a good script behind each, all at once: each bomb ends in a report, and no good script is harmed.
 *
 * @param isNewest - whether it is CPython 3.14 that judges
 */
export async function sendBombs(analysers: Analysers, isNewest: boolean): Promise<void> {
  const report = (source: string | Uint8Array) =>
    analysers.report(typeof source === "string" ? Buffer.from(source) : source, DEFAULT_POLICY);
  const asked = BOMBS.flatMap(([, source]) => [report(source), report("x = 1\n")]);
  const reports = await Promise.all(asked);
  for (const [i, [name, , valid, message]] of BOMBS.entries()) {
    const bomb = reports[i * 2]!;
    const isKnown = isNewest || !DIFFERING.has(name);
    if (valid !== undefined && isKnown) expect(bomb.syntax.valid, name).toBe(valid);
    expect(bomb.verdict === "invalid", name).toBe(
      !bomb.syntax.valid || bomb.findings[0]?.rule === "syntax.parser-killed",
    );
    if (message && isKnown)
      expect(bomb.findings.map((finding) => finding.message).join("\n"), name).toMatch(message);
    expect(reports[i * 2 + 1], `after ${name}`).toMatchObject({
      verdict: "allowed",
      syntax: { valid: true },
    });
  }
}
