import type { Finding, JudgedImport } from "@sluice/contracts";
import { FACT_LIMITS, type ImportFacts, type ImportsFacts } from "../facts/script-facts.js";
import { finding, quoted } from "../findings/finding.js";
import { decideImport, isListed, strictest, strictestOnImports, type Decision } from "./decide.js";
import type { Policy } from "./schema.js";

export interface ImportJudgement {
  /** On all imports together. */
  readonly decision: Decision;
  /** Each module once, where it is first imported. */
  readonly imports: JudgedImport[];
  readonly findings: readonly Finding[];
}

const SEVERITIES = { refused: "error", needs_approval: "warning" } as const;

/** As much of a name as a report tells. */
const LONGEST_NAME = 200;
/** No more than these are listed. */
export const MOST_IMPORTS = 500;

interface DecidedImport extends ImportFacts {
  readonly decision: Decision;
}

/** Judges what a script imports, and what of that its own dependency block (PEP 723) leaves out. */
export function judgeImports(facts: ImportsFacts, policy: Policy): ImportJudgement {
  const decided = facts.modules.map((each): DecidedImport => {
    const isStdlib = each.origin === "standard_library";
    return { ...each, decision: decideImport(each.module, isStdlib, policy) };
  });
  const shown = listedImports(decided);
  // Those that were not kept may be anything that the policy has a word on.
  const rest = facts.omitted > 0 ? strictestOnImports(policy) : "allowed";
  const omitted = decided.length - shown.length + facts.omitted;
  return {
    decision: strictest([rest, ...decided.map(({ decision }) => decision)]),
    imports: shown.map((each) => judgedImport(each, policy)),
    findings: [
      ...decided.flatMap(notAllowed),
      ...restFindings(facts.omitted, rest),
      ...undeclared(facts, policy),
      ...(omitted > 0
        ? [finding("report.truncated", `${omitted} more imports are not listed`, null)]
        : []),
    ],
  };
}

/** No more than a report may have; those that are not allowed must not be cut off by those that are. */
function listedImports(imports: readonly DecidedImport[]): readonly DecidedImport[] {
  if (imports.length <= MOST_IMPORTS) return imports;
  const kept = new Set(
    imports
      .toSorted((a, b) => Number(a.decision === "allowed") - Number(b.decision === "allowed"))
      .slice(0, MOST_IMPORTS),
  );
  return imports.filter((each) => kept.has(each));
}

function judgedImport(imported: DecidedImport, policy: Policy): JudgedImport {
  const { module, line, column, origin, distribution, decision } = imported;
  const isAllowListed = origin === "unknown" && isListed(module, policy.imports.allowed);
  return {
    module: quoted(module, LONGEST_NAME),
    line,
    column,
    origin: isAllowListed ? "allow_listed" : origin,
    distribution,
    decision,
  };
}

function notAllowed({ module, decision, ...start }: DecidedImport): Finding[] {
  if (decision === "allowed") return [];
  return [notAllowedFinding(`the import of \`${quoted(module)}\``, decision, { start })];
}

function restFindings(omitted: number, decision: Decision): Finding[] {
  if (decision === "allowed") return [];
  const what = `more than ${FACT_LIMITS.imports} modules are imported; the import of ${omitted} more`;
  return [notAllowedFinding(what, decision, null)];
}

function notAllowedFinding(
  what: string,
  decision: keyof typeof SEVERITIES,
  place: Parameters<typeof finding>[2],
): Finding {
  const message = `${what} ${decision === "refused" ? "is refused" : "needs approval"}`;
  return finding("imports.not-allowed", message, place, { severity: SEVERITIES[decision] });
}

/** Imports whose package the script's own dependency block leaves out. Without a block, nothing is said to be declared. */
function undeclared({ declares, modules }: ImportsFacts, { imports }: Policy): Finding[] {
  if (imports.undeclared === "off" || !declares) return [];
  const missing = new Map<string, Finding>();
  for (const { module, distribution, origin, ...start } of modules) {
    if (origin !== "unknown" || distribution === null || missing.has(distribution)) continue;
    const message = `\`${quoted(module)}\` is imported, but the script does not declare ${quoted(distribution)} or the like`;
    const severity = { severity: imports.undeclared };
    missing.set(distribution, finding("imports.undeclared", message, { start }, severity));
  }
  return [...missing.values()];
}
