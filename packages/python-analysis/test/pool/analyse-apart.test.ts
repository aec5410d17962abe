import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import { expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../src/policy/default.js";
import { analyseApart, ParserKilled } from "../../src/pool/analysers.js";

test("a report stands where only the metadata kills the parser", async () => {
  const report = { verdict: "allowed" } as AnalysisReport;
  const analyseWith = (metadata: () => Promise<AnalysisMetadata>, made = report) =>
    analyseApart(new Uint8Array(), DEFAULT_POLICY, { report: async () => made, metadata });
  const facts = {} as AnalysisMetadata;
  expect(await analyseWith(async () => facts)).toEqual({
    report,
    metadata: facts,
    metadataKilled: null,
  });
  expect(await analyseWith(() => Promise.reject(new ParserKilled("memory")))).toEqual({
    report,
    metadata: null,
    metadataKilled: "memory",
  });
  const mistake = new TypeError("a mistake");
  await expect(analyseWith(() => Promise.reject(mistake))).rejects.toBe(mistake);
  const invalid = { verdict: "invalid" } as AnalysisReport;
  expect(await analyseWith(() => Promise.reject(mistake), invalid)).toEqual({
    report: invalid,
    metadata: null,
    metadataKilled: null,
  });
});
