import { identifier } from "../structure/statements.js";
import { stringValue } from "../structure/strings.js";
import type { ParsedModule, SyntaxNode } from "../structure/types.js";
import { argumentOf, argumentsOf } from "./arguments.js";
import type { CapabilityMap } from "./map.js";
import { type Names, operands, type Origin, type Parameters, type Variable } from "./scopes.js";
import { ANYTHING, LONGEST_STRING, NOTHING, OPAQUE, union, type Value, ValueFactory, type Values } from "./values.js";

/** What is bound to what, and so what every expression may stand for. */
export interface Evaluation {
  values(node: SyntaxNode): Values;
  /** What a tuple, list, set or dictionary may hold. */
  elements(container: SyntaxNode): Values;
  /** The evaluation was given up: what it has not found is unknown. */
  readonly incomplete: boolean;
}

/** The way of a node's values, or of a part of them, into a variable. */
interface Flow {
  readonly from: SyntaxNode;
  readonly variable: Variable;
  readonly depth: number;
  readonly attribute: string | null;
}

/** What looks at a variable and so must look again when it changes. */
type User = SyntaxNode | Flow;

/** Functions that give a module by its name. */
const IMPORTERS = new Set(["builtins.__import__", "importlib.import_module", "importlib.__import__"]);
/** Calls whose result has the names of what they are called with. */
const NAMESPACES = new Set(["builtins.vars", "builtins.globals", "builtins.locals"]);
const LITERAL = new Set(["integer", "float", "true", "false", "none", "ellipsis", "comment"]);
const CONTAINERS = new Set([
  "tuple",
  "list",
  "set",
  "dictionary",
  "expression_list",
  "list_comprehension",
  "set_comprehension",
  "dictionary_comprehension",
  "generator_expression",
]);
/** Methods of mappings and sequences that give back what is in them, or something with the same elements. */
const ELEMENT_METHODS = new Set(["get", "pop", "popitem", "setdefault", "__getitem__"]);
const CONTAINER_METHODS = new Set(["items", "values", "keys", "copy", "__iter__"]);
/** Builtins whose result has the elements of their arguments, or is one of them. */
const SAME_ELEMENTS = new Set(["list", "tuple", "set", "frozenset", "dict", "sorted", "reversed", "iter", "enumerate", "zip", "filter"]);
const ELEMENT_OF = new Set(["next", "min", "max"]);
const MOST_CONTAINERS = 8;
const STEPS_PER_NODE = 40;

/**
 * Finds what every expression may stand for, by letting values flow from where they arise to where they are used until nothing
 * changes. The order of statements is not regarded: a name may stand for anything that it is ever bound to.
 *
 * The work is bounded: values of one place are limited in number, and so is the sum of all steps.
 */
export function evaluate(parsed: ParsedModule, names: Names, map: CapabilityMap): Evaluation {
  return new Evaluator(parsed, names, map).run();
}

class Evaluator implements Evaluation {
  readonly #parsed: ParsedModule;
  readonly #names: Names;
  readonly #map: CapabilityMap;
  readonly #make = new ValueFactory();
  /** A node that is not in here can be anything. */
  readonly #values = new Map<SyntaxNode, Values>();
  readonly #held = new Map<Variable, Values>();
  readonly #users = new Map<Variable, Set<User>>();
  readonly #flows = new Map<SyntaxNode, Flow[]>();
  readonly #elements = new Map<SyntaxNode, Variable>();
  readonly #linked = new Map<SyntaxNode, Set<Variable>>();
  readonly #queue: User[] = [];
  readonly #queued = new Set<User>();
  incomplete = false;

  constructor(parsed: ParsedModule, names: Names, map: CapabilityMap) {
    this.#parsed = parsed;
    this.#names = names;
    this.#map = map;
  }

  values(node: SyntaxNode): Values {
    return this.#values.get(node) ?? ANYTHING;
  }

  elements(container: SyntaxNode): Values {
    const variable = this.#elements.get(container);
    return (variable && this.#held.get(variable)) ?? ANYTHING;
  }

  run(): Evaluation {
    for (const { variable, origin } of this.#names.bindings) this.#begin(variable, origin);
    let nodes = 0;
    for (const node of inEvaluationOrder(this.#parsed.root)) {
      nodes++;
      this.#update(node);
    }
    let steps = nodes * STEPS_PER_NODE + 1000;
    for (let user = this.#queue.pop(); user; user = this.#queue.pop()) {
      this.#queued.delete(user);
      if (--steps < 0) {
        this.incomplete = true;
        break;
      }
      if ("variable" in user) this.#pass(user);
      else this.#update(user);
    }
    return this;
  }

  #path(path: string): Value {
    return this.#make.path(path, () => this.#map.isModule(path) || this.#names.modules.has(path));
  }

  /** What calling `path` gives, where anything is known about it. */
  #instance(path: string): Value {
    return this.#map.hasMembers(path) ? this.#make.instance(path) : OPAQUE;
  }

  #begin(variable: Variable, origin: Origin): void {
    switch (origin.kind) {
      case "import": {
        const { module, member } = origin;
        const value = member === null ? this.#path(module) : this.#attributeOfPath(module, member);
        return this.#give(variable, [value]);
      }
      case "definition": {
        const kind = origin.node.type === "class_definition" ? "class" : "function";
        return this.#give(variable, [this.#make.node(kind, origin.node)]);
      }
      case "unknown":
        return this.#give(variable, ANYTHING);
      case "annotation":
        return this.#follow({ from: origin.node, variable, depth: 0, attribute: null });
      case "expression":
        return this.#follow({ from: origin.node, variable, depth: origin.depth, attribute: origin.attribute });
    }
  }

  #follow(flow: Flow): void {
    const flows = this.#flows.get(flow.from);
    if (flows) flows.push(flow);
    else this.#flows.set(flow.from, [flow]);
  }

  #give(variable: Variable, values: Values): void {
    const before = this.#held.get(variable) ?? NOTHING;
    const after = union(before, this.#mergeContainers(before, values));
    if (after === before) return;
    this.#held.set(variable, after);
    for (const user of this.#users.get(variable) ?? []) this.#again(user);
  }

  /** Once a variable holds many containers, further ones give their elements to the first instead. */
  #mergeContainers(held: Values, added: Values): Values {
    const containers = held.flatMap((value) => (value.kind === "container" ? [value.node] : []));
    const elements = containers[0] && this.#elements.get(containers[0]);
    if (!elements || containers.length < MOST_CONTAINERS) return added;
    return added.filter((value) => {
      if (value.kind !== "container" || containers.includes(value.node)) return true;
      this.#link(value.node, elements, 1);
      return false;
    });
  }

  /** Lets the values of a node flow into a variable from now on. */
  #link(from: SyntaxNode, variable: Variable, depth: number): void {
    let linked = this.#linked.get(from);
    if (!linked) this.#linked.set(from, (linked = new Set()));
    if (linked.has(variable)) return;
    linked.add(variable);
    const flow = { from, variable, depth, attribute: null };
    this.#follow(flow);
    this.#pass(flow);
  }

  #use(variable: Variable, user: User): Values {
    let users = this.#users.get(variable);
    if (!users) this.#users.set(variable, (users = new Set()));
    users.add(user);
    return this.#held.get(variable) ?? NOTHING;
  }

  #again(user: User): void {
    if (this.#queued.has(user)) return;
    this.#queued.add(user);
    this.#queue.push(user);
  }

  #update(node: SyntaxNode): void {
    const before = this.#values.get(node);
    const found = this.#evaluate(node);
    const after = before ? union(before, found) : found;
    if (after === before) return;
    if (after !== ANYTHING || before) this.#values.set(node, after);
    for (const flow of this.#flows.get(node) ?? []) this.#pass(flow);
    if (before) this.#again(consumer(node));
  }

  #pass(flow: Flow): void {
    let passed = this.values(flow.from);
    for (let i = 0; i < flow.depth; i++) passed = this.#elementsOf(passed, flow);
    if (flow.attribute !== null) passed = this.#attributeOf(passed, flow.attribute, flow);
    this.#give(flow.variable, passed);
  }

  /**
   * What iterating over the values, or subscripting them, may give. What has no elements that are known stands for itself, so
   * that a module is followed through the pairs of `items()` and the like.
   */
  #elementsOf(values: Values, user: User): Values {
    let result = NOTHING;
    for (const value of values) {
      const elements = value.kind === "container" ? this.#elements.get(value.node) : undefined;
      if (elements) result = union(result, this.#use(elements, user));
      else result = union(result, value.kind === "string" ? ANYTHING : [value]);
    }
    return result;
  }

  #evaluate(node: SyntaxNode): Values {
    switch (node.type) {
      case "identifier":
        return this.#evaluateName(node);
      case "attribute": {
        const name = node.children.at(-1);
        const base = this.values(node.children[0]!);
        return name?.type === "identifier" ? this.#attributeOf(base, identifier(name), node) : ANYTHING;
      }
      case "call":
        return this.#evaluateCall(node);
      case "subscript":
        return this.#evaluateSubscript(node);
      case "string":
      case "concatenated_string": {
        const text = node.endIndex - node.startIndex > LONGEST_STRING * 2 ? null : stringValue(node);
        return text === null ? ANYTHING : [this.#make.string(text)];
      }
      case "binary_operator":
        return this.#evaluateOperator(node);
      case "conditional_expression": {
        const [body, , otherwise] = operands(node);
        return body && otherwise ? union(this.values(body), this.values(otherwise)) : ANYTHING;
      }
      case "boolean_operator":
        return operands(node).reduce((all, operand) => union(all, this.values(operand)), NOTHING);
      case "parenthesized_expression":
      case "await":
        return this.#valuesOf(operands(node)[0]);
      case "named_expression":
        return this.#valuesOf(node.childForFieldName("value"));
      case "assignment":
        return this.#valuesOf(node.childForFieldName("right"));
      case "as_pattern":
        return this.#valuesOf(operands(node)[0]);
      case "lambda":
        return [this.#make.node("function", node)];
      case "type":
        return this.#evaluateType(node);
    }
    return CONTAINERS.has(node.type) ? this.#evaluateContainer(node) : ANYTHING;
  }

  #valuesOf(node: SyntaxNode | null | undefined): Values {
    return node ? this.values(node) : ANYTHING;
  }

  #evaluateName(node: SyntaxNode): Values {
    const reference = this.#names.references.get(node);
    if (!reference) return ANYTHING;
    let result = NOTHING;
    for (const variable of reference.variables) result = union(result, this.#use(variable, node));
    if (!reference.maybeBuiltin) return result;
    const name = identifier(node);
    for (const { module } of this.#names.stars) {
      const isOther = reference.variables.length === 0 && !this.#map.isBuiltin(name);
      if (isOther || this.#map.isMember(module, name)) result = union(result, [this.#attributeOfPath(module, name)]);
    }
    if (name === "__builtins__") return union(result, [this.#path("builtins")]);
    return union(result, [this.#map.isBuiltin(name) ? this.#path(`builtins.${name}`) : OPAQUE]);
  }

  #attributeOfPath(path: string, name: string): Value {
    const exposed = this.#map.exposedModule(path, name);
    return this.#path(exposed ?? `${path}.${name}`);
  }

  #attributeOf(base: Values, name: string, user: User): Values {
    let result = NOTHING;
    const stored = this.#names.attributes.get(name);
    for (const value of base) {
      if (value.kind === "path") {
        const property = this.#map.property(`${value.path}.${name}`);
        const dot = value.path.lastIndexOf(".");
        if (name === "__self__" && dot > 0) result = union(result, [this.#path(value.path.slice(0, dot))]);
        else if (value.path.startsWith("builtins.")) result = union(result, ANYTHING);
        else if (name === "__dict__") result = union(result, [this.#make.namespace(value.path)]);
        else if (property) result = union(result, [this.#instance(property)]);
        else result = union(result, [this.#attributeOfPath(value.path, name)]);
      } else if (value.kind === "instance" && this.#map.hasMembers(value.of)) {
        const property = this.#map.property(`${value.of}.${name}`);
        result = union(result, [property ? this.#instance(property) : this.#path(`${value.of}.${name}`)]);
      } else if (value.kind === "many") {
        result = union(result, [value]);
      } else {
        if (stored) result = union(result, this.#storedIn(stored, user));
        result = union(result, ANYTHING);
      }
    }
    return result;
  }

  /**
   * What attributes of a name hold, whatever the object: all of it for `self` and classes; of other objects only modules are
   * followed, as their attributes may just be called alike.
   */
  #storedIn(attribute: Variable, user: User): Values {
    const held = this.#use(attribute, user);
    const object = "type" in user && user.type === "attribute" ? user.children[0]! : null;
    const own = object !== null && (/^(?:self|cls)$/.test(object.text) || this.values(object).some((v) => v.kind === "class"));
    return own ? held : held.filter((value) => value.kind === "path" && value.isModule);
  }

  #evaluateSubscript(node: SyntaxNode): Values {
    const base = this.values(node.children[0]!);
    const keys = node.childrenForFieldName("subscript");
    const names = keys.length === 1 ? this.values(keys[0]!) : ANYTHING;
    let result = NOTHING;
    for (const value of base) {
      if (value.kind === "namespace" || (value.kind === "path" && value.path === "builtins")) {
        result = union(result, this.#named(value, names, node));
      } else if (value.kind === "path" && value.path === "sys.modules") {
        result = union(result, this.#modulesNamed(names));
      } else if (value.kind === "container" || value.kind === "instance" || value.kind === "many") {
        result = union(result, this.#elementsOf([value], node));
      } else {
        result = union(result, ANYTHING);
      }
    }
    return result;
  }

  /** The members of a module or namespace by constant names. */
  #named(of: Value, names: Values, user: SyntaxNode): Values {
    let result = NOTHING;
    for (const name of names) {
      if (name.kind !== "string") {
        result = union(result, ANYTHING);
      } else if (of.kind === "namespace" && of.of === null) {
        const variable = this.#names.moduleNames.get(name.text);
        if (variable) result = union(result, this.#use(variable, user));
        if (name.text === "__builtins__") result = union(result, [this.#path("builtins")]);
        if (!variable) result = union(result, ANYTHING);
      } else {
        const owner = of.kind === "namespace" && of.of !== null ? this.#path(of.of) : of;
        result = union(result, this.#attributeOf([owner], name.text, user));
      }
    }
    return result;
  }

  #modulesNamed(names: Values): Values {
    return names.reduce<Values>((modules, name) => union(modules, [name.kind === "string" ? this.#path(name.text) : OPAQUE]), []);
  }

  #evaluateOperator(node: SyntaxNode): Values {
    const [left, right] = operands(node);
    const operator = node.childForFieldName("operator")?.type ?? node.children[1]?.type;
    if (!left || !right) return ANYTHING;
    if (operator === "/") {
      const paths = [...this.values(left), ...this.values(right)].filter((value) => value.kind === "instance");
      return paths.length > 0 ? union(paths, ANYTHING) : ANYTHING;
    }
    if (operator !== "+") return ANYTHING;
    let result = NOTHING;
    for (const a of this.values(left)) {
      for (const b of this.values(right)) {
        if (a.kind === "string" && b.kind === "string") result = union(result, [this.#make.string(a.text + b.text)]);
        else result = union(result, [a.kind === "container" ? a : OPAQUE, b.kind === "container" ? b : OPAQUE]);
      }
    }
    return result;
  }

  #evaluateContainer(node: SyntaxNode): Values {
    let elements = this.#elements.get(node);
    if (elements) return [this.#make.node("container", node)];
    const parts = containerParts(node);
    if (parts.length === 0) return ANYTHING;
    elements = { name: "element", bindings: [], boundFrom: 0, deleted: false };
    this.#elements.set(node, elements);
    for (const { part, depth } of parts) this.#link(part, elements, depth);
    return [this.#make.node("container", node)];
  }

  /** Something of the class that an annotation names, where its methods are known. */
  #evaluateType(node: SyntaxNode): Values {
    let result = NOTHING;
    const pending = [node];
    for (let part = pending.pop(), left = 20; part && left > 0; part = pending.pop(), left--) {
      if (part.type === "identifier" || part.type === "attribute") {
        for (const value of this.values(part)) {
          if (value.kind === "path" && this.#map.hasMembers(value.path) && !this.#map.isModule(value.path)) {
            result = union(result, [this.#instance(value.path)]);
          }
        }
      } else {
        pending.push(...operands(part).slice(0, 20));
      }
    }
    return result.length > 0 ? result : ANYTHING;
  }

  #evaluateCall(node: SyntaxNode): Values {
    const callee = node.childForFieldName("function");
    if (!callee) return ANYTHING;
    let result = NOTHING;
    for (const value of this.values(callee)) {
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
    if (IMPORTERS.has(path) || path === "sys.modules.get" || path === "sys.modules.pop") {
      return first ? this.#modulesNamed(this.values(first)) : ANYTHING;
    }
    if (path === "builtins.getattr") return this.#callGetattr(node);
    if (NAMESPACES.has(path)) return this.#callNamespace(path, node);
    const dot = path.lastIndexOf(".");
    const [owner, method] = [path.slice(0, dot), path.slice(dot + 1)];
    if (method === "__getattribute__" || (owner === "builtins" && ELEMENT_METHODS.has(method))) {
      return first ? this.#named(this.#path(owner), this.values(first), node) : ANYTHING;
    }
    if (owner === "builtins" && SAME_ELEMENTS.has(method)) {
      return argumentsOf(node).reduce((all, { value }) => union(all, this.values(value).filter(isCarrier)), ANYTHING);
    }
    if (owner === "builtins" && ELEMENT_OF.has(method)) {
      return argumentsOf(node).reduce((all, { value }) => union(all, this.#elementsOf(this.values(value).filter(isCarrier), node)), ANYTHING);
    }
    return [this.#instance(this.#map.returns(path) ?? path)];
  }

  #callGetattr(node: SyntaxNode): Values {
    const object = argumentOf(node, 0, null);
    const name = argumentOf(node, 1, null);
    const fallback = argumentOf(node, 2, null);
    let result: Values = fallback ? this.values(fallback) : NOTHING;
    if (!object || !name) return ANYTHING;
    for (const value of this.values(name)) {
      result = union(result, value.kind === "string" ? this.#attributeOf(this.values(object), value.text, node) : ANYTHING);
    }
    return result;
  }

  #callNamespace(path: string, node: SyntaxNode): Values {
    const object = argumentOf(node, 0, null);
    if (!object || path !== "builtins.vars") return [this.#make.namespace(null)];
    return this.values(object).map((value) => (value.kind === "path" ? this.#make.namespace(value.path) : OPAQUE));
  }

  #callFunction(definition: SyntaxNode, node: SyntaxNode, skipped: number): Values {
    const parameters = this.#names.parameters.get(definition);
    const returned = this.#names.returns.get(definition);
    if (parameters) this.#passArguments(node, parameters, skipped);
    const result = returned ? this.#use(returned, node) : ANYTHING;
    // A generator, a coroutine or a decorated function gives something else than what it returns: both may come.
    return union(result, definition.type === "lambda" ? NOTHING : ANYTHING);
  }

  #callClass(definition: SyntaxNode, node: SyntaxNode): void {
    for (const method of ["__init__", "__new__", "__call__"]) {
      for (const initialiser of this.#names.functionsByName.get(method) ?? []) {
        if (within(initialiser, definition)) this.#callFunction(initialiser, node, 1);
      }
    }
  }

  /** A call of something unknown: methods of the script that are called alike get the arguments; mappings give their elements. */
  #callMethod(callee: SyntaxNode, node: SyntaxNode): Values {
    if (callee.type !== "attribute") return ANYTHING;
    const name = identifier(callee.children.at(-1)!);
    let result = ANYTHING;
    for (const owner of this.values(callee.children[0]!)) {
      if (owner.kind === "container" && ELEMENT_METHODS.has(name)) result = union(result, this.#elementsOf([owner], node));
      if (owner.kind === "container" && CONTAINER_METHODS.has(name)) result = union(result, [owner]);
      if (owner.kind === "namespace" && ELEMENT_METHODS.has(name)) {
        const key = argumentOf(node, 0, null);
        if (key) result = union(result, this.#named(owner, this.values(key), node));
      }
    }
    if (!argumentsOf(node).some(({ value }) => this.values(value).some((v) => v.kind !== "opaque" && v.kind !== "string"))) {
      return result;
    }
    for (const definition of this.#names.functionsByName.get(name) ?? []) {
      const isMethod = this.#names.parameters.get(definition)?.isMethod;
      result = union(result, this.#callFunction(definition, node, isMethod ? 1 : 0));
    }
    return result;
  }

  #passArguments(node: SyntaxNode, parameters: Parameters, skipped: number): void {
    let position = skipped;
    for (const argument of argumentsOf(node)) {
      if (argument.spread) continue;
      const { keyword, value } = argument;
      const variable =
        keyword === null
          ? (parameters.positional[position++] ?? parameters.rest)
          : (parameters.named.get(keyword) ?? parameters.keywords);
      if (variable) this.#link(value, variable, 0);
    }
  }
}

function isCarrier(value: Value): boolean {
  return value.kind === "container" || value.kind === "many";
}

/** The node that looks at this one's values: its parent, past what only groups arguments. */
function consumer(node: SyntaxNode): SyntaxNode {
  let parent = node.parent ?? node;
  while (parent.parent && (parent.type === "argument_list" || parent.type === "keyword_argument")) parent = parent.parent;
  return parent;
}

function within(node: SyntaxNode, outer: SyntaxNode): boolean {
  return node.startIndex >= outer.startIndex && node.endIndex <= outer.endIndex;
}

/** The expressions whose values become elements, with how often each is to be taken apart first. */
function containerParts(node: SyntaxNode): { part: SyntaxNode; depth: number }[] {
  const parts: { part: SyntaxNode; depth: number }[] = [];
  for (const child of operands(node)) {
    if (LITERAL.has(child.type) || child.type === "for_in_clause" || child.type === "if_clause") continue;
    if (child.type === "pair") {
      for (const part of operands(child)) if (!LITERAL.has(part.type)) parts.push({ part, depth: 0 });
    } else if (child.type === "list_splat" || child.type === "dictionary_splat") {
      for (const part of operands(child)) parts.push({ part, depth: 1 });
    } else {
      parts.push({ part: child, depth: 0 });
    }
  }
  return parts;
}

/** Every node, what it is made of before it, in order of place. */
function* inEvaluationOrder(root: SyntaxNode): Generator<SyntaxNode, void, undefined> {
  const path: { node: SyntaxNode; next: number }[] = [{ node: root, next: 0 }];
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const child = top.node.children[top.next++];
    if (child) {
      if (child.isNamed) path.push({ node: child, next: 0 });
    } else {
      path.pop();
      yield top.node;
    }
  }
}
