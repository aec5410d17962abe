import type { Finding } from "@sluice/contracts";
import { describeCapability, describeRule, type Rule } from "@sluice/python-analysis/vocabulary";
import type { ReportingDescriptor } from "sarif";
import { toMessage } from "./message.js";
import type { Taxonomy } from "./taxonomy.js";

export const LEVELS = { error: "error", warning: "warning", info: "note" } as const;
/** From 0 to 10, as CVSS has it; consumers make `critical`, `high`, `medium` and `low` of it. */
const SECURITY_SEVERITIES = { error: "8.0", warning: "5.5", info: "3.0" } as const;
const MALWARE_SEVERITY = "9.5";
const CAPABILITY = "capability.";

/** The id of the rule that a use of a capability is a result of. */
export function capabilityRuleId(capability: string): string {
  return CAPABILITY + capability;
}

/** Describes a rule of findings; what the finding says itself does for one that this analyser does not have. */
export function findingRule(finding: Finding, taxonomy: Taxonomy): ReportingDescriptor {
  const { rule: id, severity, confidence, cwe } = finding;
  const known = describeRule(id);
  const why = known?.why ?? finding.why ?? null;
  const help = known?.help ?? finding.help;
  const rule = known ?? { severity, confidence, cwe };
  return {
    id,
    name: nameOf(id),
    ...(known && { shortDescription: toMessage(known.title) }),
    ...(why !== null && { fullDescription: toMessage(why) }),
    ...(help !== null && { help: toMessage(help) }),
    defaultConfiguration: { level: LEVELS[rule.severity] },
    ...(rule.cwe !== null && {
      relationships: [{ target: taxonomy.reference(rule.cwe), kinds: ["superset"] }],
    }),
    properties: {
      precision: rule.confidence,
      "problem.severity": rule.severity === "info" ? "recommendation" : rule.severity,
      ...(isAboutSecurity(id, rule) && {
        "security-severity":
          area(id) === "malware" && rule.severity === "error"
            ? MALWARE_SEVERITY
            : SECURITY_SEVERITIES[rule.severity],
      }),
      tags: tagsOf(id, rule),
    },
  };
}

/** Describes what it means that a script has a capability. */
export function capabilityRule(capability: string): ReportingDescriptor {
  const meaning = describeCapability(capability);
  const id = capabilityRuleId(capability);
  return {
    id,
    name: nameOf(id),
    ...(meaning !== undefined && {
      shortDescription: toMessage(`${capability}: ${meaning}`),
      fullDescription: toMessage(
        `The script ${meaning}. Harmless scripts may, too; whether this one should is for the policy or a person to say.`,
      ),
    }),
    help: toMessage(
      "Read the places where the script does it, then approve it, or have what does it removed.",
    ),
    defaultConfiguration: { level: "none" },
    properties: { precision: "high", tags: ["security", "capability"] },
  };
}

function tagsOf(id: string, rule: Pick<Rule, "cwe">): string[] {
  const tags = [isAboutSecurity(id, rule) ? "security" : "maintainability", area(id)];
  if (rule.cwe !== null) tags.push(`external/cwe/cwe-${String(rule.cwe).padStart(3, "0")}`);
  return tags;
}

/** What has a weakness is, but for what is only hard to read. */
function isAboutSecurity(id: string, { cwe }: Pick<Rule, "cwe">): boolean {
  return cwe !== null && area(id) !== "complexity";
}

function area(id: string): string {
  return id.slice(0, id.indexOf(".") >>> 0);
}

/** A name in one word for `code.dynamic-import`: `CodeDynamicImport`. */
function nameOf(id: string): string {
  return id.replaceAll(/(?:^|[^a-zA-Z0-9]+)(\w?)/g, (_, first: string) => first.toUpperCase());
}
