import { comprehension } from "./comprehensions.js";
import { literal } from "./literals.js";
import { evaluateDefaults } from "./targets.js";
import { attributeOf } from "./attributes.js";
import { identifier } from "../../structure/statements.js";
import type { SyntaxNode } from "../../structure/types.js";
import { firstOperand, isOperand, operands } from "../names.js";
import { evaluateCall } from "./calls.js";
import { parseInteger } from "./format.js";
import type { Frame } from "./frame.js";
import type { Interpreter } from "./interpreter.js";
import { lift } from "./lift.js";
import { MOST_ITEMS } from "./limits.js";
import { binary, compare, subscript, unary } from "./operators.js";
import {
  bool,
  type Constant,
  type Dictionary,
  either,
  FALSE,
  int,
  iterate,
  keyOf,
  list,
  NONE,
  path,
  TRUE,
  truth,
  tuple,
  UNKNOWN,
  type Value,
} from "./value.js";

/** What an expression is, with the names of a frame. */
export function evaluateNode(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  switch (node.type) {
    case "identifier":
      return run.load(identifier(node), frame, node);
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
      const value = run.evaluate(node.childForFieldName("value"), frame);
      let target = frame;
      while (target.kind === "comprehension" && target.parent) target = target.parent;
      run.bind(target, identifier(node.childForFieldName("name")!), value);
      return value;
    }
    case "binary_operator":
      return binaryOperation(run, node, frame);
    case "unary_operator": {
      const operator = node.childForFieldName("operator")?.type ?? "";
      return lift([run.evaluate(node.childForFieldName("argument"), frame)], ([value]) =>
        unary(operator, value!),
      );
    }
    case "not_operator": {
      const holds = truth(
        run.evaluate(node.childForFieldName("argument") ?? firstOperand(node), frame),
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
    const spread = iterate(run.evaluate(firstOperand(part), frame));
    if (!spread || found.length + spread.length > MOST_ITEMS || !run.budget.step(spread.length))
      failed = true;
    else for (const item of spread) found.push(item);
  }
  return failed ? null : found;
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
  const values: Value[] = [];
  let operator = "";
  let operators = 0;
  for (const child of node.children) {
    if (child.field === "operators") {
      operator = child.type;
      operators++;
    }
    if (isOperand(child)) values.push(run.evaluate(child, frame));
  }
  if (operators !== 1 || values.length !== 2) return UNKNOWN;
  return lift(values, ([a, b]) => {
    const holds = compare(operator, a!, b!);
    return holds === null ? UNKNOWN : bool(holds);
  });
}

function dictionary(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const entries: Dictionary["entries"] = new Map();
  let failed = false;
  for (const part of operands(node)) {
    if (part.type === "pair") {
      const key = run.evaluate(part.childForFieldName("key"), frame);
      const value = run.evaluate(part.childForFieldName("value"), frame);
      const found = keyOf(key);
      if (found === null) failed = true;
      else entries.set(found, [key as Constant, value]);
    } else {
      const spread = run.evaluate(firstOperand(part), frame);
      if (spread.type !== "dict" || spread.spoiled || !run.budget.step(spread.entries.size))
        failed = true;
      else for (const [key, entry] of spread.entries) entries.set(key, entry);
    }
  }
  return failed ? UNKNOWN : { type: "dict", entries, spoiled: false };
}

function attribute(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  const name = node.children.at(-1)!;
  const object = run.evaluate(node.children[0], frame);
  if (name.type !== "identifier") return UNKNOWN;
  return lift([object], ([one]) => attributeOf(run, one!, identifier(name)));
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
  const object = run.evaluate(node.children[0], frame);
  const keys = all(run, node.childrenForFieldName("subscript"), frame);
  const [key] = keys;
  if (keys.length !== 1 || !key) return UNKNOWN;
  return lift([object, key], ([one, by]) => {
    if (one!.type !== "path") return subscript(one!, by!, run.budget);
    // A namespace has the members of its module.
    const owner =
      one.path === "builtins"
        ? one.path
        : one.path.endsWith(".__dict__")
          ? one.path.slice(0, -".__dict__".length)
          : null;
    return owner !== null && by!.type === "str" ? attributeOf(run, path(owner), by.text) : UNKNOWN;
  });
}
