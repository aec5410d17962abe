import { CALL_RULES } from "./calls.js";
import { CAPABILITY_RULES } from "./capability.js";
import { COMPLEXITY_RULES } from "./complexity.js";
import { FAMILY_RULES } from "./families.js";
import { IMPORT_RULES } from "./imports.js";
import { INTERFACE_RULES } from "./interface.js";
import { MALWARE_RULES } from "./malware.js";
import { REPORT_RULES } from "./report.js";
import { SOURCE_RULES } from "./source.js";
import { SUPPRESSION_RULES } from "./suppression.js";
import { SYNTAX_RULES } from "./syntax.js";
import { TEXT_RULES } from "./text.js";

export type { Rule } from "./rule.js";

/**
 * Every rule by its id, an area a file. Where a policy decides on the severity, the one given here is that of the default policy.
 * `docs/rules.md` lists them; a test holds it to this.
 */
export const RULES = {
  ...SYNTAX_RULES,
  ...SOURCE_RULES,
  ...TEXT_RULES,
  ...COMPLEXITY_RULES,
  ...IMPORT_RULES,
  ...INTERFACE_RULES,
  ...CAPABILITY_RULES,
  ...CALL_RULES,
  ...MALWARE_RULES,
  ...FAMILY_RULES,
  ...SUPPRESSION_RULES,
  ...REPORT_RULES,
};

export type RuleId = keyof typeof RULES;
