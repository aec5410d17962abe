/**
 * What the text of a script shows otherwise than Python reads it. Comments that ask tools to look away are of no effect here.
 */
import type { Finding } from "@sluice/contracts";
import type { ParsedModule } from "../structure/types.js";
import { finding, placeOf, quoted } from "./finding.js";
import type { RuleId } from "./rules.js";

/** More findings of one rule than this say nothing new. */
const MOST_PER_RULE = 100;
/** Columns between code and code that puts the latter out of sight. */
const FAR = 150;

interface Pattern {
  readonly rule: RuleId;
  readonly pattern: RegExp;
  readonly message: (found: string) => string;
}

const PATTERNS: readonly Pattern[] = [
  {
    rule: "text.bidi-control",
    pattern: /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    message: (found) => `bidirectional control character ${codePoint(found)}`,
  },
  {
    rule: "text.invisible-character",
    // Zero-width joiners are ordinary within emoji and several scripts, so they are not among these.
    pattern:
      /[\u00ad\u115f\u1160\u180e\u200b\u2060-\u2064\u3164\ufeff\uffa0]|\udb40[\udc00-\udc7f]/g,
    message: (found) => `invisible character ${codePoint(found)}`,
  },
  {
    rule: "text.control-character",
    // eslint-disable-next-line no-control-regex -- these are what is looked for
    pattern: /[\u0001-\u0008\u000b\u000e-\u001f\u007f-\u009f]/g,
    message: (found) => `control character ${codePoint(found)}`,
  },
];

function codePoint(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Characters that mislead whoever reads the script. */
export function textFindings(parsed: ParsedModule): Finding[] {
  return PATTERNS.flatMap(({ rule, pattern, message }) => {
    const findings: Finding[] = [];
    for (const match of parsed.text.matchAll(pattern)) {
      findings.push(finding(rule, message(match[0]), { start: parsed.position(match.index) }));
      if (findings.length >= MOST_PER_RULE) break;
    }
    return findings;
  });
}

/** Names that Python reads as others, such as one in full-width letters that is `eval`; and code that is out of sight. */
export function tokenFindings(parsed: ParsedModule): Finding[] {
  const names: Finding[] = [];
  const distant: Finding[] = [];
  let seen = -1;
  for (const node of parsed.nodes) {
    if (node.type === "identifier" && names.length < MOST_PER_RULE) {
      const read = node.text.normalize("NFKC");
      if (read !== node.text) {
        const message = `${quoted(node.text)} is read as ${quoted(read)}`;
        names.push(finding("text.confusable-identifier", message, placeOf(parsed, node)));
      }
    }
    if (node.startIndex === seen || node.type === "comment" || distant.length >= MOST_PER_RULE)
      continue;
    seen = node.startIndex;
    if (isFarRight(parsed.text, node.startIndex)) {
      const message = "code stands far to the right of other code on its line";
      distant.push(finding("text.far-right", message, { start: parsed.position(node.startIndex) }));
    }
  }
  return [...names, ...distant];
}

/** Whether there are so many blanks before a place that it is out of sight, with code before them on the same line. */
function isFarRight(text: string, at: number): boolean {
  if (!isBlank(text, at - 1) || !isBlank(text, at - FAR)) return false;
  for (let i = 1; i <= FAR; i++) if (!isBlank(text, at - i)) return false;
  const before = text.slice(text.lastIndexOf("\n", at) + 1, at - FAR);
  return before.trim() !== "";
}

function isBlank(text: string, at: number): boolean {
  const character = text[at];
  return character === " " || character === "\t";
}

/**
 * A carriage return without a line feed: Python ends the line there.
 *
 * @param source - the script as it was uploaded
 */
export function lineEndFindings(source: Uint8Array): Finding[] {
  let line = 1;
  for (let i = 0; i < source.length; i++) {
    if (source[i] === 0x0a) line++;
    if (source[i] !== 0x0d) continue;
    if (source[i + 1] !== 0x0a) {
      return [
        finding("source.lone-carriage-return", "a lone carriage return ends this line", {
          start: { line, column: 1 },
        }),
      ];
    }
  }
  return [];
}
