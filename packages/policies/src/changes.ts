import type { JudgedVersion } from "@sluice/catalog";
import type { AnalysisReport, PolicyReason } from "@sluice/contracts";
import type { VersionState } from "@sluice/pipeline";

/** Something that a policy decides otherwise than the one before. */
export type Reason = PolicyReason;

/** A version that has another state by another policy. */
export interface StateChange {
  readonly version: JudgedVersion;
  readonly to: VersionState;
  readonly reasons: readonly Reason[];
}

const MOST_REASONS = 20;

/** What one report asks for, refuses or finds wrong that the other does not, and the other way round. */
export function reasonsOf(before: AnalysisReport, after: AnalysisReport): Reason[] {
  const old = decisionsOf(before);
  const now = decisionsOf(after);
  const keys = [...new Set([...old.keys(), ...now.keys()])];
  return keys
    .flatMap((key) => {
      const from = old.get(key) ?? null;
      const to = now.get(key) ?? null;
      const [kind, name] = key.split(" ", 2) as [Reason["kind"], string];
      return from === to ? [] : [{ kind, name, from, to }];
    })
    .slice(0, MOST_REASONS);
}

/** By kind and name; of rules only those that refuse the script. */
function decisionsOf(report: AnalysisReport): Map<string, Reason["from"]> {
  const decisions = new Map<string, Reason["from"]>();
  for (const { capability, decision } of report.capabilities)
    decisions.set(`capability ${capability}`, decision);
  for (const { module, decision } of report.imports) decisions.set(`import ${module}`, decision);
  for (const { rule, severity } of report.findings) {
    if (severity === "error" && !TOLD_OTHERWISE.has(rule)) decisions.set(`rule ${rule}`, "refused");
  }
  return decisions;
}

/** What these say is said of the capability and the import. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set(["capability.refused", "imports.not-allowed"]);
