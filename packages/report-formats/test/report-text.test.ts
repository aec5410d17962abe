import type { AnalysisReport, Capability, Finding } from "@sluice/contracts";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { createStyle, toText, Totals } from "../src/index.js";
import { report as anyReport, source as anySource, text as anyText } from "./arbitraries.js";

// Many sources, on machines that do much else.
vi.setConfig({ testTimeout: 60_000 });

const FINDING: Finding = {
  rule: "code.eval",
  severity: "warning",
  confidence: "high",
  message: "eval() runs code from a string",
  line: 1,
  column: 1,
  end_line: null,
  end_column: null,
  why: "Whoever can change the string runs code.",
  help: "Use `ast.literal_eval`.",
  cwe: 95,
};

const REPORT: AnalysisReport = {
  analyser_version: "3",
  python_version: "3.14.2",
  policy: { name: "default", version: "1" },
  verdict: "needs_approval",
  syntax: { valid: true, error: null },
  findings: [],
  capabilities: [],
  imports: [],
  complexity: null,
};

function render(source: string | Uint8Array | undefined, about: Partial<AnalysisReport>): string {
  const bytes = typeof source === "string" ? Buffer.from(source) : source;
  const file = { name: "a.py", report: { ...REPORT, ...about }, sha256: "", source: bytes };
  return toText(file, createStyle(false));
}

const at = (line: number, column: number, end_column: number | null = null): Finding => ({
  ...FINDING,
  line,
  column,
  end_line: end_column && line,
  end_column,
});

test("is the verdict, findings, capabilities with their chains, and how much there is of each", () => {
  const source = "import os as o\n\ndef run(x):\n\treturn o.system(x), eval(x)\n\nopen('a')\n";
  const text = render(source, {
    verdict: "refused",
    findings: [
      { ...at(4, 22, 29), severity: "error" },
      {
        ...at(6, 1, 10),
        rule: "file.odd",
        severity: "info",
        confidence: "low",
        why: null,
        help: null,
      },
      {
        ...FINDING,
        rule: "report.truncated",
        severity: "info",
        line: null,
        column: null,
        message: "3 more findings are not listed",
      },
    ],
    capabilities: [
      {
        capability: "process.spawn",
        decision: "refused",
        uses: [
          { reference: "os.system", line: 4, column: 9, chain: ["o.system", "import os as o"] },
        ],
      },
      {
        capability: "filesystem.read",
        decision: "needs_approval",
        uses: [
          { reference: "open", line: 6, column: 1, chain: ["open"] },
          { reference: "open", line: 60, column: 1, chain: [] },
        ],
      },
      {
        capability: "of.another.version",
        decision: "allowed",
        uses: [{ reference: "x", line: 1, column: 8, chain: [] }],
      },
    ],
  });
  expect(text).toMatchInlineSnapshot(`
    "a.py: refused
      error 4:22: eval() runs code from a string [code.eval]
          4 |     return o.system(x), eval(x)
            |                         ^^^^^^^
          why: Whoever can change the string runs code.
          help: Use \`ast.literal_eval\`.
      info 6:1: eval() runs code from a string [file.odd, low confidence]
          6 | open('a')
            | ^^^^^^^^^
      info: 3 more findings are not listed [report.truncated]
          why: Whoever can change the string runs code.
          help: Use \`ast.literal_eval\`.
      process.spawn: refused (starts programs or processes)
        4:9 os.system ← o.system ← import os as o
          4 |     return o.system(x), eval(x)
            |            ^^^^^^^^
      filesystem.read: needs approval (reads files or directory entries)
        6:1 open
          6 | open('a')
            | ^^^^
        60:1 open
      of.another.version: allowed
        1:8 x
          1 | import os as o
            |        ^^
    3 findings: 1 error, 2 info
    refused: process.spawn (1 place)
    needs approval: filesystem.read (2 places)
    "
  `);
});

test("explains a rule once, where it is met first", () => {
  const text = render("eval(x)\n".repeat(3), { findings: [at(1, 1, 8), at(2, 1, 8), at(3, 1, 8)] });
  expect(text.split("why: ")).toHaveLength(2);
  expect(text.indexOf("why: ")).toBeLessThan(text.indexOf("warning 2:1"));
});

test("shows no more uses of a capability than one reads", () => {
  const uses = Array.from({ length: 25 }, (_, i) => ({
    reference: "open",
    line: i + 1,
    column: 1,
    chain: [],
  }));
  const capability: Capability = {
    capability: "filesystem.read",
    decision: "needs_approval",
    uses,
  };
  const text = render("open('a')\n".repeat(25), { capabilities: [capability] });
  expect(text.match(/\^{4}/g)).toHaveLength(10);
  expect(text).toContain("    … and 15 more\n");
  expect(text).toMatch(/\nneeds approval: filesystem.read \(25 places\)\n$/);
});

describe("marks the place", () => {
  test.each([
    ["behind tabs", "\t\teval(x)\n", at(1, 3, 10)],
    ["behind wide characters", "日本 = eval(x)\n", at(1, 6, 13)],
    ["behind combining characters", "e\u0301e\u0301 = eval(x)\n", at(1, 8, 15)],
    ["behind controls", "x = '\x1b[2J\x07' + eval(x)\n", at(1, 15, 22)],
    ["behind what changes direction", "x = '\u202e\u2066' + eval(x)\n", at(1, 11, 18)],
    ["of what is not seen", "x = 'a\u200bb'\n", at(1, 7)],
    ["of wide characters", "ｅｖａｌ(x)\n", at(1, 1, 5)],
    [
      "far to the right",
      `x = 1;${" ".repeat(300)}eval(x); y = ${"1 + ".repeat(100)}1\n`,
      at(1, 307, 314),
    ],
    ["that goes on on the next line", "eval(\n  x)\n", { ...at(1, 1), end_line: 2, end_column: 5 }],
    ["in a line that is a comment to editors", "# a\reval(x)\n", at(2, 1, 8)],
    ["behind the end of the line", "def f(\n", at(1, 7)],
    ["of a line without a column", "if x\n", { ...at(1, 1), column: null }],
    ["of a line that is not there", "x\n", at(7, 1)],
  ])("%s", (_, source, finding) => {
    const [, , ...lines] = render(source, {
      findings: [{ ...finding, why: null, help: null }],
    }).split("\n");
    expect(lines.slice(0, -2).join("\n")).toMatchSnapshot();
  });

  test("in bytes that are no UTF-8", () => {
    const source = Buffer.from("x = 1\ny = '\xe9'; eval(y)\n", "latin1");
    expect(render(source, { findings: [at(2, 10, 17)] })).toContain(
      "eval(y)\n        |          ^^^^^^^\n",
    );
  });
});

test("says what there is where the source is not at hand", () => {
  const text = render(undefined, { findings: [at(4, 1, 8)] });
  expect(text).toContain("warning 4:1: eval()");
  expect(text).not.toContain(" | ");
});

test("is coloured only where that is asked for", () => {
  const file = {
    name: "a.py",
    report: { ...REPORT, findings: [at(1, 1, 8)] },
    sha256: "",
    source: Buffer.from("eval(x)"),
  };
  expect(toText(file, createStyle(false))).not.toContain("\x1b");
  expect(toText(file, createStyle(true))).toContain("\x1b[31m^^^^^^^\x1b[39m");
});

/** What may stand in a terminal: line ends, and nothing else that is not seen. */
const SAFE = /^(?:\n|[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}])*$/u;

test("is fit for a terminal and not too long, whatever a script or a report holds", () => {
  fc.assert(
    fc.property(anyText, anyReport, anySource, (name, report, source) => {
      const text = toText({ name, report, sha256: "", source }, createStyle(false));
      expect(text).toMatch(SAFE);
      expect(text.length).toBeLessThan(20_000);
      expect(text.endsWith("\n")).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("of hostile sources is made as fast as of others, and is as short", () => {
  const findings = Array.from({ length: 500 }, (_, i) => at(1, 100_000 + i * 7, 100_003 + i * 7));
  for (const character of ["a", "\u0301", "\u200b", "\u202e", "日", "😀", "\t"]) {
    const text = render(`x${character.repeat(300_000)}\n`, { findings });
    expect(text.length).toBeLessThan(2_000_000);
  }
  const lines = render("\n".repeat(1_000_000), {
    capabilities: Array.from({ length: 26 }, (_, i) => ({
      capability: `c${i}`,
      decision: "allowed" as const,
      uses: [{ reference: "x", line: 1_000_000, column: 1, chain: [] }],
    })),
  });
  expect(lines).toContain("1000000:1 x");
});

test("totals add up files, and say nothing where there is nothing", () => {
  const totals = new Totals();
  expect(totals.lines()).toEqual([]);
  const use = { reference: "x", line: 1, column: 1, chain: [] };
  for (let i = 0; i < 2; i++) {
    totals.add({
      findings: [at(1, 1), { ...at(1, 1), severity: "info" }],
      capabilities: [
        { capability: "b", decision: "needs_approval", uses: [use] },
        { capability: "a", decision: "needs_approval", uses: [use] },
        { capability: "c", decision: "refused", uses: [use] },
        { capability: "d", decision: "allowed", uses: [use] },
      ],
    });
  }
  expect(totals.lines()).toEqual([
    "4 findings: 2 warnings, 2 info",
    "refused: c (2 places)",
    "needs approval: a (2 places), b (2 places)",
  ]);
});
