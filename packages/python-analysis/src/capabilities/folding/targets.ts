import { type Constant, UNKNOWN, type Value, count, iterate, keyOf, list } from "./value.js";
import type { Frame } from "./frame.js";
import { identifier } from "../../structure/statements.js";
import { firstOperand, operands } from "../names.js";
import { type SyntaxNode } from "../../structure/types.js";
import { type Interpreter, spoil } from "./interpreter.js";

/** Binds a target, or all that are in it. */
export function bindTarget(
  run: Interpreter,
  target: SyntaxNode | null,
  value: Value,
  frame: Frame,
): void {
  if (!target) return;
  switch (target.type) {
    case "identifier":
      return run.bind(frame, identifier(target), value);
    case "parenthesized_expression":
    case "as_pattern_target":
    case "list_splat":
    case "list_splat_pattern":
      return bindTarget(run, firstOperand(target) ?? null, value, frame);
    case "pattern_list":
    case "tuple_pattern":
    case "list_pattern":
    case "tuple":
    case "list":
    case "expression_list":
      return unpack(run, operands(target), value, frame);
    case "subscript": {
      const object = run.evaluate(target.children[0], frame);
      const [key] = target
        .childrenForFieldName("subscript")
        .map((part) => run.evaluate(part, frame));
      if (object.type === "path")
        run.replaced.add(`${object.path}.${key?.type === "str" ? key.text : "?"}`);
      return setItem(run, object, key, value);
    }
    case "attribute": {
      const object = run.evaluate(target.children[0], frame);
      const name = target.children.at(-1)!;
      if (object.type === "path") run.replaced.add(`${object.path}.${identifier(name)}`);
      return spoil(value);
    }
    default:
      spoil(value);
  }
}

function setItem(run: Interpreter, object: Value, key: Value | undefined, value: Value): void {
  if (object.type === "list" && key && run.mayChange(object)) {
    const at = count(key);
    if (at !== null && !object.spoiled && at < object.items.length && at >= -object.items.length) {
      object.items[at < 0 ? at + object.items.length : at] = value;
      return;
    }
  } else if (object.type === "dict" && key && run.mayChange(object)) {
    const found = keyOf(key);
    if (found !== null && !object.spoiled) {
      object.entries.set(found, [key as Constant, value]);
      return;
    }
  } else if (object.type === "bytes" && object.isArray && key && run.mayChange(object)) {
    const [at, byte] = [count(key), count(value)];
    if (
      at !== null &&
      byte !== null &&
      at >= 0 &&
      at < object.text.length &&
      byte >= 0 &&
      byte < 256 &&
      run.budget.make(object.text.length)
    ) {
      object.text =
        object.text.slice(0, at) + String.fromCharCode(byte) + object.text.slice(at + 1);
      return;
    }
  }
  spoil(object);
  spoil(value);
}

function unpack(
  run: Interpreter,
  targets: readonly SyntaxNode[],
  value: Value,
  frame: Frame,
): void {
  const items = iterate(value);
  const star = targets.findIndex(
    ({ type }) => type === "list_splat_pattern" || type === "list_splat",
  );
  if (!items || (star < 0 ? items.length !== targets.length : items.length < targets.length - 1)) {
    spoil(value);
    for (const target of targets) bindTarget(run, target, UNKNOWN, frame);
    return;
  }
  const after = star < 0 ? 0 : targets.length - star - 1;
  for (const [i, target] of targets.entries()) {
    if (i === star) bindTarget(run, target, list(items.slice(star, items.length - after)), frame);
    else
      bindTarget(
        run,
        target,
        star >= 0 && i > star ? items[items.length - targets.length + i]! : items[i]!,
        frame,
      );
  }
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
