import { evaluateEscapes, stringValue } from "../../structure/strings.js";
import type { SyntaxNode } from "../../structure/types.js";
import { unpacked } from "./bindings.js";
import { compare } from "./comparisons.js";
import { formatField } from "./formatting.js";
import { distinct, orderedItems } from "./iteration.js";
import { operands } from "./operands.js";
import { truth } from "./truth.js";
import type { Frame } from "./scope.js";
import { followed } from "./subscripts.js";
import { type Unknown, type Value, libraryClass, str, unknown } from "./values.js";
import { LONGEST } from "./weight.js";

/** Items that the loops of one comprehension go through. */
const MOST_ROUNDS = 5000;

/** Evaluates a part of the expression at hand. */
type Evaluate = (node: SyntaxNode, frame: Frame) => Value;

/** A literal with replacement fields, alone or beside others. */
export function formattedText(node: SyntaxNode, frame: Frame, evaluate: Evaluate): Value {
  const parts =
    node.type === "concatenated_string"
      ? node.children.filter((child) => child.type === "string")
      : [node];
  let text = "";
  for (const part of parts) {
    const piece = str(stringValue(part) ?? "");
    const value = stringValue(part) === null ? fields(part, frame, evaluate) : piece;
    if (value.kind !== "str") return value;
    text += value.value;
    if (text.length > LONGEST) return unknown("a very long text");
  }
  return str(text);
}

function fields(literal: SyntaxNode, frame: Frame, evaluate: Evaluate): Value {
  const prefix = literal.children[0]?.text.replace(/['"]+$/, "").toLowerCase() ?? "";
  if (!prefix.includes("f")) return unknown("a template");
  let text = "";
  for (const part of literal.children) {
    if (part.type === "string_content") {
      const content = part.text.replaceAll("{{", "{").replaceAll("}}", "}");
      text += prefix.includes("r") ? content : evaluateEscapes(content);
    } else if (part.type === "interpolation") {
      const shown = replacement(part, frame, evaluate);
      if (typeof shown !== "string") return shown;
      text += shown;
    }
    if (text.length > LONGEST) return unknown("a very long text");
  }
  return str(text);
}

function replacement(field: SyntaxNode, frame: Frame, evaluate: Evaluate): string | Unknown {
  const [expression] = operands(field);
  if (!expression) return unknown("an empty replacement field");
  const value = evaluate(expression, frame);
  if (value.kind === "unknown") return value;
  let spec = "";
  const format = field.children.find((child) => child.type === "format_specifier");
  if (format) {
    let at = format.startIndex + 1;
    for (const part of format.children.filter(({ type }) => type === "format_expression")) {
      spec += format.text.slice(at - format.startIndex, part.startIndex - format.startIndex);
      const inner = replacement(part, frame, evaluate);
      if (typeof inner !== "string") return inner;
      spec += inner;
      at = part.endIndex;
    }
    spec += format.text.slice(at - format.startIndex);
  }
  const equals = field.children.find((child) => child.type === "=");
  const written = equals ? field.text.slice(1, equals.endIndex - field.startIndex) : "";
  const conversion =
    field.children
      .find((child) => child.type === "type_conversion")
      ?.text.slice(1)
      .trim() ?? (equals && !format ? "r" : undefined);
  const shown = formatField(value, conversion, spec);
  return shown === undefined ? unknown("a formatted string") : written + shown;
}

/** `[… for … in … if …]` and its like. */
export function comprehension(node: SyntaxNode, frame: Frame, evaluate: Evaluate): Value {
  const [body, ...clauses] = operands(node);
  if (!body) return unknown("an incomplete expression");
  const results: Value[] = [];
  const rounds = { left: MOST_ROUNDS };
  const failure = gather(clauses, frame, evaluate, rounds, (inner) => {
    const parts =
      body.type === "pair"
        ? [body.childForFieldName("key"), body.childForFieldName("value")]
        : [body];
    const values = parts.map((part) =>
      part ? evaluate(part, inner) : unknown("an incomplete expression"),
    );
    results.push(values.length === 2 ? { kind: "tuple", items: values } : values[0]!);
  });
  if (failure) return failure;
  switch (node.type) {
    case "list_comprehension":
      return { kind: "list", items: results };
    case "set_comprehension":
      return { kind: "set", items: distinct(results) };
    case "dictionary_comprehension":
      return {
        kind: "dict",
        entries: results.map((pair): [Value, Value] =>
          pair.kind === "tuple" ? [pair.items[0]!, pair.items[1]!] : [pair, pair],
        ),
      };
    default:
      return {
        kind: "call",
        callee: libraryClass("types.GeneratorType"),
        args: [{ kind: "list", items: results }],
        kwargs: new Map(),
      };
  }
}

/** @returns what cannot be known, if something cannot */
function gather(
  clauses: readonly SyntaxNode[],
  frame: Frame,
  evaluate: Evaluate,
  rounds: { left: number },
  found: (frame: Frame) => void,
): Unknown | null {
  const [clause, ...rest] = clauses;
  if (!clause) {
    found(frame);
    return null;
  }
  if (clause.type === "if_clause") {
    const condition = operands(clause)[0];
    const value = condition ? evaluate(condition, frame) : unknown("an incomplete expression");
    const known = truth(value);
    if (known === undefined) return value.kind === "unknown" ? value : unknown("a condition");
    return known ? gather(rest, frame, evaluate, rounds, found) : null;
  }
  const target = clause.childForFieldName("left");
  const source = clause.childForFieldName("right");
  if (clause.type !== "for_in_clause" || !target || !source || /^async\b/.test(clause.text))
    return unknown("an asynchronous comprehension");
  const iterated = evaluate(source, frame);
  if (iterated.kind === "unknown") return iterated;
  const items = orderedItems(iterated);
  if (!items) return unknown("a comprehension over what is known only at run time");
  for (const item of items) {
    const locals = new Map(frame.locals);
    for (const [name, path] of unpacked(target, [])) locals.set(name, path.reduce(followed, item));
    if (rounds.left-- === 0) return unknown("a comprehension over very much");
    const failure = gather(rest, { ...frame, locals }, evaluate, rounds, found);
    if (failure) return failure;
  }
  return null;
}

/** `a < b <= c`. */
export function comparison(node: SyntaxNode, frame: Frame, evaluate: Evaluate): Value {
  const compared = operands(node).filter((child) => !/^(not in|is not|<>)$/.test(child.type));
  const operators = node
    .childrenForFieldName("operators")
    .map((token) => token.text.replace(/\s+/g, " "));
  let left = compared[0] ? evaluate(compared[0], frame) : unknown("an incomplete expression");
  let result: Value = unknown("an incomplete expression");
  for (const [i, operator] of operators.entries()) {
    const next = compared[i + 1];
    const right = next ? evaluate(next, frame) : unknown("an incomplete expression");
    result = compare(operator, left, right);
    if (truth(result) !== true) return result;
    left = right;
  }
  return result;
}

/** What calling a `lambda` gives. */
export function applyLambda(
  node: SyntaxNode,
  frame: Frame,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
  evaluate: Evaluate,
): Value | undefined {
  const locals = new Map(frame.locals);
  const parameters = node.childForFieldName("parameters");
  const body = node.childForFieldName("body");
  const declared = parameters ? operands(parameters) : [];
  if (!body || args.length > declared.length) return undefined;
  for (const [i, parameter] of declared.entries()) {
    const name = parameter.type === "identifier" ? parameter : parameter.childForFieldName("name");
    const fallback = parameter.childForFieldName("value");
    if (!/^(identifier|default_parameter)$/.test(parameter.type) || !name) return undefined;
    const given =
      args[i] ?? kwargs.get(name.text) ?? (fallback ? evaluate(fallback, frame) : undefined);
    if (!given) return undefined;
    locals.set(name.text, given);
  }
  return evaluate(body, { ...frame, locals });
}

/** A tuple, a list or a set, written out. */
export function display(node: SyntaxNode, frame: Frame, evaluate: Evaluate): Value {
  const items: Value[] = [];
  for (const item of operands(node)) {
    if (item.type === "list_splat") {
      const inner = orderedItems(evaluate(operands(item)[0]!, frame));
      if (!inner) return unknown("an unpacked sequence");
      items.push(...inner);
    } else items.push(evaluate(item, frame));
  }
  if (node.type === "expression_list") return { kind: "tuple", items };
  if (node.type === "set") return { kind: "set", items: distinct(items) };
  return { kind: node.type as "tuple" | "list", items };
}

/** A dictionary, written out. */
export function dictionary(node: SyntaxNode, frame: Frame, evaluate: Evaluate): Value {
  const entries: (readonly [Value, Value])[] = [];
  for (const item of operands(node)) {
    if (item.type === "dictionary_splat") {
      const inner = evaluate(operands(item)[0]!, frame);
      if (inner.kind !== "dict") return unknown("an unpacked mapping");
      entries.push(...inner.entries);
    } else {
      const key = item.childForFieldName("key");
      const value = item.childForFieldName("value");
      if (!key || !value) return unknown("an incomplete expression");
      entries.push([evaluate(key, frame), evaluate(value, frame)]);
    }
  }
  return { kind: "dict", entries };
}
