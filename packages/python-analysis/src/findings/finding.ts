import type { Finding } from "@sluice/contracts";
import type { ParsedModule, Position, SyntaxNode } from "../structure/types.js";
import { RULES, type Rule, type RuleId } from "./rules/index.js";

/** Where a finding is; an end only where the finding has a length. */
export interface Place {
  readonly start: Position;
  readonly end?: Position;
}

const LONGEST_MESSAGE = 500;

/** Makes a finding of a rule, with another severity than the rule's where a policy or the circumstances say so. */
export function finding(
  id: RuleId,
  message: string,
  place: Place | null,
  changed: Partial<Pick<Rule, "severity" | "confidence">> = {},
): Finding {
  const { severity, confidence } = { ...RULES[id], ...changed };
  return {
    rule: id,
    severity,
    confidence,
    message:
      message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message,
    line: place?.start.line ?? null,
    column: place?.start.column ?? null,
    end_line: place?.end?.line ?? null,
    end_column: place?.end?.column ?? null,
    ...ruleTexts(id),
  };
}

/** What every finding of a rule says alike. */
export function ruleTexts(id: RuleId): Pick<Finding, "why" | "help" | "cwe"> {
  const { why, help, cwe } = RULES[id];
  return { why, help, cwe };
}

/** The place of a node. */
export function placeOf(parsed: ParsedModule, node: SyntaxNode): Place {
  return { start: parsed.position(node.startIndex), end: parsed.position(node.endIndex) };
}

/** A name from a script for a message: cut where it is long, control and format characters escaped. */
export function quoted(name: string, longest = 100): string {
  const short = name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
  return short.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
