import type { SyntaxNode } from "../structure/types.js";
import { type Argument, argumentOf, argumentsOf } from "./arguments.js";
import { MOST_METHODS } from "./calls.js";
import { excerpt } from "./chain.js";
import type { Evaluation } from "./evaluate.js";
import type { CapabilityMap } from "./map.js";
import { type Names, operands } from "./names.js";
import { MANY, moduleOf, type Value } from "./values.js";
import { keepsNames } from "./wild.js";

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
/** Parameters that are called, whatever the function. */
const CALLED = new Set("callback default_factory func function key target".split(" "));
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

/** What gives annotations and the like. */
const ANNOTATIONS = new Set(
  "__annotations__ __annotate__ get_type_hints get_annotations signature getfullargspec __value__ __bound__ __constraints__ __default__".split(
    " ",
  ),
);
/** What gives attributes of objects by names that are not told, or all of them. */
const READERS = new Set(
  "attrgetter methodcaller getmembers getmembers_static getattr_static __getattribute__ __reduce__ __reduce_ex__ asdict astuple".split(
    " ",
  ),
);
/** What gets the names of a class as it is made. */
const METACLASSES = new Set(["metaclass", "__prepare__", "__set_name__", "__build_class__"]);
/** In more lists in lists, and functions in them, no module is looked for. */
const MOST_HELD = 200;
const ATTRIBUTE_METHODS = ["__setattr__", "__set__"];
const COMPARISONS = "__contains__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__".split(" ");

/**
 * Finds where modules are handed to what is not followed: they may be used in any way there, so that what happens to them is
 * unresolved. A function that returns a module, and what holds one, count as modules.
 */
export class Escapes {
  readonly #names: Names;
  readonly #evaluation: Evaluation;
  readonly #map: CapabilityMap;
  readonly #nodes: readonly SyntaxNode[];
  readonly #read = new Map<ReadonlySet<string>, boolean>();

  /** @param nodes - all of the script */
  constructor(
    nodes: readonly SyntaxNode[],
    names: Names,
    evaluation: Evaluation,
    map: CapabilityMap,
  ) {
    this.#nodes = nodes;
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
      case "augmented_assignment":
        return this.#atAssignment(node);
      case "comparison_operator":
        return this.#atComparison(node);
      case "type":
        return this.#readBy(ANNOTATIONS)
          ? operands(node).flatMap((type) => this.#escapeOfType(type))
          : NONE;
      case "binary_operator":
        return operands(node).flatMap((operand) => this.#escape(operand, "used in an operation"));
      case "class_definition":
        return this.#atClass(node);
      case "return_statement":
      case "yield":
        return this.#atReturn(node);
      default:
        return NONE;
    }
  }

  /** The arguments of a call, without namespaces whose names its result has, as that of `dict(vars(os))`. */
  #givenTo(targets: readonly Value[], call: SyntaxNode): readonly Argument[] {
    const given = argumentsOf(call);
    const keeps = targets.every((value) => value.kind === "path" && keepsNames(value.path));
    if (targets.length === 0 || !keeps) return given;
    return given.filter(({ value }) =>
      this.#evaluation.values(value).every(({ kind }) => kind !== "namespace"),
    );
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
      const given = this.#givenTo(targets, node);
      if (names.includes("iter") && given.length > 1)
        return given.flatMap(({ value }) => this.#escape(value, how));
      return given.flatMap(({ value }) => this.#escapeOfModule(value, how));
    }
    if (names.every((name) => name === "type") && argumentsOf(node).length > 1)
      return argumentsOf(node).flatMap(({ value }) => this.#escape(value, how));
    if (targets.length > 0 && targets.every((value) => this.#keepsArguments(value))) return [];
    const takesMembers =
      callee.type === "call" ||
      targets.some((value) => value.kind === "path" && TAKES_ANY.test(value.path));
    return this.#givenTo(targets, node).flatMap(({ keyword, value }) => [
      ...this.#escape(value, how),
      ...((takesMembers || (keyword !== null && CALLED.has(keyword))) &&
      this.#evaluation.values(value).some((each) => each.kind === "wild")
        ? [{ node: value, what: `${excerpt(value, 40)} ${how}`, modules: [] }]
        : []),
    ]);
  }

  /** Whether the script names anything of a kind by which values come out again. */
  #readBy(names: ReadonlySet<string>): boolean {
    let isRead = this.#read.get(names);
    if (isRead === undefined) {
      isRead = this.#nodes.some((node) =>
        node.type === "identifier"
          ? names.has(node.text)
          : node.type === "string" &&
            this.#evaluation
              .values(node)
              .some((value) => value.kind === "string" && names.has(value.text)),
      );
      this.#read.set(names, isRead);
    }
    return isRead;
  }

  /** `x: os` or `x: os.system`: what is no type is not meant as one. */
  #escapeOfType(type: SyntaxNode): Escape[] {
    const functions = this.#evaluation.values(type).flatMap((value) => {
      if (value.kind !== "path" || value.isModule || !isFunction(value.path)) return [];
      return (this.#map.member(value.path)?.length ?? 0) > 0 ? [value.path] : [];
    });
    const what = `${excerpt(type, 40)} used as a type`;
    if (functions.length > 0) return [{ node: type, what, modules: functions }];
    return this.#escapeOfModule(type, "used as a type");
  }

  /** `x == os` or `os in x`, where `x` may be of a class of the script. */
  #atComparison(node: SyntaxNode): readonly Escape[] {
    if (!COMPARISONS.some((name) => this.#names.functionsByName.has(name))) return NONE;
    return operands(node).flatMap((operand) =>
      this.#evaluation.values(operand).some(({ kind }) => kind === "path")
        ? this.#escapeOfModule(operand, "compared")
        : [],
    );
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
    if (target.kind === "path" && target.path === "importlib.util.module_from_spec") return true;
    if (target.kind === "path" && target.path.startsWith("inspect."))
      return !TAKES_MEMBERS.has(target.path);
    const name = builtinName(target);
    return name !== null && LOOKS.has(name);
  }

  /** `x[os]`: what it means is the affair of `x`. */
  #atSubscript(node: SyntaxNode): Escape[] {
    if (this.#names.stores.has(node) && node.parent?.type !== "assignment") {
      const put = putBy(node);
      const escapes = put ? this.#escape(put, `put into ${excerpt(node, 40)}`) : [];
      if (escapes.length > 0) return escapes;
    }
    const base = this.#evaluation.values(node.children[0]!);
    if (base.every(({ kind }) => kind === "container")) return [];
    return node
      .childrenForFieldName("subscript")
      .flatMap((key) => (key.type === "slice" ? operands(key) : [key]))
      .flatMap((key) => this.#escape(key, `used as a key of ${excerpt(node.children[0]!, 40)}`));
  }

  /** `x[y] = os`, where what is put into something is not followed; `x.y = os`, where the script takes attributes otherwise. */
  #atAssignment(node: SyntaxNode): Escape[] {
    const left = node.childForFieldName("left");
    const right = node.childForFieldName("right");
    if (!left || !right) return [];
    const how = `put into ${excerpt(left, 40)}`;
    if (left.type === "subscript") return this.#escape(right, how);
    if (node.type === "augmented_assignment") return this.#escapeOfModule(right, how);
    const isAttribute = left.type === "attribute" || isOfClass(node);
    if (!isAttribute || !this.#evaluation.values(right).some((value) => this.#isDangerous(value)))
      return [];
    const isTaken =
      ATTRIBUTE_METHODS.some((name) => this.#names.functionsByName.has(name)) ||
      this.#readBy(READERS) ||
      (left.type === "attribute" &&
        this.#evaluation.values(left.children[0]!).some((value) => moduleOf(value) !== null)) ||
      (left.type !== "attribute" && this.#readBy(METACLASSES));
    return isTaken ? this.#escape(right, how) : [];
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
    if (module === null) return false;
    if (module.includes(".") && (value.kind !== "path" || !value.isModule)) return false;
    return (this.#map.module(module)?.length ?? 0) > 0;
  }

  #dangersIn(value: Value): readonly Value[] {
    const dangers: Value[] = [];
    const seen = new Set([value]);
    for (const each of seen) {
      if (each !== value && this.#isDangerous(each)) dangers.push(each);
      const held =
        each.kind === "container"
          ? this.#evaluation.elements(each.node)
          : each.kind === "function"
            ? this.#evaluation.returned(each.node)
            : [];
      for (const inner of held) if (seen.size < MOST_HELD) seen.add(inner);
    }
    return dangers;
  }
}

function builtinName(value: Value): string | null {
  if (value.kind !== "path" || !value.path.startsWith("builtins.")) return null;
  return value.path.slice("builtins.".length);
}

/** Whether a statement is one of a class body itself. */
function isOfClass(node: SyntaxNode): boolean {
  let block = node.parent;
  if (block?.type === "expression_statement") block = block.parent;
  return block?.type === "block" && block.parent?.type === "class_definition";
}

/** Whether a path is that of a function by its looks: classes are written with capitals, or called as their module. */
function isFunction(path: string): boolean {
  const [name, module] = path.split(".").toReversed();
  return /^[a-z]/.test(name!) && name !== module && path !== "builtins.type";
}

/** What is put into a part of a pattern, or into what a loop or `as` names: `x[0], y = …`, `for x[0] in …`. */
function putBy(target: SyntaxNode): SyntaxNode | null {
  let inner = target;
  for (let depth = 0; inner.parent && depth < 5; depth++, inner = inner.parent) {
    if (inner.field === "left") return inner.parent.childForFieldName("right");
    if (inner.parent.type === "as_pattern") return operands(inner.parent)[0] ?? null;
  }
  return null;
}
