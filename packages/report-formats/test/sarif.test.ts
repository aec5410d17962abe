import { readFileSync } from "node:fs";
import type { AnalysisReport, Finding } from "@sluice/contracts";
import { describe, expect, it } from "vitest";
import { type ReportedFile, SarifRun, toSarif } from "../src/index.js";
import { sarifProblems } from "./validate-sarif.js";

const FINDING: Finding = {
  rule: "code.eval",
  severity: "warning",
  confidence: "high",
  message: "eval() runs code from a string",
  line: 3,
  column: 5,
  end_line: 3,
  end_column: 9,
  why: "Whoever can change the string runs code.",
  help: "Use ast.literal_eval.",
  cwe: 95,
};

const REPORT: AnalysisReport = {
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
      capability: "network.client",
      decision: "refused",
      uses: [{ reference: "socket.socket", line: 6, column: 3, chain: ["import socket"] }],
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

const SOURCE = Buffer.from(
  "import os\nimport socket\ndef f(x):\n    eval(x)\nos.system('ls')\n  socket.socket()\n\n\n\tünï = eval(y)\n",
);

const FILE: ReportedFile = {
  name: "a b#ü.py",
  report: REPORT,
  sha256: "0".repeat(64),
  source: SOURCE,
};

function runOf(file: ReportedFile) {
  const log = toSarif(file, "sluice/x/1");
  expect(sarifProblems(log)).toEqual([]);
  return log.runs[0]!;
}

describe("a report as SARIF", () => {
  const run = runOf(FILE);

  it("has a result for each finding and each use that is refused or needs approval, at its place", () => {
    expect(
      run.results?.map(({ ruleId, kind, level, locations }) => [
        ruleId,
        kind ?? level,
        locations?.[0]?.physicalLocation?.region,
      ]),
    ).toMatchObject([
      ["code.eval", "warning", { startLine: 3, startColumn: 5, endLine: 3, endColumn: 9 }],
      ["code.eval", "error", { startLine: 9, startColumn: 5 }],
      ["size.empty", "note", undefined],
      ["capability.process.spawn", "review", { startLine: 4, startColumn: 1 }],
      ["capability.network.client", "fail", { startLine: 6, startColumn: 3 }],
    ]);
    expect(run.results?.at(-1)?.level).toBe("error");
  });

  it("quotes the lines", () => {
    const places = run.results?.map(({ locations }) => locations?.[0]?.physicalLocation);
    expect(places?.map((place) => (place?.contextRegion ?? place?.region)?.snippet?.text)).toEqual([
      "def f(x):",
      "\tünï = eval(y)",
      undefined,
      "    eval(x)",
      "  socket.socket()",
    ]);
    const without = runOf({ ...FILE, source: undefined });
    expect(JSON.stringify(without)).not.toContain("snippet");
  });

  it("describes a rule for each result, once, with why it matters and what to do", () => {
    const rules = run.tool.driver.rules ?? [];
    expect(rules.map(({ id, name }) => [id, name])).toEqual([
      ["code.eval", "CodeEval"],
      ["size.empty", "SizeEmpty"],
      ["capability.process.spawn", "CapabilityProcessSpawn"],
      ["capability.network.client", "CapabilityNetworkClient"],
    ]);
    const [evaluation, empty, spawn] = rules;
    expect(evaluation).toMatchObject({
      shortDescription: { text: "Runs code from a string." },
      fullDescription: { text: expect.stringMatching(/^Whoever can change the string/) },
      help: { text: expect.stringMatching(/^Use `ast.literal_eval`/) },
      defaultConfiguration: { level: "warning" },
      properties: {
        precision: "high",
        "security-severity": "5.5",
        tags: ["security", "code", "external/cwe/cwe-095"],
      },
    });
    expect(empty).not.toHaveProperty("help");
    expect(empty?.properties).not.toHaveProperty("security-severity");
    expect(spawn?.shortDescription?.text).toBe("process.spawn: starts programs or processes.");
  });

  it("calls malware critical", () => {
    const malware: Finding = { ...FINDING, rule: "malware.signature", severity: "error", cwe: 506 };
    const { tool } = runOf({ ...FILE, report: { ...REPORT, findings: [malware] } });
    expect(tool.driver.rules?.[0]?.properties).toMatchObject({ "security-severity": "9.5" });
  });

  it("describes a rule that this analyser has not by what the finding says", () => {
    const old = { ...FINDING, rule: "old.rule", why: null };
    const { tool } = runOf({ ...FILE, report: { ...REPORT, findings: [old] } });
    expect(tool.driver.rules?.[0]).toMatchObject({
      id: "old.rule",
      help: { text: "Use ast.literal_eval." },
      defaultConfiguration: { level: "warning" },
    });
    expect(tool.driver.rules?.[0]).not.toHaveProperty("fullDescription");
  });

  it("refers to the weaknesses that it lists", () => {
    expect(run.taxonomies?.[0]?.taxa).toMatchObject([
      { id: "95", helpUri: "https://cwe.mitre.org/data/definitions/95.html" },
    ]);
    expect(run.results?.[0]?.taxa).toMatchObject([{ id: "95", index: 0 }]);
    const none = runOf({ ...FILE, report: { ...REPORT, findings: [] } });
    expect(none.taxonomies).toBeUndefined();
  });

  it("has a name for the weakness of every rule", () => {
    // The table is held to the rules by a test of its own.
    const table = readFileSync(new URL("../../../docs/rules.md", import.meta.url), "utf8");
    const numbers = new Set(
      [...table.matchAll(/definitions\/(\d+)\.html/g)].map((match) => Number(match[1])),
    );
    expect(numbers.size).toBeGreaterThan(20);
    const findings = [...numbers].map((cwe) => ({ ...FINDING, cwe }));
    const { taxonomies } = runOf({ ...FILE, report: { ...REPORT, findings } });
    const taxa = taxonomies?.[0]?.taxa ?? [];
    expect(taxa).toHaveLength(numbers.size);
    expect(taxa.filter(({ shortDescription }) => !shortDescription).map(({ id }) => id)).toEqual(
      [],
    );
  });

  it("has fingerprints that stay the same where lines move, and differ where results do", () => {
    const moved = runOf({
      ...FILE,
      source: Buffer.concat([Buffer.from("# one\n# more\n"), SOURCE]),
      report: {
        ...REPORT,
        findings: REPORT.findings.map((each) => ({ ...each, line: each.line && each.line + 2 })),
        capabilities: REPORT.capabilities.map((each) => ({
          ...each,
          uses: each.uses.map((use) => ({ ...use, line: use.line + 2 })),
        })),
      },
    });
    const prints = run.results?.map(({ partialFingerprints }) => partialFingerprints);
    expect(moved.results?.map(({ partialFingerprints }) => partialFingerprints)).toEqual(prints);
    expect(new Set(prints?.map((each) => JSON.stringify(each))).size).toBe(prints?.length);
  });

  it("says no message that would be read as a placeholder or a link", () => {
    const message = "x\\u{202e} {0} [click](http://x)";
    const [result] = runOf({
      ...FILE,
      report: { ...REPORT, findings: [{ ...FINDING, message }] },
    }).results!;
    expect(result?.message.text).toBe("x\\u{{202e}} {{0}} [click] (http://x).");
  });

  it.each([
    ["a b#ü.py", "a%20b%23%C3%BC.py"],
    ["a:b.py", "a%3Ab.py"],
    ["./x//y/./z.py", "x/y/z.py"],
    ["../x.py", "../x.py"],
    ["/tmp/a?.py", "file:///tmp/a%3F.py"],
    ["//host/a.py", "file:///host/a.py"],
    ["100%.py", "100%25.py"],
    ["\udcff\udc80é😀.py", "%FF%80%C3%A9%F0%9F%98%80.py"],
    ["\ud800.py", "%EF%BF%BD.py"],
    ["a\nb\0.py", "a%0Ab%00.py"],
    ["-", "-"],
  ])("names the file %j by the URI %s", (name, uri) => {
    expect(runOf({ ...FILE, name }).artifacts?.[0]?.location?.uri).toBe(uri);
    const about = new URL(uri, "file:///base/");
    expect([about.protocol, about.host, about.search, about.hash]).toEqual(["file:", "", "", ""]);
  });
});

describe("a run over several files", () => {
  it("shares rules and weaknesses, and lists each file once", () => {
    const run = new SarifRun({ analyserVersion: "3" });
    const files = ["a.py", "b.py", "./a.py"].map((name) => ({ ...FILE, name }));
    const results = files.flatMap((file) => run.add(file));
    run.addUnreported({ name: "c.py", message: "no such file", isFault: false });
    const log = { version: "2.1.0" as const, runs: [{ ...run.end(), results }] };
    expect(sarifProblems(log)).toEqual([]);
    expect(log.runs[0]?.artifacts?.map(({ location }) => location?.uri)).toEqual([
      "a.py",
      "b.py",
      "c.py",
    ]);
    expect(log.runs[0]?.tool.driver.rules).toHaveLength(4);
    expect(log.runs[0]?.invocations).toMatchObject([
      {
        executionSuccessful: true,
        toolExecutionNotifications: [{ level: "error", message: { text: "no such file." } }],
      },
    ]);
  });

  it("says that it failed where the tool did, and is valid without any file", () => {
    const run = new SarifRun({ analyserVersion: "3" });
    expect(sarifProblems({ version: "2.1.0", runs: [{ ...run.end(), results: [] }] })).toEqual([]);
    run.addUnreported({ name: "a.py", message: "out of memory", isFault: true });
    expect(run.end().invocations?.[0]?.executionSuccessful).toBe(false);
  });
});
