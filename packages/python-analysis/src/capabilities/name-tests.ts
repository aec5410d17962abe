import type { SyntaxNode } from "../structure/types.js";
import { operands } from "./names.js";

/** Namespaces of which the names alone let a script do nothing. */
const NAMESPACES = new Set(["builtins.globals", "builtins.locals", "sys.modules"]);
/** Builtins that only look at the keys of a mapping. */
const LOOKS_AT_KEYS = new Set(["len", "list", "set", "frozenset", "sorted", "tuple", "bool"]);

/**
 * Whether only names are asked of a namespace, not what they stand for: `name in sys.modules`, `for name in globals()`,
 * `locals().keys()`.
 *
 * @param isBuiltin whether a callee is a builtin of one of these names for certain
 */
export function asksForNames(
  reference: SyntaxNode,
  path: string,
  isBuiltin: (callee: SyntaxNode, names: ReadonlySet<string>) => boolean,
): boolean {
  if (!NAMESPACES.has(path)) return false;
  const isCall = path.startsWith("builtins.");
  const namespace = isCall ? reference.parent : reference;
  if (!namespace || (isCall && (namespace.type !== "call" || reference.field !== "function")))
    return false;
  const { parent } = namespace;
  switch (parent?.type) {
    case "comparison_operator":
      return (
        parent.children.length === 3 &&
        parent.children[2] === namespace &&
        /^(?:not )?in$/.test(parent.children[1]!.type)
      );
    case "for_in_clause":
    case "for_statement":
      return namespace.field === "right";
    case "attribute":
      return (
        parent.children.at(-1)?.text === "keys" &&
        parent.field === "function" &&
        parent.parent?.type === "call"
      );
    case "argument_list": {
      const call = parent.parent;
      const callee = call?.childForFieldName("function");
      return (
        callee !== null &&
        callee !== undefined &&
        operands(parent).length === 1 &&
        isBuiltin(callee, LOOKS_AT_KEYS)
      );
    }
    default:
      return false;
  }
}
