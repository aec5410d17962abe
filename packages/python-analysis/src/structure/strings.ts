import { characterNamed } from "./character-names.js";
import type { SyntaxNode } from "./types.js";

/** What follows the backslash, and what both stand for, in strings and in bytes. */
export const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const LAST_CHARACTER = 0x10ffff;

const ESCAPE =
  /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^}]+)\}|([\s\S]))/gu;

/** What a parenthesised expression holds, however many parentheses; any other node itself. */
export function withoutParentheses(node: SyntaxNode): SyntaxNode {
  let inner = node;
  while (inner.type === "parenthesized_expression") {
    const content = inner.children.find((child) => child.isNamed && child.type !== "comment");
    if (!content) break;
    inner = content;
  }
  return inner;
}

/**
 * The text that a string expression stands for: its escapes evaluated, adjacent literals joined, parentheses ignored.
 * `null` for anything else, so also for bytes and for f- and t-strings, even those without a field.
 *
 * @see https://docs.python.org/3/reference/lexical_analysis.html#string-and-bytes-literals
 */
export function stringValue(node: SyntaxNode): string | null {
  const literal = withoutParentheses(node);
  if (literal.type === "string") return literalValue(literal);
  if (literal.type !== "concatenated_string") return null;
  let value = "";
  for (const part of literal.children) {
    if (part.type !== "string") continue;
    const text = literalValue(part);
    if (text === null) return null;
    value += text;
  }
  return value;
}

function literalValue(literal: SyntaxNode): string | null {
  const parts = literalParts(literal);
  if (!parts || (parts.prefix !== "" && /[bft]/.test(parts.prefix))) return null;
  return parts.prefix.includes("r") ? parts.content : evaluateEscapes(parts.content);
}

/** The letters before a literal's quotes, in lower case, and what is between those; `null` for what is no literal. */
export function literalParts(literal: SyntaxNode): { prefix: string; content: string } | null {
  const start = literal.children[0];
  const end = literal.children.at(-1);
  if (start?.type !== "string_start" || end?.type !== "string_end") return null;
  const opening = start.text;
  if (opening === '"' || opening === "'") return { prefix: "", content: literal.text.slice(1, -1) };
  const quote = opening.slice(opening.search(/['"]/));
  return {
    prefix: opening.slice(0, -quote.length).toLowerCase(),
    // Not up to where `string_end` starts: it takes in a line continuation just before it.
    content: literal.text.slice(opening.length, -quote.length),
  };
}

/** The text that escapes in a string literal stand for. */
export function evaluateEscapes(content: string): string {
  if (!content.includes("\\")) return content;
  return content.replace(
    ESCAPE,
    (
      escape: string,
      octal?: string,
      x?: string,
      u?: string,
      U?: string,
      name?: string,
      other?: string,
    ) => {
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      const hexadecimal = x ?? u ?? U;
      if (hexadecimal !== undefined) {
        const code = Number.parseInt(hexadecimal, 16);
        return code > LAST_CHARACTER ? escape : String.fromCodePoint(code);
      }
      if (name !== undefined) return characterNamed(name) ?? escape;
      return SIMPLE_ESCAPES[other!] ?? escape;
    },
  );
}
