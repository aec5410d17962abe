import type { Frame } from "./frame.js";
import { NONE, UNKNOWN, type Value, path, text } from "./value.js";
import { identifier } from "../../structure/statements.js";
import { firstOperand, operands } from "../names.js";
import { constantAt } from "./functions.js";
import { type SyntaxNode } from "../../structure/types.js";
import { type Interpreter } from "./interpreter.js";

const PATH_DEPTH = 8;

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
      if (run.replaced.size > 0 && run.replaced.has(member)) return UNKNOWN;
      if (countDots(member) >= PATH_DEPTH) return UNKNOWN;
      return constantAt(member) ?? path(member);
    }
    case "function":
    case "class": {
      const { storedAttributes, storesAnyAttribute } = run.surroundings.survey;
      if (storesAnyAttribute || storedAttributes.has(name)) return UNKNOWN;
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

function countDots(path: string): number {
  let count = 0;
  for (let at = path.indexOf("."); at >= 0; at = path.indexOf(".", at + 1)) count++;
  return count;
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
