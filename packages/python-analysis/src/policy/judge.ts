import type { AnalysisReport, Capability, Finding } from "@sluice/contracts";
import type { CapabilityFacts, FindingFacts, ScriptFacts } from "../facts/script-facts.js";
import { finding, quoted, ruleTexts } from "../findings/finding.js";
import { listed } from "../findings/listed.js";
import type { RuleId } from "../findings/rules/index.js";
import { decideCapability, strictest, type Decision } from "./decide.js";
import { judgeImports } from "./imports.js";
import { policyVersion, type Policy } from "./schema.js";
import { docstringFindings, limitFindings, signatureFindings } from "./structure.js";

/**
 * Judges facts by a policy: cheap, without the source, and the same each time.
 *
 * Whatever the policy, the verdict is `malicious` for what is known to be malware, and else `invalid` for what is not Python or beyond
 * the parsers' limits. It is `refused` with a finding of severity `error` or a capability or import that the policy refuses; else `needs_approval` where the policy says so of a
 * capability or an import; else `allowed`. Findings and uses are in order of place. Never throws.
 *
 * @param facts - collected by this very version of the analyser
 */
export function judge(facts: ScriptFacts, policy: Policy): AnalysisReport {
  const { structure, malicious } = facts;
  const base = {
    analyser_version: facts.analyser_version,
    python_version: facts.python_version,
    policy: { name: policy.name, version: policyVersion(policy) },
    syntax: facts.syntax,
  };
  const known = [...facts.findings.map(completed), ...sizeFindings(facts.size, policy)];
  if (structure === null) {
    return {
      ...base,
      verdict: malicious ? "malicious" : "invalid",
      findings: listedWithRest(known, facts.findings_omitted),
      capabilities: [],
      imports: [],
      complexity: null,
    };
  }

  const capabilities = structure.capabilities.map((each) => judgeCapability(each, policy));
  const imports = judgeImports(structure.imports, policy);
  const findings = [
    ...known,
    ...limitFindings(structure.complexity, policy),
    ...imports.findings,
    ...docstringFindings(structure.docstrings, policy),
    ...signatureFindings(structure.signatures, policy),
    ...structure.capabilities.flatMap((each) => capabilityFindings(each, policy)),
  ];
  const decisions = [...capabilities.map(({ decision }) => decision), imports.decision];
  const decision: Decision = findings.some(({ severity }) => severity === "error")
    ? "refused"
    : strictest(decisions);
  return {
    ...base,
    verdict: malicious ? "malicious" : decision,
    findings: listedWithRest(findings, facts.findings_omitted),
    capabilities,
    imports: imports.imports,
    complexity: structure.complexity.module,
  };
}

function completed(facts: FindingFacts): Finding {
  return { ...facts, ...ruleTexts(facts.rule as RuleId) };
}

function sizeFindings(size: number, { limits }: Policy): Finding[] {
  const { limit, severity } = limits.max_bytes;
  if (limit === null || size <= limit) return [];
  const message = `${size} bytes, where the limit is ${limit}`;
  return [finding("source.too-large", message, null, { severity })];
}

function judgeCapability({ capability, uses }: CapabilityFacts, policy: Policy): Capability {
  return { capability, decision: decideCapability(capability, policy), uses };
}

function capabilityFindings(
  { capability, uses, end, omitted }: CapabilityFacts,
  policy: Policy,
): Finding[] {
  const findings = truncated(omitted, `uses of ${capability}`);
  const [first] = uses;
  if (first && decideCapability(capability, policy) === "refused") {
    const message = `${capability} is refused; the script uses it through ${quoted(first.reference)}`;
    findings.push(finding("capability.refused", message, { start: first, end }));
  }
  return findings;
}

/** @param omitted - how many were left out before */
function listedWithRest(findings: readonly Finding[], omitted: number): Finding[] {
  const { kept, omitted: more } = listed(findings);
  return [...truncated(omitted + more, "findings"), ...kept];
}

function truncated(omitted: number, what: string): Finding[] {
  if (omitted <= 0) return [];
  return [finding("report.truncated", `${omitted} more ${what} are not listed`, null)];
}
