import type { SyntaxNode } from "../structure/types.js";
import type { Evaluation } from "./evaluate.js";
import { firstOperand } from "./names.js";

/** Namespaces of which the names alone let a script do nothing. */
const NAMESPACES = new Set(["builtins.globals", "builtins.locals", "sys.modules"]);
/** Builtins that only look at the keys of a mapping. */
const LOOKS_AT_KEYS = new Set(["len", "list", "set", "frozenset", "sorted", "tuple", "bool"]);
/** Builtins that tell something of an object, and do nothing with it. */
const LOOKS = new Set(["bool", "callable", "dir", "hasattr", "id"]);
const TYPE_TESTS = new Set(["builtins.isinstance", "builtins.issubclass"]);
const TRANSPARENT_IN_TYPES = new Set([
  "attribute",
  "subscript",
  "generic_type",
  "type_parameter",
  "binary_operator",
  "union_type",
  "member_type",
  "tuple",
  "list",
  "expression_list",
]);

/** Tells references that do nothing: they only say what something is, or are only looked at. */
export class Looks {
  readonly #evaluation: Evaluation;
  /** Answers of {@link isTypeOnly}: those of a long union are all the same. */
  readonly #typeOnly = new Map<SyntaxNode, boolean>();

  constructor(evaluation: Evaluation) {
    this.#evaluation = evaluation;
  }

  /**
   * Whether a reference is only looked at, so that the script does nothing by it: `os.fork is None`, `callable(os.fork)`; of a
   * namespace, whether only its names are asked for, or its values put into a text.
   *
   * @param path - what the reference resolves to
   */
  isOnlyLookedAt(reference: SyntaxNode, path: string): boolean {
    if (isTested(reference) || this.#isArgumentOf(reference, LOOKS)) return true;
    if (!NAMESPACES.has(path)) return false;
    if (path === "sys.modules") return this.#asksForNames(reference);
    const call = reference.field === "function" ? reference.parent : null;
    return call?.type === "call" && (this.#asksForNames(call) || isFormatted(call));
  }

  /** Whether a reference is only a type: in an annotation, in `isinstance`, after `except`. */
  isTypeOnly(node: SyntaxNode): boolean {
    let whole = node;
    const parts: SyntaxNode[] = [];
    while (
      !this.#typeOnly.has(whole) &&
      whole.parent &&
      TRANSPARENT_IN_TYPES.has(whole.parent.type)
    ) {
      parts.push(whole);
      whole = whole.parent;
    }
    const answer = this.#typeOnly.get(whole) ?? this.#standsForType(whole);
    this.#typeOnly.set(whole, answer);
    for (const part of parts) this.#typeOnly.set(part, answer);
    return answer;
  }

  /** As {@link isTypeOnly}, of what is not part of a larger type. */
  #standsForType(child: SyntaxNode): boolean {
    const { parent } = child;
    if (parent?.type === "type") return true;
    if (parent?.type === "except_clause") return true;
    if (parent?.type === "as_pattern")
      return parent.parent?.type === "except_clause" && firstOperand(parent) === child;
    if (
      parent?.type !== "argument_list" ||
      parent.parent?.type !== "call" ||
      firstOperand(parent) === child
    )
      return false;
    const callee = parent.parent.childForFieldName("function");
    const targets = callee ? this.#evaluation.values(callee) : [];
    return (
      targets.length > 0 &&
      targets.every((value) => value.kind === "path" && TYPE_TESTS.has(value.path))
    );
  }

  /** `name in namespace`, `for name in namespace`, `namespace.keys()`, `list(namespace)`. */
  #asksForNames(namespace: SyntaxNode): boolean {
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
      default:
        return this.#isArgumentOf(namespace, LOOKS_AT_KEYS);
    }
  }

  /** Whether a node is the first argument of a call of one of these. */
  #isArgumentOf(node: SyntaxNode, names: ReadonlySet<string>): boolean {
    const { parent } = node;
    const callee = parent?.type === "argument_list" && parent.parent?.childForFieldName("function");
    return !!callee && firstOperand(parent) === node && this.#isBuiltin(callee, names);
  }

  /** Whether a callee is a builtin of one of these names for certain. */
  #isBuiltin(callee: SyntaxNode, names: ReadonlySet<string>): boolean {
    const targets = this.#evaluation.values(callee);
    return (
      targets.length > 0 &&
      targets.every(
        (value) =>
          value.kind === "path" &&
          value.path.startsWith("builtins.") &&
          names.has(value.path.slice(9)),
      )
    );
  }
}

/** Whether a node is compared by identity, or asked whether it is true. */
function isTested(node: SyntaxNode): boolean {
  const { parent } = node;
  switch (parent?.type) {
    case "comparison_operator":
      return parent.children.length === 3 && /^is(?: not)?$/.test(parent.children[1]!.type);
    case "not_operator":
      return true;
    case "if_statement":
    case "elif_clause":
    case "while_statement":
      return node.field === "condition";
    default:
      return false;
  }
}

/** `"…" % namespace`. */
function isFormatted(namespace: SyntaxNode): boolean {
  let whole = namespace;
  while (whole.parent?.type === "parenthesized_expression") whole = whole.parent;
  const { parent } = whole;
  const [text, operator, values] = parent?.type === "binary_operator" ? parent.children : [];
  return text?.type === "string" && operator?.type === "%" && values === whole;
}
