import { FAMILIES, type FamilyId } from "../../malware/families.js";
import { rule, type Rule } from "./rule.js";

type FamilyRules = { readonly [Id in `malware.${FamilyId}` | `suspicion.${FamilyId}`]: Rule };

/** Malware: what it does, and words of it that do nothing. Made of the table of families. */
export const FAMILY_RULES = Object.fromEntries(
  Object.entries(FAMILIES).flatMap(([family, { title, why, cwe }]) => [
    [
      `malware.${family}`,
      rule({
        severity: "error",
        title,
        why,
        help: "Do not run it. If it is yours and means no harm, do openly what it does: hide no code, and send or change nothing that the user was not asked about.",
        cwe,
      }),
    ],
    [
      `suspicion.${family}`,
      rule({
        severity: "info",
        confidence: "low",
        title: `Perhaps ${lowered(title)}`,
        why: `Nothing was seen to act on it; if something does: ${lowered(why)}`,
        help: "Look at what the text is for. Lists of what to look for, tests and messages are no threat.",
        cwe,
      }),
    ],
  ]),
) as FamilyRules;

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
