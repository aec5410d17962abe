import type { SyntaxNode } from "../structure/types.js";
import { argumentOf, argumentsOf } from "./arguments.js";
import { MOST_METHODS } from "./calls.js";
import { excerpt } from "./chain.js";
import type { Evaluation } from "./evaluate.js";
import type { CapabilityMap } from "./map.js";
import { type Names, operands } from "./names.js";
import { MANY, moduleOf, type Value } from "./values.js";

/** A place where a module gets out of sight. */
export interface Escape {
  readonly node: SyntaxNode;
  /** What happens there, such as `os given to f`. */
  readonly what: string;
  /** The modules. */
  readonly modules: readonly string[];
}

/** Functions of `inspect` that give members of what they look at. */
const TAKES_MEMBERS = new Set([
  "inspect.getattr_static",
  "inspect.getmembers",
  "inspect.getmembers_static",
]);
/** Functions that take members of what they are given, or that call what they are given with it. */
const TAKES_ANY =
  /^(?:operator|functools|itertools|string)\.|^inspect\.get(?:attr_static|members)|^builtins\.(?:map|object|type|super|getattr)\b/;
const NONE: readonly Escape[] = [];
/** Builtins that do nothing with a module but look at it, or that are judged by themselves; as all of `inspect`. */
const LOOKS = new Set(
  "print isinstance issubclass hasattr id repr str bool callable type dir getattr delattr vars help hash".split(
    " ",
  ),
);
/** Builtins whose result is known to have what is in their arguments. */
const CARRIERS = new Set(
  "list tuple set frozenset dict sorted reversed iter enumerate zip filter next min max len any all".split(
    " ",
  ),
);

/**
 * Finds where modules are handed to what is not followed: they may be used in any way there, so that what happens to them is
 * unresolved. A function that returns a module, and what holds one, count as modules.
 */
export class Escapes {
  readonly #names: Names;
  readonly #evaluation: Evaluation;
  readonly #map: CapabilityMap;

  constructor(names: Names, evaluation: Evaluation, map: CapabilityMap) {
    this.#names = names;
    this.#evaluation = evaluation;
    this.#map = map;
  }

  /** What escapes at this very node, not below it. */
  at(node: SyntaxNode): readonly Escape[] {
    switch (node.type) {
      case "call":
        return this.#atCall(node);
      case "subscript":
        return this.#atSubscript(node);
      case "assignment":
        return this.#atAssignment(node);
      case "binary_operator":
        return operands(node).flatMap((operand) => this.#escape(operand, "used in an operation"));
      case "class_definition":
        return this.#atClass(node);
      case "return_statement":
        return this.#atReturn(node);
      default:
        return NONE;
    }
  }

  #escape(node: SyntaxNode, how: string): Escape[] {
    const values = this.#evaluation.values(node);
    const dangers = values.flatMap((value) =>
      this.#isDangerous(value) ? [value] : this.#dangersIn(value),
    );
    if (dangers.length === 0) return [];
    const modules = dangers.flatMap((value) => moduleOf(value) ?? []);
    return [{ node, what: `${excerpt(node, 40)} ${how}`, modules }];
  }

  #atCall(node: SyntaxNode): Escape[] {
    const callee = node.childForFieldName("function");
    if (!callee) return [];
    const how = `given to ${excerpt(callee, 40)}`;
    const targets = this.#evaluation.values(callee);
    const names = targets.map((value) => builtinName(value));
    if (names.length > 0 && names.every((name) => name === "setattr")) {
      const value = argumentOf(node, 2, null);
      return value ? this.#escape(value, how) : [];
    }
    if (names.length > 0 && names.every((name) => name !== null && CARRIERS.has(name))) {
      return argumentsOf(node).flatMap(({ value }) => this.#escapeOfModule(value, how));
    }
    if (targets.length > 0 && targets.every((value) => this.#keepsArguments(value))) return [];
    const takesMembers =
      callee.type === "call" ||
      targets.some((value) => value.kind === "path" && TAKES_ANY.test(value.path));
    return argumentsOf(node).flatMap(({ value }) => [
      ...this.#escape(value, how),
      ...(takesMembers && this.#evaluation.values(value).some((each) => each.kind === "wild")
        ? [{ node: value, what: `${excerpt(value, 40)} ${how}`, modules: [] }]
        : []),
    ]);
  }

  #escapeOfModule(node: SyntaxNode, how: string): Escape[] {
    const isModule = this.#evaluation.values(node).some((value) => this.#isDangerous(value));
    return isModule ? this.#escape(node, how) : [];
  }

  /** Whether what is handed to a call is followed into it, or is safe there. */
  #keepsArguments(target: Value): boolean {
    if (target.kind === "function") return true;
    if (target.kind === "class") {
      const initialisers = this.#names.initialisers.get(target.node);
      return initialisers !== undefined && initialisers.length <= MOST_METHODS;
    }
    if (target.kind === "path" && target.path.startsWith("inspect."))
      return !TAKES_MEMBERS.has(target.path);
    const name = builtinName(target);
    return name !== null && LOOKS.has(name);
  }

  /** `x[os]`: what it means is the affair of `x`. */
  #atSubscript(node: SyntaxNode): Escape[] {
    const base = this.#evaluation.values(node.children[0]!);
    if (base.every(({ kind }) => kind === "container")) return [];
    return node
      .childrenForFieldName("subscript")
      .flatMap((key) => this.#escape(key, `used as a key of ${excerpt(node.children[0]!, 40)}`));
  }

  /** `x[y] = os`, where what is put into something is not followed. */
  #atAssignment(node: SyntaxNode): Escape[] {
    const left = node.childForFieldName("left");
    const right = node.childForFieldName("right");
    if (!right || left?.type !== "subscript") return [];
    return this.#escape(right, `put into ${excerpt(left, 40)}`);
  }

  /** `class A(B, key=os)`, where the base or the metaclass gets the argument. */
  #atClass(node: SyntaxNode): Escape[] {
    const bases = node.childForFieldName("superclasses");
    const values = (bases ? operands(bases) : []).flatMap(
      (base) => base.childForFieldName("value") ?? [],
    );
    return values.flatMap((value) => this.#escape(value, "given to the bases of a class"));
  }

  /** A module returned by a function that is called by other means than its name: an operator, a property, a decorator. */
  #atReturn(node: SyntaxNode): Escape[] {
    const returned = operands(node);
    if (returned.length === 0) return [];
    let owner = node.parent;
    while (owner && owner.type !== "function_definition") owner = owner.parent;
    const name = owner?.childForFieldName("name")?.text;
    const isHidden = owner?.parent?.type === "decorated_definition" || /^__\w+__$/.test(name ?? "");
    return isHidden ? returned.flatMap((value) => this.#escape(value, `returned by ${name}`)) : [];
  }

  #isDangerous(value: Value): boolean {
    if (value.kind === "wild") return value === MANY;
    const module = moduleOf(value);
    if (module === null || module.includes(".")) return false;
    return (this.#map.module(module)?.length ?? 0) > 0;
  }

  #dangersIn(value: Value): readonly Value[] {
    const held =
      value.kind === "container"
        ? this.#evaluation.elements(value.node)
        : value.kind === "function"
          ? this.#evaluation.returned(value.node)
          : [];
    return held.filter((each) => this.#isDangerous(each));
  }
}

function builtinName(value: Value): string | null {
  if (value.kind !== "path" || !value.path.startsWith("builtins.")) return null;
  return value.path.slice("builtins.".length);
}
