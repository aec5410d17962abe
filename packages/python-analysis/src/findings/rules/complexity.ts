import { rule, type Rule } from "./rule.js";

/** Limits of size and shape, which a policy sets. */
export const COMPLEXITY_RULES = {
  "complexity.lines": rule({
    severity: "warning",
    title: "Too many lines",
    why: "The longer a file, the less of it is reviewed.",
    help: "Split the script into modules that do one thing each.",
    cwe: 1080,
  }),
  "complexity.functions": rule({
    severity: "warning",
    title: "Too many functions",
    why: "With so many functions in one file, it does too many things to be reviewed as one.",
    help: "Split the script into modules that do one thing each.",
    cwe: 1120,
  }),
  "complexity.nesting": rule({
    severity: "warning",
    title: "Blocks nested too deeply",
    why: "Whoever reads the innermost block must keep every condition around it in mind.",
    help: "Return early, or move inner blocks to functions.",
    cwe: 1124,
  }),
  "complexity.mccabe": rule({
    severity: "warning",
    title: "Too many paths",
    why: "Each path wants a test of its own; with so many, some have none, and mistakes stay in them.",
    help: "Split it into functions that do one thing each.",
    cwe: 1121,
  }),
  "complexity.cognitive": rule({
    severity: "warning",
    title: "Hard to follow",
    why: "What is hard to follow is misread in reviews, and broken by changes.",
    help: "Return early, and move nested blocks and long conditions to functions with names.",
    cwe: 1120,
  }),
} as const satisfies Record<string, Rule>;
