import { applyPatch } from "diff";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unifiedDiff } from "../src/compare/unified-diff.js";

const NAMES = { names: ["a/x.py", "b/x.py"] as const };

function apply(from: string, diff: string): string | false {
  return applyPatch(from, diff, { autoConvertLineEndings: false });
}

const line = fc.constantFrom(
  "a",
  "b",
  "c",
  "",
  "\r",
  "-x",
  "+y",
  "\\ No newline at end of file",
  "@@",
);
const text = fc
  .tuple(fc.array(line, { maxLength: 30 }), fc.boolean())
  .map(([lines, ended]) => lines.join("\n") + (ended && lines.length > 0 ? "\n" : ""));

describe("a unified diff", () => {
  it("applied to the one text gives the other", () => {
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0, max: 5 }), (from, to, context) => {
        const { diff, minimal, truncated } = unifiedDiff(from, to, { context, ...NAMES });
        expect([minimal, truncated]).toEqual([true, false]);
        expect(diff === "").toBe(from === to);
        if (diff !== "") expect(apply(from, diff)).toBe(to);
      }),
      { numRuns: 500 },
    );
  });

  it("says where a last line is not ended", () => {
    const { diff } = unifiedDiff("a\nb", "a\nb\n", { context: 3, ...NAMES });
    expect(diff).toBe(
      "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n",
    );
  });

  it("replaces what lies between the differences where there are too many of them", () => {
    const many = (mark: string) =>
      Array.from({ length: 9_000 }, (_, n) => `${mark}${n}\n`).join("");
    for (const end of ["end\n", "end"]) {
      const from = `same\n${many("x")}${end}`;
      const to = `same\n${many("y")}${end}`;
      const { diff, ...rest } = unifiedDiff(from, to, { context: 3, ...NAMES });
      expect(rest).toEqual({
        additions: 9_000,
        deletions: 9_000,
        minimal: false,
        truncated: false,
      });
      expect(diff).toContain("\n@@ -1,9002 +1,9002 @@\n same\n-x0\n");
      expect(apply(from, diff)).toBe(to);
    }
    const gone = unifiedDiff(many("x"), "", { context: 3, ...NAMES });
    expect(apply(many("x"), gone.diff)).toBe("");
  });

  it("is cut where it would be too much", () => {
    const { diff, truncated, deletions } = unifiedDiff("\n".repeat(1_000_000), "x\n", {
      context: 3,
      ...NAMES,
    });
    expect([truncated, deletions]).toEqual([true, 1_000_000]);
    expect(diff.length).toBeLessThanOrEqual(1024 * 1024);
    expect(unifiedDiff("x".repeat(2_000_000), "", { context: 3, ...NAMES }).truncated).toBe(true);
  });
});
