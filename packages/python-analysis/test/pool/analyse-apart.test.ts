import type { AnalysisMetadata } from "@sluice/contracts";
import { expect, test } from "vitest";
import { decodeSource } from "../../src/decode.js";
import { collectFacts } from "../../src/facts/collect.js";
import { DEFAULT_POLICY } from "../../src/policy/default.js";
import { judge } from "../../src/policy/judge.js";
import { analyseApart, ParserKilled } from "../../src/pool/analysers.js";
import { parseModule } from "../../src/structure/parse.js";

async function factsOf(text: string, valid: boolean) {
  const source = Buffer.from(text);
  const verdict = { valid, error: null, killed: null };
  const parsed = await parseModule(text);
  return collectFacts({ source, decoded: decodeSource(source), verdict, parsed });
}

test("a report stands where only the metadata kills the parser, and says so", async () => {
  const facts = await factsOf("eval(x)\n", true);
  const report = judge(facts, DEFAULT_POLICY);
  const analyseWith = (metadata: () => Promise<AnalysisMetadata>, of = facts) =>
    analyseApart(new Uint8Array(), DEFAULT_POLICY, { facts: async () => of, metadata });

  const described = {} as AnalysisMetadata;
  expect(await analyseWith(async () => described)).toEqual({ report, metadata: described });
  const killed = new ParserKilled("memory");
  expect(await analyseWith(() => Promise.reject(killed))).toEqual({
    report: { ...report, verdict: "refused", findings: [killed.finding, ...report.findings] },
    metadata: null,
  });
  const mistake = new TypeError("a mistake");
  await expect(analyseWith(() => Promise.reject(mistake))).rejects.toBe(mistake);
  const invalid = await factsOf("def", false);
  expect(await analyseWith(() => Promise.reject(mistake), invalid)).toEqual({
    report: judge(invalid, DEFAULT_POLICY),
    metadata: null,
  });
});
