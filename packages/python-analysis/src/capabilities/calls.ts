import { identifier } from "../structure/statements.js";
import type { SyntaxNode } from "../structure/types.js";
import { argumentOf, argumentsOf } from "./arguments.js";
import type { Evaluator } from "./evaluate.js";
import type { FlowGraph } from "./flow.js";
import type { Parameters } from "./names.js";
import { ANYTHING, NOTHING, OPAQUE, union, type Value, type Values } from "./values.js";

/** Functions that give a module by its name. */
const IMPORTERS = new Set([
  "builtins.__import__",
  "importlib.import_module",
  "importlib.__import__",
]);
/** Methods of loaders, and importers under other names, that give a module by its name whatever the object. */
const LOADS = /\.(?:load_module|import_module|__import__)$/;
/** Calls whose result has the names of what they are called with. */
const NAMESPACES = new Set(["builtins.vars", "builtins.globals", "builtins.locals"]);
/** Methods of mappings and sequences that give back what is in them, or something with the same elements. */
const ELEMENT_METHODS = new Set(["get", "pop", "popitem", "setdefault", "__getitem__"]);
const CONTAINER_METHODS = new Set(["items", "values", "keys", "copy", "__iter__"]);
/** Builtins whose result has the elements of their arguments, or is one of them. */
const SAME_ELEMENTS = new Set([
  "list",
  "tuple",
  "set",
  "frozenset",
  "dict",
  "sorted",
  "reversed",
  "iter",
  "enumerate",
  "zip",
  "filter",
]);
const ELEMENT_OF = new Set(["next", "min", "max"]);
/**
 * Of more methods that are called alike, or initialisers of one class, the arguments are not followed; handing a module to them
 * counts as unresolved.
 */
export const MOST_METHODS = 50;

/** What calls give, and what they make of their arguments. */
export class CallEvaluator {
  readonly #evaluator: Evaluator;
  /** Those that are given arguments by `*` or `**` somewhere. */
  readonly #spread = new Set<Parameters>();

  constructor(evaluator: Evaluator) {
    this.#evaluator = evaluator;
  }

  get #graph(): FlowGraph {
    return this.#evaluator.graph;
  }

  evaluate(node: SyntaxNode): Values {
    const callee = node.childForFieldName("function");
    if (!callee) return ANYTHING;
    let result = NOTHING;
    for (const value of this.#graph.values(callee)) {
      switch (value.kind) {
        case "path":
          result = union(result, this.#callPath(value.path, node));
          break;
        case "function":
          result = union(result, this.#callFunction(value.node, node, 0));
          break;
        case "class":
          this.#callClass(value.node, node);
          result = union(result, ANYTHING);
          break;
        case "many":
          result = union(result, [value]);
          break;
        default:
          result = union(result, this.#callMethod(callee, node));
      }
    }
    return result;
  }

  #callPath(path: string, node: SyntaxNode): Values {
    const first = argumentOf(node, 0, "name");
    if (path === "pkgutil.resolve_name")
      return first ? this.#resolved(this.#graph.values(first)) : ANYTHING;
    if (LOADS.test(path) && first) return this.#evaluator.modulesNamed(this.#graph.values(first));
    if (IMPORTERS.has(path) || path === "sys.modules.get" || path === "sys.modules.pop") {
      return first ? this.#evaluator.modulesNamed(this.#graph.values(first)) : ANYTHING;
    }
    if (path === "builtins.getattr") return this.#callGetattr(node);
    if (NAMESPACES.has(path)) return this.#callNamespace(path, node);
    const dot = path.lastIndexOf(".");
    const [owner, method] = [path.slice(0, dot), path.slice(dot + 1)];
    if (method === "__getattribute__" || (owner === "builtins" && ELEMENT_METHODS.has(method))) {
      return first
        ? this.#evaluator.membersNamed(this.#evaluator.path(owner), this.#graph.values(first), node)
        : ANYTHING;
    }
    if (owner === "builtins" && SAME_ELEMENTS.has(method)) {
      return argumentsOf(node).reduce(
        (all, { value }) => union(all, this.#graph.values(value).filter(isCarrier)),
        ANYTHING,
      );
    }
    if (owner === "builtins" && ELEMENT_OF.has(method)) {
      return argumentsOf(node).reduce(
        (all, { value }) =>
          union(all, this.#graph.elementsOf(this.#graph.values(value).filter(isCarrier), node)),
        ANYTHING,
      );
    }
    return [this.#evaluator.instance(this.#evaluator.map.returns(path) ?? path)];
  }

  /** What strings such as `os` and `os:system` name. */
  #resolved(names: Values): Values {
    return names.reduce<Values>(
      (all, name) =>
        union(
          all,
          name.kind === "string" ? [this.#evaluator.path(name.text.replace(":", "."))] : ANYTHING,
        ),
      NOTHING,
    );
  }

  #callGetattr(node: SyntaxNode): Values {
    const object = argumentOf(node, 0, null);
    const name = argumentOf(node, 1, null);
    const fallback = argumentOf(node, 2, null);
    let result: Values = fallback ? this.#graph.values(fallback) : NOTHING;
    if (!object || !name) return ANYTHING;
    for (const value of this.#graph.values(name)) {
      result = union(
        result,
        value.kind === "string"
          ? this.#evaluator.attributeOf(this.#graph.values(object), value.text, node)
          : ANYTHING,
      );
    }
    return result;
  }

  #callNamespace(path: string, node: SyntaxNode): Values {
    const object = argumentOf(node, 0, null);
    if (!object || path !== "builtins.vars") return [this.#evaluator.make.namespace(null)];
    return this.#graph
      .values(object)
      .map((value) => (value.kind === "path" ? this.#evaluator.namespace(value.path) : OPAQUE));
  }

  #callFunction(definition: SyntaxNode, node: SyntaxNode, skipped: number): Values {
    const parameters = this.#evaluator.names.parameters.get(definition);
    const returned = this.#evaluator.names.returns.get(definition);
    if (parameters) this.#passArguments(node, parameters, skipped);
    const result = returned ? this.#graph.use(returned, node) : ANYTHING;
    // A generator, a coroutine or a decorated function gives something else than what it returns: both may come.
    return union(result, definition.type === "lambda" ? NOTHING : ANYTHING);
  }

  #callClass(definition: SyntaxNode, node: SyntaxNode): void {
    const initialisers = this.#evaluator.names.initialisers.get(definition) ?? [];
    for (const initialiser of initialisers.slice(0, MOST_METHODS)) {
      this.#callFunction(initialiser, node, 1);
    }
  }

  /** A call of something unknown: methods of the script that are called alike get the arguments; mappings give their elements. */
  #callMethod(callee: SyntaxNode, node: SyntaxNode): Values {
    if (callee.type !== "attribute") return ANYTHING;
    const name = identifier(callee.children.at(-1)!);
    const loaded = LOADS.test(`.${name}`) ? argumentOf(node, 0, "name") : undefined;
    let result = loaded
      ? union(ANYTHING, this.#evaluator.modulesNamed(this.#graph.values(loaded)))
      : ANYTHING;
    for (const owner of this.#graph.values(callee.children[0]!)) {
      if (owner.kind === "container" && ELEMENT_METHODS.has(name))
        result = union(result, this.#graph.elementsOf([owner], node));
      if (owner.kind === "container" && CONTAINER_METHODS.has(name))
        result = union(result, [owner]);
      if (owner.kind === "namespace" && ELEMENT_METHODS.has(name)) {
        const key = argumentOf(node, 0, null);
        if (key)
          result = union(
            result,
            this.#evaluator.membersNamed(owner, this.#graph.values(key), node),
          );
      }
    }
    if (
      !argumentsOf(node).some(({ value }) =>
        this.#graph.values(value).some((v) => v.kind !== "opaque" && v.kind !== "string"),
      )
    ) {
      return result;
    }
    const alike = this.#evaluator.names.functionsByName.get(name) ?? [];
    for (const definition of alike.slice(0, MOST_METHODS)) {
      const isMethod = this.#evaluator.names.parameters.get(definition)?.isMethod;
      result = union(result, this.#callFunction(definition, node, isMethod ? 1 : 0));
    }
    return result;
  }

  #spreadOver(parameters: Parameters): void {
    if (this.#spread.has(parameters)) return;
    this.#spread.add(parameters);
    const from = parameters.spread;
    for (const variable of parameters.all)
      this.#graph.follow({ from, variable, depth: 0, attribute: null });
  }

  #passArguments(node: SyntaxNode, parameters: Parameters, skipped: number): void {
    let position = skipped;
    for (const argument of argumentsOf(node)) {
      const { keyword, value, spread } = argument;
      if (spread) {
        this.#spreadOver(parameters);
        this.#graph.link(value, parameters.spread, 1);
        continue;
      }
      const variable =
        keyword === null
          ? (parameters.positional[position++] ?? parameters.rest)
          : (parameters.named.get(keyword) ?? parameters.keywords);
      if (variable) this.#graph.link(value, variable, 0);
    }
  }
}

function isCarrier(value: Value): boolean {
  return value.kind === "container" || value.kind === "many";
}
