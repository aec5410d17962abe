import { lift } from "./lift.js";
import type { Frame } from "./frame.js";
import { converted, formatted } from "./format.js";
import { evaluateEscapes, literalParts } from "../../structure/strings.js";
import { operands } from "../names.js";
import { UNKNOWN, UNKNOWN_HIDDEN, type Value, bytes, isHidden, text } from "./value.js";
import { type SyntaxNode } from "../../structure/types.js";
import { type Interpreter } from "./interpreter.js";

/** Literals with at least so many escapes, as part of so much of their length, do not show what they say. */
const MANY_ESCAPES = 8;
export function literal(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const parts = literalParts(node);
  if (!parts) return UNKNOWN;
  const { prefix, content } = parts;
  if (prefix !== "" && /[ft]/.test(prefix)) return formattedLiteral(run, node, frame, prefix);
  if (!run.budget.make(content.length)) return UNKNOWN;
  const escapes =
    prefix.includes("r") || !content.includes("\\")
      ? 0
      : (content.match(/\\[xuUN0-7]/g)?.length ?? 0);
  const hidden = escapes >= MANY_ESCAPES && escapes * 8 >= content.length;
  if (prefix.includes("b")) {
    const value = prefix.includes("r") ? content : unescapeBytes(content);
    return value === null ? UNKNOWN : bytes(value, hidden);
  }
  if (!content.includes("\\")) return text(content, hidden);
  // Of two halves of a character Python makes no whole one.
  if (!prefix.includes("r") && /\\u[dD][89a-fA-F]|\\U0000[dD][89a-fA-F]/.test(content))
    return UNKNOWN;
  return text(prefix.includes("r") ? content : evaluateEscapes(content), hidden);
}

function unescapeBytes(content: string): string | null {
  const value = content.includes("\\")
    ? evaluateEscapes(
        content.replace(/\\([\s\S])/g, (escape, letter: string) =>
          /[uUN]/.test(letter) ? `\\\\${letter}` : escape,
        ),
      )
    : content;
  // As in bytes an octal escape is of one byte.
  return /[^\0-\xff]/.test(value) ? null : value;
}

function formattedLiteral(run: Interpreter, node: SyntaxNode, frame: Frame, prefix: string): Value {
  let result: string | null = "";
  let hidden = false;
  for (const child of operands(node)) {
    if (child.type === "string_content" && result !== null) {
      const unbraced = child.text.replace(/\{\{|\}\}/g, (both) => both[0]!);
      result += prefix.includes("r") ? unbraced : evaluateEscapes(unbraced);
    } else if (child.type === "interpolation") {
      const value = interpolated(run, child, frame);
      hidden ||= isHidden(value);
      result = result === null || value.type !== "str" ? null : result + value.text;
    }
    if (result !== null && !run.budget.make(result.length)) result = null;
  }
  if (result === null || prefix.includes("t")) return hidden ? UNKNOWN_HIDDEN : UNKNOWN;
  return text(result, hidden);
}

function interpolated(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const expression = node.childForFieldName("expression");
  const conversion = node.childForFieldName("type_conversion")?.text.slice(1);
  const specifier = node.childForFieldName("format_specifier");
  const value = expression ? run.evaluate(expression, frame) : UNKNOWN;
  let wanted: string | null = specifier ? specifier.text.slice(1) : "";
  for (const part of specifier?.children ?? []) {
    if (part.type !== "format_expression") continue;
    const inner = part.childForFieldName("expression");
    const plain = inner ? formatted(run.evaluate(inner, frame), "", run.budget) : null;
    wanted = wanted === null || plain === null ? null : wanted.replace(part.text, () => plain);
  }
  // `f"{x=}"` gives its own text, too.
  const isDebug = node.children.some(({ type }) => type === "=");
  return lift([value], ([one]) => {
    const shown =
      wanted === null || isDebug
        ? null
        : formatted(converted(one!, conversion), wanted, run.budget);
    return shown === null
      ? isHidden(one!)
        ? UNKNOWN_HIDDEN
        : UNKNOWN
      : text(shown, isHidden(one!));
  });
}
