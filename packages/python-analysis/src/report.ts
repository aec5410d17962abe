import type { AnalysisReport, Capability, Finding, JudgedImport } from "@sluice/contracts";
import { capabilityMap } from "./capabilities/map.js";
import { resolveUses, type Resolution, type Use } from "./capabilities/uses.js";
import { measureComplexity } from "./complexity.js";
import type { DecodedSource } from "./decode.js";
import { callFindings } from "./findings/calls.js";
import { finding, placeOf, quoted } from "./findings/finding.js";
import { syntaxOutcome } from "./findings/syntax.js";
import { lineEndFindings, textFindings, tokenFindings } from "./findings/text.js";
import { toolFindings } from "./findings/tools.js";
import { decideCapability, strictest, type Decision } from "./policy/decide.js";
import { judgeImports } from "./policy/imports.js";
import { policyVersion, type Policy } from "./policy/schema.js";
import { docstringFindings, limitFindings, signatureFindings } from "./policy/structure.js";
import type { ParsedModule } from "./structure/types.js";
import { BUILT_IN_PYTHON, type Python } from "./verdict/python.js";
import type { CompileVerdict } from "./verdict/types.js";

/** Everything that is known of a script when its report is made. */
export interface ReportInput {
  /** As it was uploaded. */
  readonly source: Uint8Array;
  readonly decoded: DecodedSource;
  readonly verdict: CompileVerdict;
  /** Only looked at where the verdict is that the script is valid. */
  readonly parsed: ParsedModule | undefined;
  readonly policy: Policy;
  /** Whose verdict it is; the built-in one's if nothing is said. */
  readonly python?: Python | undefined;
}

/** What a report lists at most, so that a hostile script cannot make it larger than itself. */
export const REPORT_LIMITS = {
  findings: 500,
  findingsPerRule: 100,
  usesPerCapability: 100,
  imports: 500,
} as const;

/**
 * Judges a script by a policy.
 *
 * The verdict is `invalid` for what is not Python, too large or beyond the parsers' limits; else `refused` with a finding of
 * severity `error` or a capability that the policy refuses; else `needs_approval` where the policy says so of a capability or an
 * import; else `allowed`. Findings and uses are in order of place. Never throws.
 */
export function buildReport(input: ReportInput): AnalysisReport {
  const { source, decoded, verdict, parsed, policy, python = BUILT_IN_PYTHON } = input;
  const outcome = syntaxOutcome(decoded, verdict);
  const base = {
    analyser_version: python.analyserVersion,
    python_version: python.version,
    policy: { name: policy.name, version: policyVersion(policy) },
    syntax: outcome.syntax,
  };
  const large = sizeFindings(source, policy);
  const tooLarge = large.some(({ severity }) => severity === "error");
  if (!outcome.syntax.valid || verdict.killed !== null || tooLarge || !parsed) {
    const findings = [...outcome.findings, ...large];
    if (!findings.some(({ severity }) => severity === "error")) {
      findings.push(
        finding("syntax.parser-killed", "the structure of the script could not be read", null),
      );
    }
    return {
      ...base,
      verdict: "invalid",
      findings: listed(findings),
      capabilities: [],
      imports: [],
      complexity: null,
    };
  }

  const resolution = resolveUses(parsed);
  const complexity = measureComplexity(parsed);
  const imports = judgeImports(parsed, policy, source, python);
  const shownImports = listedImports(imports.imports);
  const { capabilities, findings: found } = judgeCapabilities(parsed, resolution, policy);
  const findings = [
    ...outcome.findings,
    ...large,
    ...emptyFindings(source),
    ...lineEndFindings(source),
    ...textFindings(parsed),
    ...tokenFindings(parsed),
    ...limitFindings(complexity, policy),
    ...imports.findings,
    ...truncated(imports.imports.length - shownImports.length, "imports"),
    ...docstringFindings(parsed, policy),
    ...toolFindings(parsed),
    ...signatureFindings(parsed, policy),
    ...callFindings(parsed, resolution),
    ...unreadFindings(parsed, resolution),
    ...found,
  ];
  const decisions = [...capabilities.map(({ decision }) => decision), imports.decision];
  const decision: Decision = findings.some(({ severity }) => severity === "error")
    ? "refused"
    : strictest(decisions);
  return {
    ...base,
    verdict: decision,
    findings: listed(findings),
    capabilities,
    imports: shownImports,
    complexity: complexity.module,
  };
}

function sizeFindings(source: Uint8Array, { limits }: Policy): Finding[] {
  const { limit, severity } = limits.max_bytes;
  if (limit === null || source.length <= limit) return [];
  return [
    finding("source.too-large", `${source.length} bytes, where the limit is ${limit}`, null, {
      severity,
    }),
  ];
}

function emptyFindings(source: Uint8Array): Finding[] {
  return source.length === 0 ? [finding("source.empty", "the file is empty", null)] : [];
}

function unreadFindings(parsed: ParsedModule, { names }: Resolution): Finding[] {
  return names.unread.map((node) => {
    const message = "this could not be read, so what it does is unresolved";
    return finding("syntax.partly-read", message, placeOf(parsed, node));
  });
}

/** Groups uses by capability, in the order of the capabilities' data, and decides on each. */
function judgeCapabilities(
  parsed: ParsedModule,
  resolution: Resolution,
  policy: Policy,
): { capabilities: Capability[]; findings: Finding[] } {
  const byCapability = new Map<string, Use[]>();
  for (const use of resolution.uses) {
    const alike = byCapability.get(use.capability);
    if (alike) alike.push(use);
    else byCapability.set(use.capability, [use]);
  }
  const capabilities: Capability[] = [];
  const findings: Finding[] = [];
  for (const capability of capabilityMap().descriptions.keys()) {
    const all = byCapability.get(capability);
    if (!all) continue;
    const uses = inOrder(all);
    const shown = uses.slice(0, REPORT_LIMITS.usesPerCapability);
    const decision = decideCapability(capability, policy);
    capabilities.push({
      capability,
      decision,
      uses: shown.map((use) => useOf(parsed, use, resolution)),
    });
    findings.push(...truncated(uses.length - shown.length, `uses of ${capability}`));
    if (decision === "refused") {
      const [first] = uses;
      const message = `${capability} is refused; the script uses it through ${quoted(first!.reference)}`;
      findings.push(finding("capability.refused", message, placeOf(parsed, first!.node)));
    }
  }
  return { capabilities, findings };
}

/** No more imports than a report may have; those that are not allowed must not be cut off by those that are. */
function listedImports(imports: readonly JudgedImport[]): JudgedImport[] {
  if (imports.length <= REPORT_LIMITS.imports) return [...imports];
  const kept = new Set(
    imports
      .toSorted((a, b) => Number(a.decision === "allowed") - Number(b.decision === "allowed"))
      .slice(0, REPORT_LIMITS.imports),
  );
  return imports.filter((each) => kept.has(each));
}

function truncated(omitted: number, what: string): Finding[] {
  if (omitted <= 0) return [];
  return [finding("report.truncated", `${omitted} more ${what} are not listed`, null)];
}

/** In order of place, each reference at each place once. */
function inOrder(uses: readonly Use[]): Use[] {
  const distinct = new Map(uses.map((use) => [`${use.node.startIndex} ${use.reference}`, use]));
  return [...distinct.values()].toSorted(
    (a, b) => a.node.startIndex - b.node.startIndex || compare(a.reference, b.reference),
  );
}

function useOf(
  parsed: ParsedModule,
  { node, reference }: Use,
  resolution: Resolution,
): Capability["uses"][number] {
  return {
    reference: quoted(reference, 200),
    ...parsed.position(node.startIndex),
    chain: resolution.chain(node),
  };
}

/** In order of place, and no more of them than a report may have. */
function listed(findings: readonly Finding[]): Finding[] {
  const sorted = findings.toSorted(
    (a, b) =>
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      compare(a.rule, b.rule) ||
      compare(a.message, b.message),
  );
  const counts = new Map<string, number>();
  const shown = sorted.filter(({ rule }) => {
    const count = (counts.get(rule) ?? 0) + 1;
    counts.set(rule, count);
    return count <= REPORT_LIMITS.findingsPerRule;
  });
  // What refuses the script must not be cut off by what only warns.
  const kept =
    shown.length <= REPORT_LIMITS.findings
      ? shown
      : withErrorsFirst(shown).slice(0, REPORT_LIMITS.findings);
  const omitted = sorted.length - kept.length;
  if (omitted === 0) return kept;
  const told = new Set(kept);
  const message = `${omitted} more findings are not listed`;
  return [finding("report.truncated", message, null), ...sorted.filter((each) => told.has(each))];
}

function withErrorsFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted(
    (a, b) => Number(b.severity === "error") - Number(a.severity === "error"),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
