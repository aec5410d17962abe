import { identifier } from "../structure/statements.js";
import { stringValue } from "../structure/strings.js";
import type { SyntaxNode } from "../structure/types.js";
import { annotationsOf, typeValues } from "./annotations.js";
import { CallEvaluator } from "./calls.js";
import { ANY_ATTRIBUTE, Carriers } from "./carriers.js";
import { containerValues, isContainer } from "./containers.js";
import type { Folding } from "./folding/record.js";
import { FlowGraph, type Transfer, type User } from "./flow.js";

import type { CapabilityMap } from "./map.js";
import { operatorValues } from "./operators.js";
import type { Program } from "./program.js";
import { newVariable } from "./scope.js";
import { type Names, operands, type Origin, type Variable } from "./names.js";
import {
  ANYTHING,
  isMapping,
  LONGEST_CODE,
  moduleOf,
  NOTHING,
  OPAQUE,
  union,
  type Value,
  ValueFactory,
  type Values,
  WILD,
} from "./values.js";
import { isEveryday, isLikely, likelyMembers, mayLeadOn } from "./wild.js";

/** What every expression may stand for. */
export interface Evaluation {
  values(node: SyntaxNode): Values;
  /** What a tuple, list, set or dictionary may hold. */
  elements(container: SyntaxNode): Values;
  /** What a function may return. */
  returned(definition: SyntaxNode): Values;
  /** Whether it was given up: what has not been found then is unknown. */
  readonly incomplete: boolean;
}

/** Attributes of functions and frames that have all names of a module. */
const NAMESPACES = new Set("__globals__ func_globals f_globals f_locals".split(" "));
const BUILTINS = new Set(["f_builtins", "__builtins__"]);
const LOADERS = new Set(["__loader__", "__spec__"]);
type DefinitionValue = Extract<Value, { readonly node: SyntaxNode }>;
const DEFINITIONS: ReadonlySet<Value["kind"]> = new Set(["function", "class"] as const);
/**
 * Finds what every expression may stand for, by letting values flow from where they arise to where they are used until nothing
 * changes. The order of statements is not regarded: a name may stand for anything that it is ever bound to.
 *
 * The work is bounded: values of one place are limited in number, and so is the sum of all steps.
 */
export function evaluate(
  program: Program,
  names: Names,
  map: CapabilityMap,
  folding: Folding,
): Evaluation {
  const evaluator = new Evaluator(program, names, map, folding);
  const complete = evaluator.graph.run();
  return {
    values: (node) => evaluator.graph.values(node),
    elements: (container) => evaluator.graph.elements(container),
    returned: (definition) => {
      const variable = names.returns.get(definition);
      return variable ? evaluator.graph.held(variable) : ANYTHING;
    },
    incomplete: !complete,
  };
}

/** The meaning of Python's expressions, as far as it is followed. */
export class Evaluator implements Transfer {
  readonly graph: FlowGraph;
  readonly names: Names;
  readonly map: CapabilityMap;
  readonly make = new ValueFactory();
  readonly #stars: readonly string[];
  readonly #calls = new CallEvaluator(this);
  readonly #folding: Folding;
  /** Members of paths and instances: by owner, by name. */
  readonly #members = new Map<Value, Map<string, Values>>();
  readonly #builtins = new Map<string, Values>();
  /** By the calls that run code, what it gives. */
  readonly #given = new Map<SyntaxNode, Variable>();
  readonly carriers: Carriers;

  constructor(program: Program, names: Names, map: CapabilityMap, folding: Folding) {
    this.#folding = folding;
    this.graph = new FlowGraph(this, program.nodes);
    this.names = names;
    this.map = map;
    this.carriers = new Carriers(this.graph, names, map, this.make);
    this.#stars = [...names.stars].filter((module) => map.hasExports(module));
    for (const { variable, origin } of names.bindings) this.#begin(variable, origin);
    for (const { host, root } of program.units) this.#giveBack(host, root);
  }

  /** Lets a call that runs code that is an expression give what that gives, as `eval` does. */
  #giveBack(host: SyntaxNode, root: SyntaxNode): void {
    const [statement, ...others] = operands(root);
    const from = statement?.type === "expression_statement" ? operands(statement)[0] : undefined;
    if (!from || others.length > 0) return;
    const variable = this.#given.get(host) ?? newVariable("code");
    this.#given.set(host, variable);
    this.graph.follow({ from, variable, depth: 0, attribute: null });
  }

  path(path: string): Value {
    return this.make.path(path, () => this.map.isModule(path) || this.names.modules.has(path));
  }

  /** The names of `path` as a mapping. */
  namespace(path: string): Value {
    return this.map.isIdle(path) ? OPAQUE : this.make.namespace(path);
  }

  /** What calling `path` gives, where anything is known about it. */
  instance(path: string): Value {
    return this.map.hasMembers(path) ? this.make.instance(path) : OPAQUE;
  }

  #begin(variable: Variable, origin: Origin): void {
    switch (origin.kind) {
      case "import": {
        const { module, member } = origin;
        const value = member === null ? this.path(module) : this.#attributeOfPath(module, member);
        return this.graph.give(variable, [value]);
      }
      case "definition": {
        const { parent } = origin.node;
        if (parent?.type === "decorated_definition")
          this.graph.follow({ from: parent, variable, depth: 0, attribute: null });
        const kind = origin.node.type === "class_definition" ? "class" : "function";
        return this.graph.give(variable, [this.make.node(kind, origin.node)]);
      }
      case "unknown":
        return this.graph.give(variable, ANYTHING);
      case "annotation":
        return this.graph.follow({ from: origin.node, variable, depth: 0, attribute: null });
      case "expression": {
        const { node: from, depth, attribute } = origin;
        return this.graph.follow({ from, variable, depth, attribute });
      }
      case "variable": {
        const { from, depth, attribute } = origin;
        return this.graph.follow({ from, variable, depth, attribute });
      }
    }
  }

  /** What folding tells of an expression for certain stands for all that it may be. */
  evaluate(node: SyntaxNode): Values {
    const given = node.type === "call" ? this.#given.get(node) : undefined;
    const flowing = given
      ? union(this.#evaluateFlow(node), this.graph.use(given, node))
      : this.#evaluateFlow(node);
    const folded = this.#folding.of(node);
    if (!folded || folded.options.length === 0) return flowing;
    let result = folded.isExact ? NOTHING : flowing;
    if (folded.isDoubtful) result = union(result, ANYTHING);
    for (const option of folded.options)
      result = union(result, [option.type === "str" ? this.make.string(option.text) : OPAQUE]);
    return result;
  }

  #evaluateFlow(node: SyntaxNode): Values {
    switch (node.type) {
      case "identifier":
        return this.#evaluateName(node);
      case "attribute": {
        const name = node.children.at(-1);
        const base = this.graph.values(node.children[0]!);
        return name?.type === "identifier"
          ? this.attributeOf(base, identifier(name), node)
          : ANYTHING;
      }
      case "call":
        return this.#calls.evaluate(node);
      case "subscript":
        return this.#evaluateSubscript(node);
      case "string":
      case "concatenated_string": {
        const text = node.endIndex - node.startIndex > LONGEST_CODE * 2 ? null : stringValue(node);
        return text === null ? ANYTHING : [this.make.string(text, LONGEST_CODE)];
      }
      case "binary_operator":
        return operatorValues(node, this);
      case "conditional_expression": {
        const [body, , otherwise] = operands(node);
        return body && otherwise
          ? union(this.graph.values(body), this.graph.values(otherwise))
          : ANYTHING;
      }
      case "boolean_operator":
        return operands(node).reduce(
          (all, operand) => union(all, this.graph.values(operand)),
          NOTHING,
        );
      case "parenthesized_expression":
      case "await":
        return this.#valuesOf(operands(node)[0]);
      case "named_expression":
        return this.#valuesOf(node.childForFieldName("value"));
      case "assignment":
      case "augmented_assignment":
        this.carriers.putByAssignment(node);
        return this.#valuesOf(node.childForFieldName("right"));
      case "decorated_definition":
        return this.#calls.decorated(node);
      case "as_pattern":
        return this.#valuesOf(operands(node)[0]);
      case "lambda":
      case "function_definition":
        return [this.make.node("function", node)];
      case "class_definition":
        return [this.make.node("class", node)];
      case "type":
        return typeValues(node, this);
    }
    return isContainer(node) ? containerValues(node, this) : ANYTHING;
  }

  #valuesOf(node: SyntaxNode | null | undefined): Values {
    return node ? this.graph.values(node) : ANYTHING;
  }

  #evaluateName(node: SyntaxNode): Values {
    const reference = this.names.references.get(node);
    if (!reference) return ANYTHING;
    let result = NOTHING;
    for (const variable of reference.variables)
      result = union(result, this.graph.use(variable, node));
    if (!reference.maybeBuiltin) return result;
    const { name } = reference;
    const isFree = reference.variables.length === 0 && !this.map.isBuiltin(name);
    for (const module of this.#stars) {
      if (!this.map.mayExport(module, name, isFree)) continue;
      result = union(result, [this.#attributeOfPath(module, name)]);
    }
    if (name === "__builtins__") return union(result, [this.path("builtins")]);
    if (LOADERS.has(name)) return union(result, [WILD]);
    return union(result, this.#builtin(name));
  }

  /** One of Python's own names, if it is one. */
  #builtin(name: string): Values {
    let values = this.#builtins.get(name);
    if (!values) {
      values = this.map.isBuiltin(name) ? [this.path(`builtins.${name}`)] : ANYTHING;
      this.#builtins.set(name, values);
    }
    return values;
  }

  #attributeOfPath(path: string, name: string): Value {
    const exposed = this.map.exposed(path, name);
    if (exposed !== undefined) return this.path(exposed);
    return this.path(this.map.isIdle(path) ? path : `${path}.${name}`);
  }

  attributeOf(base: Values, name: string, user: User): Values {
    let result = NOTHING;
    const stored = this.names.attributes.get(name);
    if (name === ANY_ATTRIBUTE) return union(this.carriers.anyStored(user), ANYTHING);
    if (NAMESPACES.has(name)) return [this.make.namespace(null), WILD];
    if (BUILTINS.has(name)) return [this.path("builtins")];
    if (LOADERS.has(name)) return [WILD];
    for (const value of base) {
      const member = this.#member(value, name);
      if (isOwnNames(value)) {
        const own = this.make.namespace(null);
        result = union(result, this.membersNamed(own, [this.make.string(name)], user));
      } else if (member) {
        result = union(result, member);
        if (value.kind === "path" && value.isModule)
          result = union(result, this.carriers.ofModule(value, name, user));
      } else if (value.kind === "wild") {
        result = union(result, this.#attributeOfWild(value, name));
      } else if (name === "__annotations__" && "type" in user && DEFINITIONS.has(value.kind)) {
        result = union(result, this.#annotations(value as DefinitionValue, user));
      } else {
        if (stored) result = union(result, this.#storedIn(stored, user));
        result = union(result, this.carriers.ofObject(value, name, user));
        result = union(result, ANYTHING);
      }
    }
    return result;
  }

  /** What the annotations of a function or class stand for. */
  #annotations(value: DefinitionValue, user: SyntaxNode): Values {
    const elements = this.graph.makeContainer(user);
    for (const part of annotationsOf(value.node)) this.graph.link(part, elements, 0);
    return [this.make.node("container", user)];
  }

  /** Beside anything, the member that is called so where it matters. */
  #attributeOfWild(value: Value, name: string): Values {
    if (isEveryday(name)) return ANYTHING;
    const paths = likelyMembers(this.map, name).map((path) => this.path(path));
    const module = name.replace(/^_(?=[a-z])/, "");
    if (isLikely(module)) paths.push(this.path(module));
    return paths.length > 0 || mayLeadOn(name) ? union([value], paths) : ANYTHING;
  }

  /** A member of a path or an instance, as far as it does not depend on the rest of the script. */
  #member(owner: Value, name: string): Values | undefined {
    if (owner.kind !== "path" && owner.kind !== "instance") return undefined;
    if (owner.kind === "instance" && !this.map.hasMembers(owner.of)) return undefined;
    let members = this.#members.get(owner);
    if (!members) this.#members.set(owner, (members = new Map()));
    let values = members.get(name);
    if (!values) {
      values =
        owner.kind === "path"
          ? this.#memberOfPath(owner.path, name)
          : [this.#memberOfInstance(owner.of, name)];
      members.set(name, values);
    }
    return values;
  }

  #memberOfInstance(of: string, name: string): Value {
    const property = this.map.property(`${of}.${name}`);
    return property ? this.instance(property) : this.path(`${of}.${name}`);
  }

  #memberOfPath(path: string, name: string): Values {
    const property = this.map.property(`${path}.${name}`);
    const dot = path.lastIndexOf(".");
    if (name === "__self__" && dot > 0) return [this.path(path.slice(0, dot))];
    if (name === "__call__") return [this.path(path)];
    if (path.startsWith("builtins.")) return ANYTHING;
    if (name === "__dict__") return [this.namespace(path)];
    return [property ? this.instance(property) : this.#attributeOfPath(path, name)];
  }

  /**
   * What attributes of a name hold, whatever the object: all of it for `self` and classes; of other objects only modules and what
   * carries them are followed, as their attributes may just be called alike.
   */
  #storedIn(attribute: Variable, user: User): Values {
    const held = this.graph.use(attribute, user);
    const object = "type" in user && user.type === "attribute" ? user.children[0]! : null;
    const own =
      object !== null &&
      (/^(?:self|cls)$/.test(object.text) ||
        this.graph.values(object).some((v) => v.kind === "class"));
    return own ? held : held.filter((value) => this.carries(value, user));
  }

  carries(value: Value, user: User): boolean {
    return this.carriers.carries(value, user);
  }

  #evaluateSubscript(node: SyntaxNode): Values {
    const base = this.graph.values(node.children[0]!);
    const keys = node.childrenForFieldName("subscript");
    const names = keys.length === 1 ? this.graph.values(keys[0]!) : ANYTHING;
    let result = NOTHING;
    for (const value of base) {
      if (isMapping(value)) {
        result = union(result, this.membersNamed(value, names, node));
      } else if (value.kind === "path" && value.path === "sys.modules") {
        const isOwn = keys.length === 1 && /^(?:__name__|["']__main__["'])$/.test(keys[0]!.text);
        result = union(result, isOwn ? [this.make.namespace(null)] : this.modulesNamed(names));
      } else {
        result = union(result, this.graph.elementsOf([value], node));
      }
    }
    return result;
  }

  /** The members of a module or namespace by constant names. */
  membersNamed(of: Value, names: Values, user: User): Values {
    let result = NOTHING;
    for (const name of names) {
      if (name.kind !== "string") {
        result = union(result, this.membersOf(of));
      } else if (of.kind === "wild") {
        if (!isEveryday(name.text)) result = union(result, [of]);
        result = union(result, this.#attributeOfWild(of, name.text));
      } else if (of.kind === "namespace" && of.of === null) {
        const variable = this.names.moduleNames.get(name.text);
        if (variable) result = union(result, this.graph.use(variable, user));
        if (name.text === "__builtins__") result = union(result, [this.path("builtins")]);
        else if (!variable && this.map.isBuiltin(name.text) && name.text !== "type")
          result = union(result, [this.path(`builtins.${name.text}`)]);
        if (!variable) result = union(union(result, this.#starsNamed(name.text)), ANYTHING);
      } else {
        const owner = of.kind === "namespace" && of.of !== null ? this.path(of.of) : of;
        result = union(result, this.attributeOf([owner], name.text, user));
      }
    }
    return result;
  }

  /** What `from … import *` binds to a name. */
  #starsNamed(name: string): Values {
    return this.#stars
      .filter((module) => this.map.mayExport(module, name, false))
      .map((module) => this.#attributeOfPath(module, name));
  }

  /** Any member of a module or namespace. */
  membersOf(of: Value): Values {
    if (of.kind === "wild") return [of];
    const module = moduleOf(of);
    return module !== null && this.map.isHarmless(module) ? ANYTHING : [this.make.memberOf(module)];
  }

  modulesNamed(names: Values): Values {
    return names.reduce<Values>(
      (modules, name) => union(modules, [name.kind === "string" ? this.path(name.text) : WILD]),
      [],
    );
  }
}

/** Whether something has the names of this script's own module: `import __main__` gives that. */
function isOwnNames(value: Value): boolean {
  if (value.kind === "path") return value.path === "__main__";
  return value.kind === "namespace" && value.of === null;
}
