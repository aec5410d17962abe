import type { AnalysisReport } from "@sluice/contracts";
import { collectFacts, type FactsInput } from "./facts/collect.js";
import { FACT_LIMITS } from "./facts/script-facts.js";
import { FINDING_LIMITS } from "./findings/listed.js";
import { MOST_IMPORTS } from "./policy/imports.js";
import { judge } from "./policy/judge.js";
import type { Policy } from "./policy/schema.js";

/** Everything that is known of a script when its report is made. */
export interface ReportInput extends FactsInput {
  readonly policy: Policy;
}

/** What a report lists at most, so that a hostile script cannot make it larger than itself. */
export const REPORT_LIMITS = {
  findings: FINDING_LIMITS.all,
  findingsPerRule: FINDING_LIMITS.perRule,
  usesPerCapability: FACT_LIMITS.usesPerCapability,
  imports: MOST_IMPORTS,
} as const;

/** Judges a script by a policy: {@link collectFacts} and {@link judge} in one. Never throws. */
export function buildReport({ policy, ...input }: ReportInput): AnalysisReport {
  return judge(collectFacts(input), policy);
}
