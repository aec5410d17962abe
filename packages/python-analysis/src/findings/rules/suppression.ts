import { rule, type Rule } from "./rule.js";

/** Comments that ask tools to look away. Sluice heeds none of them. */
export const SUPPRESSION_RULES = {
  "suppression.security": rule({
    severity: "info",
    title: "Comment that tells security tools to look away",
    why: "Scanners that heed such comments are silent about this place, and whoever wrote the script could write the comment. Sluice does not heed it.",
    help: "Read what stands at this place as if the comment were not there; ask for the reason where none is given.",
    cwe: 546,
  }),
  "suppression.linter": rule({
    severity: "info",
    title: "Comments that tell linters to look away",
    why: "Linters and type checkers are silent about these places. Such comments are usual, and mostly about style.",
    help: "Nothing, mostly. Where checks of other tools count for you, run them with such comments switched off.",
  }),
} as const satisfies Record<string, Rule>;
