import { rule, type Rule } from "./rule.js";

/** Whether the script is Python, and whether it could be read. */
export const SYNTAX_RULES = {
  "syntax.error": rule({
    severity: "error",
    title: "Not Python",
    why: "Python refuses to compile the script, so nothing in it can run, be described or be checked.",
    help: "Correct what the message names. Python's own words are given; the mistake is at the place or shortly before it.",
  }),
  "syntax.parser-killed": rule({
    severity: "error",
    title: "Cannot be parsed within the limits",
    why: "A script that exhausts a parser cannot be checked, and would exhaust others that read it.",
    help: "Split the script, and take very long or very deeply nested expressions apart.",
    cwe: 400,
  }),
  "syntax.partly-read": rule({
    severity: "info",
    title: "Part of the syntax is not understood",
    why: "Python compiles the script, but what it does in this place could not be told, so it counts as the capability `unresolved`.",
    help: "Write the statement in a simpler form, or read this place yourself before you approve the script.",
  }),
} as const satisfies Record<string, Rule>;
