import { identifier } from "../../structure/statements.js";
import type { SyntaxNode } from "../../structure/types.js";

/** Methods that change what they are called on. */
export const MUTATORS: ReadonlySet<string> = new Set(
  "append extend insert pop popitem remove reverse sort clear update setdefault add discard __setitem__ __delitem__ __iadd__ __imul__".split(
    " ",
  ),
);
const NAMESPACES = new Set([
  "globals",
  "locals",
  "vars",
  "__dict__",
  "f_globals",
  "f_locals",
  "__globals__",
  "modules",
]);

/** Functions that change no namespace that they are given; what code they run binds is judged where it is read. */
const KEEPS = new Set(
  "eval exec list dict sorted set tuple len print iter __import__ namedtuple pprint".split(" "),
);
const NAMESPACE_GIVERS = new Set(["globals", "locals", "f_globals", "f_locals", "__globals__"]);
/** By these a script gets at its own module. */
const ITSELF = new Set(["__main__", "modules", "import_module"]);

/** What must be known of all of a script before any of it is run. */
export interface Survey {
  /** Names that functions bind in a scope that is not their own. */
  readonly shared: ReadonlySet<string>;
  /** Whether names are, or may be, bound by way of a namespace, as in `globals()["x"] = …`. */
  readonly bindsByNamespace: boolean;
  /** Whether the script may reach its own module as an object, whose attributes are its names. */
  readonly reachesItself: boolean;
  /** Names of attributes that are assigned somewhere. */
  readonly storedAttributes: ReadonlySet<string>;
  /** Whether attributes of any name may be assigned, as by `setattr(x, name, …)`. */
  readonly storesAnyAttribute: boolean;
  /** The names that are bound between two nodes. */
  boundWithin(node: SyntaxNode): ReadonlySet<string>;
  /** Whether what a name of `owner` (`null`: of a module or class) holds may be changed by a function that does not own it. */
  changesElsewhere(name: string, owner: SyntaxNode | null): boolean;
}

export function survey(nodes: readonly SyntaxNode[]): Survey {
  const functions: (SyntaxNode | null)[] = [];
  const bound: { readonly name: string; readonly index: number }[] = [];
  const boundIn = new Map<SyntaxNode, Set<string>>();
  const changedIn = new Map<string, Set<SyntaxNode>>();
  const shared = new Set<string>();
  const storedAttributes = new Set<string>();
  let bindsByNamespace = false;
  let reachesItself = false;
  let storesAnyAttribute = false;

  const bind = (node: SyntaxNode, within: SyntaxNode | null) => {
    const name = identifier(node);
    bound.push({ name, index: node.index });
    if (!within) return;
    const names = boundIn.get(within);
    if (names) names.add(name);
    else boundIn.set(within, new Set([name]));
  };
  const change = (object: SyntaxNode | undefined, within: SyntaxNode | null) => {
    if (object?.type !== "identifier" || !within) return;
    const name = identifier(object);
    const places = changedIn.get(name);
    if (places) places.add(within);
    else changedIn.set(name, new Set([within]));
  };

  for (const node of nodes) {
    if (!node.isNamed) continue;
    const { parent } = node;
    const outer = parent
      ? parent.type === "function_definition" || parent.type === "lambda"
        ? parent
        : (functions[parent.index] ?? null)
      : null;
    functions[node.index] = outer;
    switch (node.type) {
      case "identifier":
        if (ITSELF.has(node.text)) reachesItself = true;
        else if (NAMESPACE_GIVERS.has(node.text) && isHandedOn(node)) bindsByNamespace = true;
        if (isBinding(node))
          bind(
            node,
            parent?.type.endsWith("_definition") ? (functions[parent.index] ?? null) : outer,
          );
        break;
      case "default_parameter":
      case "typed_default_parameter":
        // What is changed under the one name changes under the other.
        change(node.childForFieldName("value") ?? undefined, outer);
        break;
      case "global_statement":
      case "nonlocal_statement":
        for (const name of node.namedChildren) shared.add(identifier(name));
        break;
      case "attribute": {
        const [object] = node.children;
        const name = node.children.at(-1)!.text;
        if (name === "__setattr__") {
          const given = parent?.childForFieldName("arguments")?.namedChildren ?? [];
          const names = given.filter(({ type }) => type === "string");
          for (const each of names) storedAttributes.add(textOf(each));
          if (names.length === 0) storesAnyAttribute = true;
        }
        if (MUTATORS.has(name)) {
          change(object, outer);
          if (object && isNamespace(object)) bindsByNamespace = true;
        }
        if (node.field === "left" || parent?.type === "delete_statement" || isInTarget(node))
          storedAttributes.add(name);
        break;
      }
      case "subscript":
        if (node.field !== "left" && parent?.type !== "delete_statement" && !isInTarget(node))
          break;
        change(node.children[0], outer);
        if (isNamespace(node.children[0]!)) bindsByNamespace = true;
        break;
      case "augmented_assignment":
        change(node.childForFieldName("left") ?? undefined, outer);
        break;
      case "call": {
        const callee = node.childForFieldName("function");
        if (
          callee?.type !== "identifier" ||
          (callee.text !== "setattr" && callee.text !== "delattr")
        )
          break;
        const first = node.childForFieldName("arguments")?.namedChildren[0];
        if (first && first.type !== "identifier") bindsByNamespace = true;
        const name = node.childForFieldName("arguments")?.namedChildren[1];
        if (name?.type === "string") storedAttributes.add(textOf(name));
        else storesAnyAttribute = true;
        break;
      }
    }
  }

  const cache = new Map<SyntaxNode, ReadonlySet<string>>();
  return {
    shared,
    bindsByNamespace,
    reachesItself,
    storedAttributes,
    storesAnyAttribute,
    boundWithin: (node) => {
      let names = cache.get(node);
      if (names) return names;
      const found = new Set<string>();
      const end = lastIndex(node);
      for (let i = firstAtLeast(bound, node.index); i < bound.length && bound[i]!.index <= end; i++)
        found.add(bound[i]!.name);
      cache.set(node, (names = found));
      return names;
    },
    changesElsewhere: (name, owner) => {
      for (const place of changedIn.get(name) ?? [])
        if (place !== owner && !(boundIn.get(place)?.has(name) && !shared.has(name))) return true;
      return false;
    },
  };
}

function lastIndex(node: SyntaxNode): number {
  let last = node;
  while (last.children.length > 0) last = last.children.at(-1)!;
  return last.index;
}

function firstAtLeast(bound: readonly { readonly index: number }[], index: number): number {
  let low = 0;
  let high = bound.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bound[middle]!.index < index) low = middle + 1;
    else high = middle;
  }
  return low;
}

const PATTERNS = new Set([
  "pattern_list",
  "tuple_pattern",
  "list_pattern",
  "list_splat_pattern",
  "dictionary_splat_pattern",
  "as_pattern_target",
  "expression_list",
  "tuple",
  "list",
  "parenthesized_expression",
]);
const BINDS_LEFT = new Set([
  "assignment",
  "augmented_assignment",
  "for_statement",
  "for_in_clause",
]);
const BINDS = new Set([
  "named_expression",
  "function_definition",
  "class_definition",
  "delete_statement",
  "parameters",
  "lambda_parameters",
  "default_parameter",
  "typed_parameter",
  "typed_default_parameter",
  "case_pattern",
  "keyword_pattern",
  "splat_pattern",
  "type_alias_statement",
]);

function isBinding(node: SyntaxNode): boolean {
  let { parent, field } = node;
  if (!parent) return false;
  if (parent.type === "dotted_name") {
    field = parent.field;
    parent = parent.parent!;
    if (parent.type === "case_pattern") return true;
  }
  if (
    parent.type === "import_statement" ||
    parent.type === "import_from_statement" ||
    parent.type === "aliased_import"
  )
    return true;
  if (BINDS_LEFT.has(parent.type)) return field === "left";
  if (BINDS.has(parent.type))
    return field !== "value" && field !== "type" && field !== "superclasses";
  return isInTarget(node);
}

/** Whether a node is part of a tuple or list that is assigned to. */
function isInTarget(node: SyntaxNode): boolean {
  let inner = node;
  for (let depth = 0; inner.parent && PATTERNS.has(inner.parent.type) && depth < 10; depth++)
    inner = inner.parent;
  if (inner === node) return false;
  if (inner.type === "as_pattern_target" || inner.type.endsWith("splat_pattern")) return true;
  return (inner.parent && BINDS_LEFT.has(inner.parent.type) && inner.field === "left") ?? false;
}

function textOf(string: SyntaxNode): string {
  return string.text.replace(/^\w*['"]+|['"]+$/g, "");
}

/** Whether a namespace, or what gives it, goes on from here, rather than that something is taken out of it. */
function isHandedOn(node: SyntaxNode): boolean {
  let inner = node;
  if (inner.parent?.type === "attribute" && inner.parent.children.at(-1) === inner)
    inner = inner.parent;
  if (inner.text === "globals" || inner.text === "locals") {
    if (inner.parent?.type !== "call" || inner.field !== "function")
      return inner.parent?.type !== "attribute";
    inner = inner.parent;
  }
  const { parent } = inner;
  switch (parent?.type) {
    case "attribute":
      return MUTATORS.has(parent.children.at(-1)!.text);
    case "subscript":
    case "comparison_operator":
    case "expression_statement":
    case "for_statement":
    case "for_in_clause":
      return false;
    case "argument_list": {
      const callee = parent.parent?.childForFieldName("function");
      return !(callee?.type === "identifier" && KEEPS.has(callee.text));
    }
    default:
      return true;
  }
}

function isNamespace(node: SyntaxNode): boolean {
  let object: SyntaxNode | undefined | null = node;
  for (let depth = 0; object && depth < 5; depth++) {
    if (object.type === "call" || object.type === "subscript") object = object.children[0];
    else if (object.type === "attribute") {
      if (NAMESPACES.has(object.children.at(-1)!.text)) return true;
      object = object.children[0];
    } else return object.type === "identifier" && NAMESPACES.has(object.text);
  }
  return false;
}
