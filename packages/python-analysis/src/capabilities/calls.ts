import { identifier } from "../structure/statements.js";
import type { SyntaxNode } from "../structure/types.js";
import { type Argument, argumentOf, argumentsOf, hasSpread } from "./arguments.js";
import type { Evaluator } from "./evaluate.js";
import type { FlowGraph } from "./flow.js";
import { operands, type Parameters } from "./names.js";
import {
  ANYTHING,
  isMapping,
  moduleOf,
  NOTHING,
  OPAQUE,
  union,
  type Value,
  type Values,
  WILD,
} from "./values.js";
import { givesAnything, isLikely } from "./wild.js";

/** Functions that give a module by its name. */
const IMPORTERS = new Set(["sys.modules.get", "sys.modules.pop"]);
/** Methods of loaders, and importers under other names, that give a module by its name whatever the object. */
const LOADS =
  /\.(?:load_module|import_module|__import__|_gcd_import|import_fresh_module)$|^pydoc\.(?:locate|safeimport)$/;
/** What gives the spec of a module by its name. */
const FINDS = /^importlib(?:\.util)?\.find_(?:spec|loader)$/;
/** Mappings that have the names of a namespace that they are made of, and what has them as attributes. */
const MAPPINGS = new Set([
  "builtins.dict",
  "collections.ChainMap",
  "collections.OrderedDict",
  "collections.UserDict",
  "copy.copy",
  "copy.deepcopy",
  "types.MappingProxyType",
]);
const OBJECTS = new Set(["builtins.type", "types.SimpleNamespace", "argparse.Namespace"]);
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
const TAKES_FUNCTIONS = new Set(["filter", "sorted", "min", "max", "map"]);
/** Builtins and methods that change nothing in what they are called with. */
const KEEPS = new Set(
  (
    "print isinstance issubclass hasattr id repr str bool callable len any all sum map hash type ascii format " +
    "append add insert extend update setdefault join startswith endswith union intersection difference issubset get index count"
  ).split(" "),
);
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
        case "container":
          // A method of it under another name.
          result = union(result, union(this.#graph.elementsOf([value], node), ANYTHING));
          break;
        case "class":
          this.#callClass(value.node, node);
          result = union(result, ANYTHING);
          break;
        case "wild":
          result = union(result, this.#callWild(value, callee, node));
          break;
        default:
          result = union(result, this.#callMethod(callee, node));
      }
    }
    return result;
  }

  /** A call of something that reflection gave: `__import__` under another name perhaps. */
  #callWild(value: Value, callee: SyntaxNode, node: SyntaxNode): Values {
    const first = argumentOf(node, 0, "name");
    const named = first ? this.#graph.values(first) : NOTHING;
    return named.reduce(
      (all, name) =>
        name.kind === "string" && isLikely(name.text)
          ? union(all, [this.#evaluator.path(name.text)])
          : all,
      union([value], this.#callMethod(callee, node)),
    );
  }

  #callPath(path: string, node: SyntaxNode): Values {
    const first = argumentOf(node, 0, "name");
    if (FINDS.test(path)) return this.#specOf(node, first);
    if (path === "importlib.util.module_from_spec" || path === "importlib.reload")
      return this.#moduleOfSpec(node, argumentOf(node, 0, "spec"));
    if (givesAnything(path)) return [WILD];
    if (path === "runpy.run_module" && first)
      return this.#graph
        .values(first)
        .map((value) => (value.kind === "string" ? this.#evaluator.namespace(value.text) : WILD));
    if (MAPPINGS.has(path) || OBJECTS.has(path)) return this.#madeOfNames(path, node);
    if (path === "builtins.map") return this.#mapped(node);
    if (path === "pkgutil.resolve_name")
      return first ? this.#resolved(this.#graph.values(first)) : ANYTHING;
    if (path.startsWith("sys.modules.")) {
      if (path === "sys.modules.copy") return [this.#evaluator.path("sys.modules")];
      if (/\.(?:items|values|popitem)$/.test(path)) return [WILD];
    }
    if (path.endsWith(".__import__")) return this.#imported(node);
    if (LOADS.test(path))
      return first ? this.#evaluator.modulesNamed(this.#graph.values(first)) : [WILD];
    if (IMPORTERS.has(path))
      return first ? this.#evaluator.modulesNamed(this.#graph.values(first)) : ANYTHING;
    if (path === "builtins.getattr") return this.#callGetattr(node);
    if (NAMESPACES.has(path)) return this.#callNamespace(path, node);
    const dot = path.lastIndexOf(".");
    const [owner, method] = [path.slice(0, dot), path.slice(dot + 1)];
    if (method === "__getattribute__" || (owner === "builtins" && ELEMENT_METHODS.has(method))) {
      return first
        ? this.#evaluator.membersNamed(this.#evaluator.path(owner), this.#graph.values(first), node)
        : ANYTHING;
    }
    if (owner === "builtins" && TAKES_FUNCTIONS.has(method))
      this.#callBack(node, argumentsOf(node));
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
    if (!(owner === "builtins" && KEEPS.has(method))) this.#evaluator.carriers.spoilArguments(node);
    return [this.#evaluator.instance(this.#evaluator.map.returns(path) ?? path)];
  }

  /** Functions of the script that are handed to what calls them with the elements of its other arguments. */
  #callBack(node: SyntaxNode, given: readonly Argument[], elements?: SyntaxNode): void {
    for (const { value } of given) {
      for (const called of this.#graph.values(value)) {
        const parameters =
          called.kind === "function"
            ? this.#evaluator.names.parameters.get(called.node)
            : undefined;
        if (!parameters) continue;
        const others = elements
          ? [elements]
          : argumentsOf(node).flatMap((other) => (other.value === value ? [] : [other.value]));
        for (const other of others)
          for (const variable of parameters.all) this.#graph.link(other, variable, 1);
      }
    }
  }

  /** What decorators make of a definition, as far as they are functions of the script: they get it and give something else. */
  decorated(node: SyntaxNode): Values {
    let result = NOTHING;
    const definition = node.childForFieldName("definition");
    for (const decorator of operands(node)) {
      const expression = decorator.type === "decorator" ? operands(decorator)[0] : undefined;
      if (!expression || !definition) continue;
      for (const value of this.#graph.values(expression)) {
        if (value.kind === "class") {
          for (const initialiser of this.#evaluator.names.initialisers.get(value.node) ?? []) {
            const parameter = this.#evaluator.names.parameters.get(initialiser)?.positional[1];
            if (parameter) this.#graph.link(definition, parameter, 0);
          }
        }
        if (value.kind !== "function") continue;
        const parameter = this.#evaluator.names.parameters.get(value.node)?.positional[0];
        if (parameter) this.#graph.link(definition, parameter, 0);
        const returned = this.#evaluator.names.returns.get(value.node);
        if (!returned) continue;
        result = union(
          result,
          this.#graph.use(returned, node).filter((each) => this.#evaluator.carries(each, node)),
        );
      }
    }
    return result;
  }

  /** What strings such as `os` and `os:system` name. */
  #resolved(names: Values): Values {
    return names.reduce<Values>(
      (all, name) =>
        union(all, [
          name.kind === "string" ? this.#evaluator.path(name.text.replace(":", ".")) : WILD,
        ]),
      NOTHING,
    );
  }

  /** `__import__("a.b")` gives `a`, unless it is told what to take of `a.b`. */
  #imported(node: SyntaxNode): Values {
    const name = argumentOf(node, 0, "name");
    if (!name) return [WILD];
    const modules = this.#evaluator.modulesNamed(this.#graph.values(name));
    if (argumentOf(node, 3, "fromlist") || hasSpread(node)) return modules;
    return modules.reduce<Values>(
      (all, value) =>
        union(all, [
          value.kind === "path" ? this.#evaluator.path(value.path.split(".", 1)[0]!) : value,
        ]),
      NOTHING,
    );
  }

  /** The spec of a module holds that, as far as it goes. */
  #specOf(node: SyntaxNode, name: SyntaxNode | undefined): Values {
    const elements = this.#graph.makeContainer(node);
    const names = name ? this.#graph.values(name) : ANYTHING;
    this.#graph.give(elements, this.#evaluator.modulesNamed(names));
    return [this.#evaluator.make.node("container", node)];
  }

  #moduleOfSpec(node: SyntaxNode, spec: SyntaxNode | undefined): Values {
    const held = spec ? this.#graph.elementsOf(this.#graph.values(spec), node) : ANYTHING;
    return held.map((value) => (value.kind === "path" ? value : WILD));
  }

  /** `dict(vars(os))` and `SimpleNamespace(**vars(os))` have the names of `os`. */
  #madeOfNames(path: string, node: SyntaxNode): Values {
    const values = argumentsOf(node).flatMap(({ value }) => this.#graph.values(value));
    const owners = values.filter(isMapping).map((value) => {
      const module = moduleOf(value);
      return module === null || value.kind === "wild" ? WILD : this.#evaluator.path(module);
    });
    const mappings = values.filter((value) => isMapping(value) || isCarrier(value));
    return union([this.#evaluator.instance(path)], MAPPINGS.has(path) ? mappings : owners);
  }

  /** `map(f, x)` holds what `f` gives for what is in `x`. */
  #mapped(node: SyntaxNode): Values {
    const [called, ...others] = argumentsOf(node);
    if (!called) return ANYTHING;
    const elements = this.#graph.makeContainer(node);
    for (const value of this.#graph.values(called.value)) {
      if (value.kind === "path" && LOADS.test(value.path)) {
        const names = others.flatMap((each) =>
          this.#graph.elementsOf(this.#graph.values(each.value), node),
        );
        this.#graph.give(elements, this.#evaluator.modulesNamed(names));
      } else if (value.kind === "function") {
        this.#graph.give(elements, this.#applied(value.node, others, node));
      }
    }
    return [this.#evaluator.make.node("container", node)];
  }

  /** What a function of the script gives for the elements of these. */
  #applied(definition: SyntaxNode, others: readonly Argument[], node: SyntaxNode): Values {
    const parameters = this.#evaluator.names.parameters.get(definition)?.positional ?? [];
    for (const [i, { value, spread }] of others.entries())
      if (parameters[i] && !spread) this.#graph.link(value, parameters[i], 1);
    const returned = this.#evaluator.names.returns.get(definition);
    return returned ? this.#graph.use(returned, node) : ANYTHING;
  }

  #callGetattr(node: SyntaxNode): Values {
    const object = argumentOf(node, 0, null);
    const name = argumentOf(node, 1, null);
    const fallback = argumentOf(node, 2, null);
    let result: Values = fallback ? this.#graph.values(fallback) : NOTHING;
    if (!object || !name) return ANYTHING;
    for (const value of this.#graph.values(name)) {
      const owners = this.#graph.values(object);
      if (value.kind === "string") {
        result = union(result, this.#evaluator.attributeOf(owners, value.text, node));
        continue;
      }
      for (const owner of owners)
        result = union(
          result,
          isOpen(owner) ? this.#evaluator.membersOf(owner) : this.#anyAttribute(object, node),
        );
    }
    return result;
  }

  /** An attribute of an object of the script by a name that is not known. */
  #anyAttribute(object: SyntaxNode, node: SyntaxNode): Values {
    const isModule = this.#graph.values(object).every((value) => value.kind === "path");
    return isModule ? ANYTHING : union(ANYTHING, this.#evaluator.carriers.anyStored(node));
  }

  #callNamespace(path: string, node: SyntaxNode): Values {
    const object = argumentOf(node, 0, null);
    if (!object || path !== "builtins.vars") return [this.#evaluator.make.namespace(null)];
    const values = this.#graph.values(object);
    const namespaces = values.map((value) =>
      value.kind === "path"
        ? this.#evaluator.namespace(value.path)
        : value.kind === "wild"
          ? value
          : OPAQUE,
    );
    return namespaces.includes(OPAQUE)
      ? union(namespaces, this.#evaluator.carriers.anyStored(node))
      : namespaces;
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
    if (name === "__subclasses__") return [WILD];
    const loaded = LOADS.test(`.${name}`) ? argumentOf(node, 0, "name") : undefined;
    let result = loaded
      ? union(ANYTHING, this.#evaluator.modulesNamed(this.#graph.values(loaded)))
      : ANYTHING;
    const { carriers } = this.#evaluator;
    const object = callee.children[0]!;
    result = union(result, carriers.givenByMethods(name, node));
    carriers.putByMethod(object, name, node);
    if (!KEEPS.has(name)) carriers.spoilArguments(node);
    if (name === "sort") this.#callBack(node, argumentsOf(node), object);
    for (const owner of this.#graph.values(object)) {
      // What comes out of a mapping of attributes that has modules is a module.
      if (owner.kind === "path" && CONTAINER_METHODS.has(name)) result = union(result, [owner]);
      if (owner.kind === "container" && ELEMENT_METHODS.has(name))
        result = union(result, this.#graph.elementsOf([owner], node));
      if (owner.kind === "container" && CONTAINER_METHODS.has(name))
        result = union(result, [owner]);
      if (isNames(owner) && name === "copy") result = union(result, [owner]);
      if (isNames(owner) && (name === "items" || name === "values"))
        result = union(result, this.#evaluator.membersOf(owner));
      if (isNames(owner) && ELEMENT_METHODS.has(name)) {
        const key = argumentOf(node, 0, null);
        if (key)
          result = union(
            result,
            this.#evaluator.membersNamed(owner, this.#graph.values(key), node),
          );
      }
    }
    const called = this.#evaluator.names.functionsByName.get(name) ?? [];
    if (
      !argumentsOf(node).some(({ value }) =>
        this.#graph.values(value).some((v) => v.kind !== "opaque" && v.kind !== "string"),
      )
    ) {
      return result;
    }
    for (const definition of called.slice(0, MOST_METHODS)) {
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
  return value.kind === "container" || value.kind === "wild";
}

function isNames(value: Value): boolean {
  return value.kind === "namespace" || value.kind === "wild";
}

/** Whether a member of an unknown name may be anything. */
function isOpen(value: Value): boolean {
  return isNames(value) || (value.kind === "path" && value.isModule);
}
