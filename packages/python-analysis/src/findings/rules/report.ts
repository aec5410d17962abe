import { rule, type Rule } from "./rule.js";

/** The report itself. */
export const REPORT_RULES = {
  "report.truncated": rule({
    severity: "info",
    title: "Not everything is listed",
    why: "There was more to say than a report may hold; what is left out was counted, and judged with the rest.",
    help: "Correct what is listed first, then look again.",
  }),
} as const satisfies Record<string, Rule>;
