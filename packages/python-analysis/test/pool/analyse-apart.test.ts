import type { AnalysisMetadata, AnalysisReport, Finding } from "@sluice/contracts";
import { expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../src/policy/default.js";
import { analyseApart, ParserKilled } from "../../src/pool/analysers.js";

test("a report stands where only the metadata kills the parser, and says so", async () => {
  const warning = { rule: "a.warning", severity: "warning" } as Finding;
  const report = { verdict: "allowed", findings: [warning] } as unknown as AnalysisReport;
  const analyseWith = (metadata: () => Promise<AnalysisMetadata>, made = report) =>
    analyseApart(new Uint8Array(), DEFAULT_POLICY, { report: async () => made, metadata });

  const facts = {} as AnalysisMetadata;
  expect(await analyseWith(async () => facts)).toEqual({ report, metadata: facts });
  const killed = new ParserKilled("memory");
  expect(await analyseWith(() => Promise.reject(killed))).toEqual({
    report: { verdict: "refused", findings: [killed.finding, warning] },
    metadata: null,
  });
  const mistake = new TypeError("a mistake");
  await expect(analyseWith(() => Promise.reject(mistake))).rejects.toBe(mistake);
  const invalid = { verdict: "invalid" } as AnalysisReport;
  expect(await analyseWith(() => Promise.reject(mistake), invalid)).toEqual({
    report: invalid,
    metadata: null,
  });
});
