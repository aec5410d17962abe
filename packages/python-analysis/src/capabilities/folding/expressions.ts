import { identifier } from "../../structure/statements.js";
import { evaluateEscapes, literalParts } from "../../structure/strings.js";
import type { SyntaxNode } from "../../structure/types.js";
import { firstOperand, operands } from "../names.js";
import { evaluateCall } from "./calls.js";
import { converted, formatted, parseInteger } from "./format.js";
import { Frame } from "./frame.js";
import { constantAt, makeDictionary } from "./functions.js";
import type { Interpreter } from "./interpreter.js";
import { lift } from "./lift.js";
import { DEEPEST_EXPRESSION, MOST_ITEMS } from "./limits.js";
import { binary, compare, subscript, unary } from "./operators.js";
import { bindTarget } from "./statements.js";
import {
  bool,
  bytes,
  type Constant,
  type Dictionary,
  either,
  FALSE,
  int,
  isHidden,
  iterate,
  iterator,
  keyOf,
  list,
  NONE,
  path,
  text,
  TRUE,
  truth,
  tuple,
  UNKNOWN,
  UNKNOWN_HIDDEN,
  type Value,
} from "./value.js";

/** Literals with at least so many escapes, as part of so much of their length, do not show what they say. */
const MANY_ESCAPES = 8;
const PATH_DEPTH = 8;

/** What an expression is, with the names of a frame. */
export function evaluateNode(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  switch (node.type) {
    case "identifier":
      return run.load(identifier(node), frame);
    case "string":
      return literal(run, node, frame);
    case "concatenated_string":
      return operands(node).reduce<Value>((joined, part) => {
        const value = run.evaluate(part, frame);
        return joined.type === "none" ? value : binary("+", joined, value, run.budget);
      }, NONE);
    case "integer": {
      const value = parseInteger(node.text, 0);
      return value === null ? UNKNOWN : int(value);
    }
    case "float":
      return { type: "float", value: Number(node.text.replaceAll("_", "")) };
    case "true":
      return TRUE;
    case "false":
      return FALSE;
    case "none":
      return NONE;
    case "parenthesized_expression":
    case "type":
      return all(run, operands(node), frame).at(-1) ?? UNKNOWN;
    case "await":
    case "yield":
      run.escape({ positional: all(run, operands(node), frame), named: new Map() });
      return UNKNOWN;
    case "named_expression": {
      const value = run.evaluate(node.childForFieldName("value")!, frame);
      let target = frame;
      while (target.kind === "comprehension" && target.parent) target = target.parent;
      run.bind(target, identifier(node.childForFieldName("name")!), value);
      return value;
    }
    case "binary_operator":
      return binaryOperation(run, node, frame);
    case "unary_operator": {
      const operator = node.childForFieldName("operator")?.type ?? "";
      return lift([run.evaluate(node.childForFieldName("argument")!, frame)], ([value]) =>
        unary(operator, value!),
      );
    }
    case "not_operator": {
      const holds = truth(
        run.evaluate(node.childForFieldName("argument") ?? firstOperand(node)!, frame),
      );
      return holds === null ? UNKNOWN : bool(!holds);
    }
    case "boolean_operator":
      return booleanOperation(run, node, frame);
    case "comparison_operator":
      return comparison(run, node, frame);
    case "conditional_expression": {
      const [body, condition, otherwise] = operands(node);
      if (!body || !condition || !otherwise) return UNKNOWN;
      const holds = truth(run.evaluate(condition, frame));
      if (holds !== null) return run.evaluate(holds ? body : otherwise, frame);
      let result: Value | undefined;
      const either_ = (part: SyntaxNode) => () => {
        const value = run.evaluate(part, frame);
        result = result ? either(result, value) : value;
      };
      run.perhaps([either_(body), either_(otherwise)], false);
      return result!;
    }
    case "tuple":
    case "expression_list":
      return tuple(items(run, node, frame) ?? []);
    case "list": {
      const found = items(run, node, frame);
      return found ? list(found) : UNKNOWN;
    }
    case "set": {
      const found = items(run, node, frame);
      return found && !found.map(keyOf).includes(null)
        ? {
            type: "set",
            items: [...new Map(found.map((item) => [keyOf(item), item])).values()],
            spoiled: false,
          }
        : UNKNOWN;
    }
    case "dictionary":
      return dictionary(run, node, frame);
    case "attribute":
      return attribute(run, node, frame);
    case "subscript":
      return subscription(run, node, frame);
    case "slice":
      return { type: "slice", bounds: bounds(run, node, frame) };
    case "call":
      return evaluateCall(run, node, frame);
    case "lambda":
      evaluateDefaults(run, node, frame);
      run.pending.push({ node, frame });
      return { type: "function", node, frame };
    case "list_comprehension":
    case "set_comprehension":
    case "generator_expression":
    case "dictionary_comprehension":
      return comprehension(run, node, frame);
  }
  for (const part of operands(node)) run.evaluate(part, frame);
  return UNKNOWN;
}

/** Defaults and annotations, which run where a function is defined. */
export function evaluateDefaults(run: Interpreter, definition: SyntaxNode, frame: Frame): void {
  for (const parameter of operands(definition.childForFieldName("parameters") ?? definition)) {
    if (parameter.field === "body") break;
    for (const field of ["type", "value"]) {
      const part = parameter.childForFieldName(field);
      if (part) run.evaluate(part, frame);
    }
  }
}

function all(run: Interpreter, nodes: readonly SyntaxNode[], frame: Frame): Value[] {
  return nodes.map((node) => run.evaluate(node, frame));
}

/** The items of a list or tuple that is written out; `null` when how many they are is not known. */
function items(run: Interpreter, node: SyntaxNode, frame: Frame): Value[] | null {
  const found: Value[] = [];
  let failed = false;
  for (const part of operands(node)) {
    if (part.type !== "list_splat") {
      found.push(run.evaluate(part, frame));
      continue;
    }
    const spread = iterate(run.evaluate(firstOperand(part)!, frame));
    if (!spread || found.length + spread.length > MOST_ITEMS || !run.budget.step(spread.length))
      failed = true;
    else for (const item of spread) found.push(item);
  }
  return failed ? null : found;
}

function literal(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const parts = literalParts(node);
  if (!parts) return UNKNOWN;
  const { prefix, content } = parts;
  if (/[ft]/.test(prefix)) return formattedLiteral(run, node, frame, prefix);
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

/** Chains such as `a + b + c + …` are as deep as they are long, so they are gone through in a loop. */
function binaryOperation(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const chain = [node];
  let left = node.childForFieldName("left");
  while (left?.type === "binary_operator") {
    chain.push(left);
    left = left.childForFieldName("left");
  }
  let value = left ? run.evaluate(left, frame) : UNKNOWN;
  for (let i = chain.length - 1; i >= 0; i--) {
    const operation = chain[i]!;
    const right = operation.childForFieldName("right");
    const operator = operation.childForFieldName("operator")?.type ?? "";
    const other = right ? run.evaluate(right, frame) : UNKNOWN;
    if (operator === "%" && other.type === "choice")
      value = lift([value, other], ([a, b]) => binary("%", a!, b!, run.budget));
    else value = lift([value, other], ([a, b]) => binary(operator, a!, b!, run.budget));
    if (i > 0) run.record.add(operation, value);
  }
  return value;
}

function booleanOperation(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const [left, right] = [node.childForFieldName("left"), node.childForFieldName("right")];
  if (!left || !right) return UNKNOWN;
  const first = run.evaluate(left, frame);
  const holds = truth(first);
  const isAnd = node.childForFieldName("operator")?.type === "and";
  if (holds !== null) return holds === isAnd ? run.evaluate(right, frame) : first;
  let second: Value = UNKNOWN;
  run.perhaps([() => (second = run.evaluate(right, frame))], true);
  return either(first, second);
}

function comparison(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const parts = operands(node);
  const values = all(run, parts, frame);
  const operators = node.children
    .filter(({ field }) => field === "operators")
    .map(({ type }) => type);
  if (operators.length !== 1 || values.length !== 2) return UNKNOWN;
  return lift(values, ([a, b]) => {
    const holds = compare(operators[0]!, a!, b!);
    return holds === null ? UNKNOWN : bool(holds);
  });
}

function dictionary(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const entries: Dictionary["entries"] = new Map();
  let failed = false;
  for (const part of operands(node)) {
    if (part.type === "pair") {
      const key = run.evaluate(part.childForFieldName("key")!, frame);
      const value = run.evaluate(part.childForFieldName("value")!, frame);
      const found = keyOf(key);
      if (found === null) failed = true;
      else entries.set(found, [key as Constant, value]);
    } else {
      const spread = run.evaluate(firstOperand(part)!, frame);
      if (spread.type !== "dict" || spread.spoiled || !run.budget.step(spread.entries.size))
        failed = true;
      else for (const [key, entry] of spread.entries) entries.set(key, entry);
    }
  }
  return failed ? UNKNOWN : { type: "dict", entries, spoiled: false };
}

function attribute(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const name = node.children.at(-1)!;
  const object = run.evaluate(node.children[0]!, frame);
  if (name.type !== "identifier") return UNKNOWN;
  return lift([object], ([one]) => attributeOf(run, one!, identifier(name)));
}

const TYPES: Readonly<Record<string, string>> = {
  str: "str",
  bytes: "bytes",
  int: "int",
  bool: "bool",
  list: "list",
  tuple: "tuple",
  dict: "dict",
  set: "set",
  float: "float",
};

/** What `object.name` is. */
export function attributeOf(run: Interpreter, object: Value, name: string): Value {
  switch (object.type) {
    case "path": {
      if (name === "__name__") return text(object.path.slice(object.path.lastIndexOf(".") + 1));
      const member = `${object.path}.${name}`;
      if (run.replaced.has(member) || member.split(".").length > PATH_DEPTH) return UNKNOWN;
      return constantAt(member) ?? path(member);
    }
    case "function":
    case "class": {
      if (run.surroundings.survey.storedAttributes.has(name)) return UNKNOWN;
      if (name === "__name__" || name === "__qualname__") {
        const named = object.node.childForFieldName("name");
        return named && name === "__name__" ? text(identifier(named)) : UNKNOWN;
      }
      if (name === "__doc__") return docstring(run, object.node, object.frame);
      if (object.type === "function") return UNKNOWN;
      return isPlainClass(object.node) ? (object.frame.values.get(name) ?? UNKNOWN) : UNKNOWN;
    }
    case "unknown":
    case "choice":
    case "partial":
      return UNKNOWN;
    default: {
      const type = TYPES[object.type];
      if (name === "__class__") return type ? path(`builtins.${type}`) : UNKNOWN;
      return name === "__doc__" ? UNKNOWN : { type: "method", self: object, name };
    }
  }
}

/** Whether nothing but its body says what a class has. */
function isPlainClass(node: SyntaxNode): boolean {
  const bases = node.childForFieldName("superclasses");
  return (!bases || operands(bases).length === 0) && node.parent?.type !== "decorated_definition";
}

/** Docstrings of one line: what Python makes of the blanks in longer ones depends on its version. */
export function docstring(run: Interpreter, definition: SyntaxNode, frame: Frame): Value {
  const body = definition.type === "module" ? definition : definition.childForFieldName("body");
  const first = body ? firstOperand(body) : undefined;
  const expression = first?.type === "expression_statement" ? firstOperand(first) : first;
  if (expression?.type !== "string" && expression?.type !== "concatenated_string") return NONE;
  const value = run.evaluate(expression, frame);
  return value.type === "str" && !/^\s|[\n\t]/.test(value.text) ? value : UNKNOWN;
}

function bounds(run: Interpreter, node: SyntaxNode, frame: Frame): [Value, Value, Value] {
  const found: Value[] = [NONE, NONE, NONE];
  let at = 0;
  for (const child of node.children) {
    if (child.type === ":") at++;
    else if (child.isNamed && child.type !== "comment" && at < 3)
      found[at] = run.evaluate(child, frame);
  }
  return [found[0]!, found[1]!, found[2]!];
}

function subscription(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const object = run.evaluate(node.children[0]!, frame);
  const keys = all(run, node.childrenForFieldName("subscript"), frame);
  const [key] = keys;
  if (keys.length !== 1 || !key) return UNKNOWN;
  return lift([object, key], ([one, by]) => {
    if (one!.type !== "path") return subscript(one!, by!, run.budget);
    // A namespace has the members of its module.
    const owner =
      one!.path === "builtins"
        ? one!.path
        : one!.path.endsWith(".__dict__")
          ? one!.path.slice(0, -".__dict__".length)
          : null;
    return owner !== null && by!.type === "str" ? attributeOf(run, path(owner), by!.text) : UNKNOWN;
  });
}

function comprehension(run: Interpreter, node: SyntaxNode, outer: Frame): Value {
  const frame = new Frame("comprehension", outer);
  const body = node.childForFieldName("body") ?? firstOperand(node);
  const clauses = operands(node).filter((part) => part !== body);
  const results: Value[] = [];
  let isKnown = true;
  const go = (at: number): void => {
    const clause = clauses[at];
    if (!clause) {
      if (body?.type === "pair") results.push(tuple(all(run, operands(body), frame)));
      else if (body) results.push(run.evaluate(body, frame));
      if (results.length > MOST_ITEMS) isKnown = false;
      return;
    }
    if (clause.type === "if_clause") {
      const holds = truth(run.evaluate(firstOperand(clause)!, frame));
      if (holds === null) isKnown = false;
      if (holds !== false) go(at + 1);
      return;
    }
    const target = clause.childForFieldName("left");
    const source = run.evaluate(clause.childForFieldName("right")!, at === 0 ? outer : frame);
    const values = clause.children.some(({ type }) => type === "async") ? null : iterate(source);
    if (!values) {
      isKnown = false;
      bindTarget(run, target, isHidden(source) ? UNKNOWN_HIDDEN : UNKNOWN, frame);
      run.perhaps([() => go(at + 1)], true);
      return;
    }
    for (const value of values) {
      if (!run.budget.step(4)) {
        isKnown = false;
        bindTarget(run, target, UNKNOWN, frame);
        run.perhaps([() => go(at + 1)], true);
        return;
      }
      bindTarget(run, target, value, frame);
      go(at + 1);
    }
  };
  if (clauses.length < DEEPEST_EXPRESSION / 10) go(0);
  else isKnown = false;
  if (!isKnown) return results.some(isHidden) ? UNKNOWN_HIDDEN : UNKNOWN;
  switch (node.type) {
    case "list_comprehension":
      return list(results);
    case "generator_expression":
      return iterator(results);
    case "dictionary_comprehension":
      return makeDictionary(results);
    default:
      return UNKNOWN;
  }
}
