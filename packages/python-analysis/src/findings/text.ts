/**
 * What the text of a script shows otherwise than Python reads it. Comments that ask tools to look away are of no effect here.
 */
import type { Finding } from "@sluice/contracts";
import { capabilityMap } from "../capabilities/map.js";
import { identifier } from "../structure/statements.js";
import type { ParsedModule } from "../structure/types.js";
import { finding, placeOf, quoted } from "./finding.js";
import type { RuleId } from "./rules/index.js";

/** More findings of one rule than this say nothing new. */
const MOST_PER_RULE = 100;
/** Columns between code and code that puts the latter out of sight. */
const FAR = 100;
const NOT_ASCII = /[^\0-\x7f]/;
const LF = 0x0a;
const CR = 0x0d;

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
      /[\u00ad\u115f\u1160\u180e\u200b\u2060-\u2064\u2800\u3164\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g,
    message: (found) => `invisible character ${codePoint(found)}`,
  },
  {
    rule: "text.invisible-character",
    // One after a character chooses how that looks; several in a row carry text that nobody sees.
    pattern: /(?:[\ufe00-\ufe0f]|\udb40[\udd00-\uddef]){2,}|[\u200c\u200d]{3,}/g,
    message: (found) => `${[...found].length} invisible characters in a row`,
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
  return [...confusableNames(parsed), ...mixedNames(parsed), ...distantCode(parsed)];
}

function confusableNames(parsed: ParsedModule): Finding[] {
  const findings: Finding[] = [];
  // Of ASCII, nothing is read as something else.
  if (!NOT_ASCII.test(parsed.text)) return findings;
  for (const node of parsed.nodes) {
    if (node.type !== "identifier") continue;
    const read = identifier(node);
    if (read === node.text) continue;
    const message = `${quoted(node.text)} is read as ${quoted(read)}`;
    findings.push(finding("text.confusable-identifier", message, placeOf(parsed, node)));
    if (findings.length >= MOST_PER_RULE) break;
  }
  return findings;
}

/** Cyrillic, Greek and other letters that look like Latin ones, each followed by that (UTS #39, confusables). */
const LOOKALIKES: ReadonlyMap<string, string> = new Map(
  "аa еe іi кk оo рp сc уy хx ѕs јj һh ԁd ԛq ԝw ɡg ɩi АA ВB ЕE ІI КK МM НH ОO РP СC ТT ХX ЅS ЈJ οo ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX"
    .split(" ")
    .map((pair): [string, string] => [pair[0]!, pair[1]!]),
);

/** Names that look like others which are written in Latin letters, but are not the same to Python. */
function mixedNames(parsed: ParsedModule): Finding[] {
  const findings: Finding[] = [];
  if (!NOT_ASCII.test(parsed.text)) return findings;
  const map = capabilityMap();
  for (const node of parsed.nodes) {
    if (node.type !== "identifier" || !NOT_ASCII.test(node.text)) continue;
    const name = identifier(node);
    const seeming = Array.from(name, (letter) => LOOKALIKES.get(letter) ?? letter).join("");
    const isMixed = name
      .split(/[_\d]+/)
      .some((part) => /[a-zA-Z]/.test(part) && Array.from(part).some((c) => LOOKALIKES.has(c)));
    const looksKnown = seeming !== name && (map.isBuiltin(seeming) || map.isModule(seeming));
    if (seeming === name || NOT_ASCII.test(seeming) || !(isMixed || looksKnown)) continue;
    const message = `${quoted(name)} looks like ${quoted(seeming)}, and is another name`;
    findings.push(finding("text.mixed-scripts", message, placeOf(parsed, node)));
    if (findings.length >= MOST_PER_RULE) break;
  }
  return findings;
}

function distantCode(parsed: ParsedModule): Finding[] {
  const places = new Set(farRight(parsed.text));
  const findings: Finding[] = [];
  if (places.size === 0) return findings;
  for (const { type, startIndex } of parsed.nodes) {
    if (type === "comment" || !places.delete(startIndex)) continue;
    const message = "code stands far to the right of other code on its line";
    findings.push(finding("text.far-right", message, { start: parsed.position(startIndex) }));
    if (findings.length >= MOST_PER_RULE) break;
  }
  return findings;
}

/** The ends of so many blanks that what comes next is out of sight, with code before them on the same line. */
function* farRight(text: string): Generator<number, void, undefined> {
  let done = 0;
  let followsCode = false;
  // So many blanks in a row cover one of these places at least.
  for (let probe = 0; probe < text.length; probe += FAR) {
    if (probe < done || !isBlank(text, probe)) continue;
    let start = probe;
    while (isBlank(text, start - 1)) start--;
    let end = probe;
    while (isBlank(text, end)) end++;
    if (end - start < FAR) continue;
    const between = text.slice(done, start);
    const line = between.lastIndexOf("\n") + 1;
    followsCode = (followsCode && line === 0) || between.slice(line).trim() !== "";
    if (followsCode) yield end;
    done = end;
  }
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
  for (let at = source.indexOf(CR); at >= 0; at = source.indexOf(CR, at + 1)) {
    if (source[at + 1] === LF) continue;
    let line = 1;
    for (let i = 0; i < at; i++) if (source[i] === LF) line++;
    return [
      finding("source.lone-carriage-return", "a lone carriage return ends this line", {
        start: { line, column: 1 },
      }),
    ];
  }
  return [];
}
