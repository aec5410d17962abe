import { literalParts, SIMPLE_ESCAPES, stringValue } from "../../structure/strings.js";
import type { SyntaxNode } from "../../structure/types.js";
import { type Value, str, unknown } from "./values.js";

/** The value of a string or bytes literal, or of several side by side. */
export function literalValue(node: SyntaxNode): Value {
  const text = stringValue(node);
  if (text !== null) return str(text);
  const parts =
    node.type === "concatenated_string"
      ? node.children.filter((child) => child.type === "string")
      : [node];
  let bytes = "";
  for (const part of parts) {
    const { prefix, content } = literalParts(part) ?? { prefix: "", content: "" };
    if (!prefix.includes("b")) return unknown("a formatted string");
    bytes += prefix.includes("r") ? content : bytesEscapes(content);
  }
  return { kind: "bytes", value: bytes };
}

function bytesEscapes(content: string): string {
  return content.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|([\s\S]))/g,
    (whole, octal, hex, simple) => {
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8) & 0xff);
      if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
      return SIMPLE_ESCAPES[simple as string] ?? whole;
    },
  );
}

/** Whether a literal, or one of those side by side, has replacement fields. */
export const isFormatted = (node: SyntaxNode): boolean =>
  node.children.some(
    (child) =>
      (child.type === "string_start" && /[ft]/i.test(child.text)) ||
      (child.type === "string" && isFormatted(child)),
  );
