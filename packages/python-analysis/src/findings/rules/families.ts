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
        help: "Do not run it. If it is yours and means no harm, do openly what it does: no hidden code, and nothing sent or changed that the user was not asked about.",
        cwe,
      }),
    ],
    [
      `suspicion.${family}`,
      rule({
        severity: "info",
        confidence: "low",
        title: `Has words of malware: ${title.charAt(0).toLowerCase()}${title.slice(1)}`,
        why: `Nothing in the script was seen to act on it. If something did: ${why.charAt(0).toLowerCase()}${why.slice(1)}`,
        help: "Look at what the text is for. Lists of what to look for, tests and messages are no threat.",
        cwe,
      }),
    ],
  ]),
) as FamilyRules;
