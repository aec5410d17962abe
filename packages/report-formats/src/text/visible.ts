import { eastAsianWidth } from "get-east-asian-width";

/**
 * What is not shown as it is: controls and terminal escapes, what changes the direction of text or is not seen, unassigned and
 * private characters, halves of surrogate pairs, and every space but the usual one.
 */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{DI}]|(?! )\p{Zs}/u;
const ALL_INVISIBLE = new RegExp(INVISIBLE, "gu");
const SHORT: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** Text from a script or the file system, made fit for a terminal: what would not be seen is written as Python would escape it. */
export function visible(text: string): string {
  return text.replace(ALL_INVISIBLE, escaped);
}

/** As {@link visible}, and cut where it is longer than a number of UTF-16 units. */
export function visibleStart(text: string, longest: number): string {
  return text.length <= longest ? visible(text) : `${visible(text.slice(0, longest))}…`;
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  if (code < 0x100) return SHORT[character] ?? `\\x${hex.padStart(2, "0")}`;
  return code < 0x1_0000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

const TAB = "    ";

/** One character of a line of source as it is shown, and how many columns of a terminal that takes. */
export interface Shown {
  readonly text: string;
  readonly width: number;
}

/** @param character - one code point */
export function show(character: string): Shown {
  if (character === "\t") return { text: TAB, width: TAB.length };
  if (INVISIBLE.test(character)) {
    const text = escaped(character);
    return { text, width: text.length };
  }
  if (/^\p{M}$/u.test(character)) return { text: character, width: 0 };
  return { text: character, width: eastAsianWidth(character.codePointAt(0)!) };
}
