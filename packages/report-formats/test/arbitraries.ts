import type { AnalysisReport } from "@sluice/contracts";
import fc from "fast-check";

const odd = fc.string({ unit: "binary", maxLength: 30 });
export const text = fc.oneof(
  odd,
  fc.constantFrom(
    "",
    "{0}",
    "}{",
    "a](http://x)",
    "\ud800",
    "\udcff",
    "\u202e",
    "😀",
    "a\0b",
    "x.y",
  ),
);
const line = fc.oneof(fc.nat(12), fc.constantFrom(1, 2_000_000_000)).map((n) => n || 1);
const place = fc.constantFrom(null, 1, 2, 5, 600, 1_000_000);

const finding = fc
  .record({
    rule: fc.oneof(fc.constantFrom("code.eval", "text.bidi-control", "complexity.lines"), text),
    severity: fc.constantFrom("error", "warning", "info"),
    confidence: fc.constantFrom("high", "medium", "low"),
    message: text,
    line: fc.option(line),
    column: place,
    end_line: place,
    end_column: place,
    why: fc.option(text),
    help: fc.option(text),
    cwe: fc.option(fc.integer({ min: 1, max: 1_500 })),
  })
  .map((made) => {
    // As findings are: no column without a line, no end without a start, none before it.
    const { line: start, column, end_line: end } = made;
    if (start === null) return { ...made, column: null, end_line: null, end_column: null };
    if (column === null || end === null || end < start)
      return { ...made, end_line: null, end_column: null };
    const endColumn = made.end_column ?? column;
    return { ...made, end_column: end === start ? Math.max(endColumn, column) : endColumn };
  });

export const report = fc.record({
  analyser_version: text,
  python_version: text,
  policy: fc.record({ name: text, version: text }),
  verdict: fc.constantFrom("allowed", "needs_approval", "refused", "malicious", "invalid"),
  syntax: fc.constant({ valid: true, error: null }),
  findings: fc.array(finding, { maxLength: 6 }),
  capabilities: fc.array(
    fc.record({
      capability: fc.oneof(fc.constantFrom("process.spawn", "unresolved"), text),
      decision: fc.constantFrom("allowed", "needs_approval", "refused"),
      uses: fc.array(
        fc.record({
          reference: text,
          line,
          column: fc.integer({ min: 1, max: 200 }),
          chain: fc.array(text, { maxLength: 3 }),
        }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 3 },
  ),
  imports: fc.constant([]),
  complexity: fc.constant(null),
}) satisfies fc.Arbitrary<AnalysisReport>;

export const source = fc.option(
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(text, { maxLength: 12 }).map((lines) => Buffer.from(lines.join("\n"))),
  ),
  { nil: undefined },
);
