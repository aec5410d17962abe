import { rule, type Rule } from "./rule.js";

/** What the script can do to the world. */
export const CAPABILITY_RULES = {
  "capability.refused": rule({
    severity: "error",
    title: "Does what the policy refuses",
    why: "The policy grants this capability to nobody, whatever the script wants it for.",
    help: "Remove what uses the capability, or ask for a policy that allows it.",
    cwe: 250,
  }),
} as const satisfies Record<string, Rule>;
