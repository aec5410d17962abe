import { identifier } from "../structure/statements.js";
import type { SyntaxNode } from "../structure/types.js";
import { argumentsOf } from "./arguments.js";
import type { FlowGraph, User } from "./flow.js";
import type { CapabilityMap } from "./map.js";
import { type Names, operands, type Variable } from "./names.js";
import { newVariable } from "./scope.js";
import { MANY, NOTHING, union, type Value, type ValueFactory, type Values } from "./values.js";

/** Stands for any attribute, where it is not told which. */
export const ANY_ATTRIBUTE = "*";
/** Of more methods that are called alike, none is followed as a value. */
const MOST_ALIKE = 8;
/** Lists in lists may be changed by what they are handed to, to this depth. */
const DEEPEST = 3;
/** In more lists in lists, and functions in them, no module is looked for. */
const MOST_HELD = 200;
/** Attributes by which something that holds a value gives it. No module has them. */
const CONTENT = new Set("value _value_ cell_contents start stop step __value__".split(" "));
/** Attributes of functions in which values are that the function has. */
const DEFAULTS = new Set(["__defaults__", "__kwdefaults__"]);
const CELLS = new Set(["__closure__", "cell_contents"]);
const MUTABLE = new Set([
  "list",
  "set",
  "dictionary",
  "list_comprehension",
  "set_comprehension",
  "dictionary_comprehension",
]);
/** Methods that give what is in what they are called on; under another name they stand for that. */
const TAKES = new Set(["get", "pop", "popitem", "popleft", "setdefault", "__getitem__"]);
/** Methods that put their arguments into what they are called on, and how often these are taken apart before. */
const PUTS: ReadonlyMap<string, number> = new Map([
  ...["append", "appendleft", "add", "insert", "setdefault", "__setitem__"].map(
    (name) => [name, 0] as const,
  ),
  ...["extend", "extendleft", "update", "__iadd__", "__ior__"].map((name) => [name, 1] as const),
]);

/**
 * How modules travel through the objects and containers of the script. Which object it is is not regarded: a module that is in an
 * attribute of any is in that of all.
 */
export class Carriers {
  readonly #graph: FlowGraph;
  readonly #names: Names;
  readonly #map: CapabilityMap;
  readonly #make: ValueFactory;
  /** What methods of a name give, as far as it carries modules. */
  readonly #given = new Map<string, Variable>();
  #stored: Variable | null = null;
  /** By whether it is defaults only. */
  readonly #inFunctions = new Map<boolean, Variable>();

  constructor(graph: FlowGraph, names: Names, map: CapabilityMap, make: ValueFactory) {
    this.#graph = graph;
    this.#names = names;
    this.#map = map;
    this.#make = make;
  }

  carries(value: Value, user: User): boolean {
    const seen = new Set([value]);
    for (const each of seen) {
      if (this.#isModule(each)) return true;
      for (const inner of this.#heldBy(each, user)) {
        if (seen.size < MOST_HELD) seen.add(inner);
      }
    }
    return false;
  }

  #isModule(value: Value): boolean {
    switch (value.kind) {
      case "wild":
        return value === MANY;
      case "namespace":
        return value.of !== null;
      case "path":
        return value.isModule && this.#matters(value.path);
      default:
        return false;
    }
  }

  /** What is in a container, or what a function returns. */
  #heldBy(value: Value, user: User): Values {
    if (value.kind === "container") return this.#graph.elementsOf([value], user);
    const returned = value.kind === "function" ? this.#names.returns.get(value.node) : undefined;
    return returned ? this.#graph.use(returned, user) : NOTHING;
  }

  #matters(module: string): boolean {
    const top = module.split(".", 1)[0]!;
    return (this.#map.module(top)?.length ?? 0) > 0 && !this.#map.isIdle(module);
  }

  /** What methods called `name` give, as far as it carries modules. */
  givenByMethods(name: string, user: User): Values {
    const alike = this.#names.functionsByName.get(name);
    if (!alike) return NOTHING;
    let given = this.#given.get(name);
    if (!given) {
      this.#given.set(name, (given = newVariable("method")));
      for (const definition of alike) this.#collect(this.#names.returns.get(definition), given);
    }
    return this.#graph.use(given, user);
  }

  /** The modules in all attributes that the script assigns, and what carries them. */
  anyStored(user: User): Values {
    if (!this.#stored) {
      this.#stored = newVariable("stored");
      for (const attribute of this.#names.attributes.values())
        this.#collect(attribute, this.#stored);
    }
    return this.#graph.use(this.#stored, user);
  }

  /** What an attribute of a module may be that the script put there, or that belongs to what holds the module. */
  ofModule(module: Value & { readonly kind: "path" }, name: string, user: User): Values {
    if (CONTENT.has(name)) return [module];
    const stored = this.#names.attributes.get(name);
    if (!stored || this.#map.mayExport(module.path, name, true)) return NOTHING;
    return this.#graph.use(stored, user).filter((value) => this.carries(value, user));
  }

  /** What an attribute of anything else carries, but for what is assigned to attributes of that name. */
  ofObject(object: Value, name: string, user: User): Values {
    if (CONTENT.has(name) && this.carries(object, user)) return [object];
    if (name === "__dict__") return this.anyStored(user);
    if (object.kind === "container" && !isCalled(user)) {
      if (PUTS.has(name)) this.spoil([object], user);
      if (TAKES.has(name) && this.carries(object, user)) return [object];
    }
    if (CELLS.has(name)) return this.#heldByFunctions(false, user);
    if (DEFAULTS.has(name)) return this.#heldByFunctions(true, user);
    const alike = isCalled(user) ? undefined : this.#names.functionsByName.get(name);
    if (!alike || alike.length > MOST_ALIKE || this.givenByMethods(name, user).length === 0)
      return NOTHING;
    return alike.map((node) => this.#make.node("function", node));
  }

  /** The modules that functions have as defaults or in variables, and what carries them. */
  #heldByFunctions(onlyDefaults: boolean, user: User): Values {
    let held = this.#inFunctions.get(onlyDefaults);
    if (!held) {
      this.#inFunctions.set(onlyDefaults, (held = newVariable("function")));
      const inModule = new Set(this.#names.moduleNames.values());
      for (const { variable, origin, place } of this.#names.bindings) {
        const isDefault = place.type.endsWith("default_parameter") && origin.kind === "expression";
        if (onlyDefaults ? isDefault : !inModule.has(variable)) this.#collect(variable, held);
      }
    }
    return this.#graph.use(held, user);
  }

  #collect(from: Variable | undefined, variable: Variable): void {
    if (!from) return;
    this.#graph.follow({ from, variable, depth: 0, attribute: null, onlyCarriers: true });
  }

  /** `x[y] = z`: what is put into containers becomes an element of them. */
  putByAssignment(node: SyntaxNode): void {
    const left = node.childForFieldName("left");
    const right = node.childForFieldName("right");
    if (!left) return;
    if (left.type !== "subscript") {
      if (isPlain(left)) {
        // `x += [y]` changes what `x` is, too, under its other names.
        if (node.type === "augmented_assignment" && right)
          for (const container of this.#changedBy(left)) this.#graph.put(right, container, 1);
      } else this.#putByPattern(left);
      return;
    }
    for (const container of this.#changedBy(left.children[0]!)) {
      const keys = left.childrenForFieldName("subscript");
      const isSlice = keys.some(({ type }) => type === "slice");
      if (!right || node.type === "augmented_assignment") this.#graph.spoil(container);
      else this.#graph.put(right, container, isSlice ? 1 : 0);
      for (const key of keys) if (key.type !== "slice") this.#graph.put(key, container, 0);
    }
  }

  /** `x[y], z = …`, of which the parts are not told apart. */
  #putByPattern(pattern: SyntaxNode): void {
    for (const part of operands(pattern)) {
      if (part.type === "subscript")
        for (const container of this.#changedBy(part.children[0]!)) this.#graph.spoil(container);
      else if (!isPlain(part)) this.#putByPattern(part);
    }
  }

  /** `x.append(y)` and the like. */
  putByMethod(object: SyntaxNode, name: string, call: SyntaxNode): void {
    const depth = PUTS.get(name);
    if (depth === undefined) return;
    for (const container of this.#changedBy(object)) {
      for (const { value, keyword, spread } of argumentsOf(call)) {
        if (spread) this.#graph.put(value, container, 1);
        else this.#graph.put(value, container, keyword === null ? depth : 0);
      }
    }
  }

  /** What is handed to what is not known may get other elements there. */
  spoilArguments(call: SyntaxNode): void {
    for (const { value } of argumentsOf(call)) this.spoil(this.#graph.values(value), call);
  }

  /** @param seen - how deep below each container has been looked already */
  spoil(values: Values, user: User, depth = DEEPEST, seen = new Map<Value, number>()): void {
    for (const value of values) {
      if (value.kind !== "container" || (seen.get(value) ?? 0) >= depth) continue;
      seen.set(value, depth);
      this.spoil(this.#graph.elementsOf([value], user), user, depth - 1, seen);
      if (MUTABLE.has(value.node.type)) this.#graph.spoil(value.node);
    }
  }

  #changedBy(object: SyntaxNode): SyntaxNode[] {
    let values = this.#graph.values(object);
    if (object.type === "attribute") {
      const name = object.children.at(-1)!;
      const stored =
        name.type === "identifier" ? this.#names.attributes.get(identifier(name)) : undefined;
      if (stored) values = union(values, this.#graph.use(stored, object));
    }
    return values.flatMap((value) =>
      value.kind === "container" && MUTABLE.has(value.node.type) ? [value.node] : [],
    );
  }
}

function isCalled(user: User): boolean {
  return "type" in user && user.field === "function";
}

function isPlain(target: SyntaxNode): boolean {
  return target.type === "identifier" || target.type === "attribute";
}
