import { rule, type Rule } from "./rule.js";

/** Text that shows otherwise than Python reads it. */
export const TEXT_RULES = {
  "text.bidi-control": rule({
    severity: "warning",
    title: "Bidirectional control character",
    why: "It makes text look as if in another order than Python reads it, so that a reviewer sees code that does not exist (CVE-2021-42574, “Trojan Source”).",
    help: "Remove it, or write it as an escape such as `\\u202e` if a string needs it.",
    cwe: 1007,
  }),
  "text.invisible-character": rule({
    severity: "warning",
    confidence: "medium",
    title: "Invisible character",
    why: "It hides a difference between texts that look alike, or carries text that nobody sees.",
    help: "Remove it, or write it as an escape such as `\\u200b` if a string needs it.",
    cwe: 1007,
  }),
  "text.control-character": rule({
    severity: "warning",
    confidence: "medium",
    title: "Control character",
    why: "Printed on a terminal, it can hide or overwrite what is around it, such as the line that a reviewer should see.",
    help: "Write it as an escape such as `\\x1b`.",
    cwe: 150,
  }),
  "text.confusable-identifier": rule({
    severity: "warning",
    title: "Name that Python reads as another one",
    why: "Python normalises names (NFKC, PEP 3131), so this one is not the name that it looks like; a search for the real name does not find it.",
    help: "Write the name in plain letters.",
    cwe: 1007,
  }),
  "text.mixed-scripts": rule({
    severity: "warning",
    confidence: "low",
    title: "Name with letters that look like others",
    why: "Letters of another script, such as the Cyrillic `о`, look like Latin ones, so that two different names look the same: what seems to be used is not what is.",
    help: "Write the name in letters of one script.",
    cwe: 1007,
  }),
  "text.far-right": rule({
    severity: "warning",
    confidence: "medium",
    title: "Code far to the right",
    why: "It is out of sight in most editors and reviews; malicious packages hide their first line so.",
    help: "Put it on a line of its own, and read it well.",
    cwe: 506,
  }),
} as const satisfies Record<string, Rule>;
