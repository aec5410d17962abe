import type { Finding } from "@sluice/contracts";

/** A kind of finding. Ids are stable: reports are stored, and people filter by them. */
export interface Rule {
  readonly severity: Finding["severity"];
  readonly confidence: Finding["confidence"];
  /** What is wrong, in a few words. */
  readonly title: string;
  /** Why it matters: what can happen, to somebody who has not met the problem before. */
  readonly why: string;
  /** What to do about it. */
  readonly help: string;
  /** Number in the Common Weakness Enumeration (https://cwe.mitre.org), where one fits. */
  readonly cwe: number | null;
}

/** What is said of a rule; of most, one is sure. */
type Described = Omit<Rule, "confidence" | "cwe"> & Partial<Pick<Rule, "confidence" | "cwe">>;

/** Completes a rule: `high` confidence and no CWE, where nothing else is said. */
export function rule(described: Described): Rule {
  return { confidence: "high", cwe: null, ...described };
}
