import type { Finding, Report } from "@sluice/contracts";
import { describe, expect, it } from "vitest";
import { toSarif } from "../src/sarif.js";

const FINDING: Finding = {
  rule: "calls.eval",
  severity: "warning",
  confidence: "high",
  message: "evaluates text",
  line: 3,
  column: 5,
  end_line: 3,
  end_column: 9,
  why: "Whoever can change the string runs code.",
  help: "Use ast.literal_eval.",
  cwe: 95,
};

const REPORT: Report = {
  script_id: "0190a0b0-0000-7000-8000-000000000000",
  version: 2,
  sha256: "0".repeat(64),
  analyser_version: "1",
  python_version: "3.14.2",
  policy: { name: "default", version: "1" },
  verdict: "needs_approval",
  syntax: { valid: true, error: null },
  findings: [
    FINDING,
    { ...FINDING, severity: "error", line: 9, end_line: null, end_column: null },
    {
      ...FINDING,
      rule: "size.empty",
      severity: "info",
      line: null,
      column: null,
      why: null,
      help: null,
      cwe: null,
    },
  ],
  capabilities: [
    {
      capability: "process.spawn",
      decision: "needs_approval",
      uses: [{ reference: "os.system", line: 4, column: 1, chain: ["import os"] }],
    },
    {
      capability: "environment.read",
      decision: "allowed",
      uses: [{ reference: "os.environ", line: 5, column: 1, chain: [] }],
    },
  ],
  imports: [],
  complexity: null,
};

describe("toSarif", () => {
  const log = toSarif(REPORT, "a b#ü.py");
  const run = log.runs[0]!;

  it("gives each finding and each use that needs approval a result at its place", () => {
    expect(
      run.results?.map(({ ruleId, kind, level, locations }) => [
        ruleId,
        kind ?? level,
        locations?.[0]?.physicalLocation?.region,
      ]),
    ).toEqual([
      ["calls.eval", "warning", { startLine: 3, startColumn: 5, endLine: 3, endColumn: 9 }],
      ["calls.eval", "error", { startLine: 9, startColumn: 5 }],
      ["size.empty", "note", undefined],
      ["capability.process.spawn", "review", { startLine: 4, startColumn: 1 }],
    ]);
  });

  it("has a rule for each result, once, at the index that the result gives", () => {
    const rules = run.tool.driver.rules ?? [];
    expect(rules.map(({ id }) => id)).toEqual([
      "calls.eval",
      "size.empty",
      "capability.process.spawn",
    ]);
    expect(rules[0]?.help?.text).toBe("Use ast.literal_eval.");
    for (const { ruleId, ruleIndex } of run.results ?? []) {
      expect(rules[ruleIndex ?? -1]?.id).toBe(ruleId);
    }
  });

  it("refers to the weaknesses that it lists", () => {
    expect(run.taxonomies?.[0]?.taxa).toEqual([{ id: "95" }]);
    expect(run.results?.[0]?.taxa).toEqual([
      { id: "95", index: 0, toolComponent: { name: "CWE" } },
    ]);
    expect(toSarif({ ...REPORT, findings: [] }, "a.py").runs[0]?.taxonomies).toBeUndefined();
  });

  it("names the file by a URI", () => {
    expect(run.artifacts?.[0]?.location?.uri).toBe("a%20b%23%C3%BC.py");
    expect(new URL(run.artifacts?.[0]?.location?.uri ?? "", "file:///x/").hash).toBe("");
  });
});
