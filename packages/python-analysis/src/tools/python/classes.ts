import { stringValue } from "../../structure/strings.js";
import type { SyntaxNode } from "../../structure/types.js";
import { enumMembers } from "./enums.js";
import type { Interpreter } from "./interpreter.js";
import { type Frame, Scope } from "./scope.js";
import { typeVariables } from "./subscripts.js";
import { typeParametersOf } from "./type-parameters.js";
import {
  type Call,
  type EnumMember,
  type LibraryClass,
  type Value,
  PythonError,
  isForm,
  libraryClass,
  unknown,
} from "./values.js";

/** Ancestors of library classes, nearest first, where it matters to know them. */
const LIBRARY_ANCESTORS: Readonly<Record<string, readonly string[]>> = {
  "enum.IntEnum": ["builtins.int", "enum.ReprEnum", "enum.Enum"],
  "enum.StrEnum": ["builtins.str", "enum.ReprEnum", "enum.Enum"],
  "enum.Flag": ["enum.Enum"],
  "enum.ReprEnum": ["enum.Enum"],
  "enum.IntFlag": ["builtins.int", "enum.ReprEnum", "enum.Flag", "enum.Enum"],
  "builtins.bool": ["builtins.int"],
  "collections.OrderedDict": ["builtins.dict"],
  "collections.defaultdict": ["builtins.dict"],
  "collections.Counter": ["builtins.dict"],
  "datetime.datetime": ["datetime.date"],
  "pathlib.Path": ["pathlib.PurePath"],
  "pathlib.PosixPath": ["pathlib.Path", "pathlib.PurePosixPath", "pathlib.PurePath"],
  "pydantic.RootModel": ["pydantic.BaseModel"],
};

const libraryAncestors = (id: string): readonly string[] => LIBRARY_ANCESTORS[id] ?? [];

/** Decorators that leave a class what it is; `dataclass` is told apart by {@link ClassDefinition.family}. */
const NEUTRAL_DECORATORS = new Set([
  "typing.final",
  "typing.runtime_checkable",
  "typing.deprecated",
  "enum.unique",
  "enum.verify",
  "functools.total_ordering",
  "abc.update_abstractmethods",
  "typing.dataclass_transform",
  "pydantic.with_config",
]);

export type Family =
  | "model"
  | "dataclass"
  | "pydantic-dataclass"
  | "enum"
  | "typed-dict"
  | "named-tuple"
  | "plain"
  | "unknown";

export interface FieldAnnotation {
  readonly name: string;
  /** As it is written; the type itself in a class that a call made. */
  readonly annotation: SyntaxNode | Value;
  readonly value: SyntaxNode | Value | null;
  /** Offset where the statement ends. */
  readonly at: number;
  /** The string that stands alone right below it. */
  readonly docstring: string | null;
}

interface CallArguments {
  readonly args: readonly Value[];
  readonly kwargs: ReadonlyMap<string, Value>;
}

/** Field names of a `collections.namedtuple`, with the defaults of the last of them. */
export interface TupleField {
  readonly name: string;
  readonly default: Value | undefined;
}

/** A `class` statement of the script. What it says is looked up when asked for, so classes may refer to each other. */
export class ClassDefinition {
  readonly kind = "class";
  /** As Python's `__qualname__`. */
  readonly qualifiedName: string;
  readonly scope: Scope;
  readonly #statements: readonly SyntaxNode[];
  #heading: { bases: readonly Value[]; keywords: ReadonlyMap<string, Value> } | undefined;
  #mro: readonly (ClassDefinition | LibraryClass)[] | undefined;
  #family: Family | undefined;
  #annotations: ReadonlyMap<string, FieldAnnotation> | undefined;
  #members: ReadonlyMap<string, EnumMember> | undefined;
  #decoratorIds: readonly (string | null)[] | undefined;

  constructor(
    readonly interpreter: Interpreter,
    outer: Scope,
    /** `null` for a class that a call made. */
    private readonly node: SyntaxNode | null,
    readonly decorators: readonly SyntaxNode[],
    /** Where the statement stands. */
    readonly frame: Frame,
    readonly name: string = node?.childForFieldName("name")?.text ?? "",
    qualifiedName?: string,
  ) {
    this.qualifiedName =
      qualifiedName ?? (outer.path === "" ? this.name : `${outer.path}.${this.name}`);
    this.#statements = (node?.childForFieldName("body")?.children ?? []).filter(
      (child) => child.isNamed && child.type !== "comment",
    );
    this.scope = new Scope(interpreter, "class", this.qualifiedName, outer, this.#statements);
  }

  get bases(): readonly Value[] {
    return this.#head().bases;
  }

  get keywords(): ReadonlyMap<string, Value> {
    return this.#head().keywords;
  }

  #head(): { bases: readonly Value[]; keywords: ReadonlyMap<string, Value> } {
    if (this.#heading) return this.#heading;
    // A class that is met again while its own bases are evaluated has none yet.
    this.#heading = { bases: [unknown("a class that is its own base")], keywords: new Map() };
    const bases: Value[] = [];
    const keywords = new Map<string, Value>();
    for (const item of this.node?.childForFieldName("superclasses")?.namedChildren ?? []) {
      if (item.type === "comment") continue;
      const value = item.type === "keyword_argument" ? item.childForFieldName("value") : item;
      const evaluated = value
        ? this.#evaluateQuietly(value)
        : unknown("an incomplete class statement");
      if (item.type === "keyword_argument")
        keywords.set(item.childForFieldName("name")?.text ?? "", evaluated);
      else bases.push(evaluated);
    }
    return (this.#heading = { bases, keywords });
  }

  #evaluateQuietly(node: SyntaxNode): Value {
    try {
      return this.interpreter.evaluate(node, this.frame);
    } catch (error) {
      if (error instanceof PythonError)
        return unknown(`\`${this.name}\` raises ${error.exception}`);
      throw error;
    }
  }

  /** The classes that attributes are looked up in, this one first; what is no class (`Generic[T]`, `TypedDict`) is left out. */
  get mro(): readonly (ClassDefinition | LibraryClass)[] {
    if (this.#mro) return this.#mro;
    this.#mro = [this];
    const chains = this.bases.map((base): readonly (ClassDefinition | LibraryClass)[] => {
      const origin = base.kind === "alias" ? base.origin : base;
      if (origin.kind === "class") return origin.mro;
      return origin.kind === "library-class"
        ? [origin, ...libraryAncestors(origin.id).map(libraryClass)]
        : [];
    });
    return (this.#mro = [this, ...mergeChains(chains)]);
  }

  /** The type variables of a generic class, in the order of its arguments. */
  get variables(): readonly Call[] {
    const parameters = typeParametersOf(this.frame.scope);
    if (parameters) return parameters;
    const found: Call[] = [];
    const explicit = this.bases.find(
      (base) =>
        base.kind === "alias" &&
        (isForm(base.origin, "typing.Generic") || isForm(base.origin, "typing.Protocol")),
    );
    for (const base of explicit ? [explicit] : this.bases) typeVariables(base, found);
    return found;
  }

  isSubclassOf(id: string): boolean {
    return this.mro.some((ancestor) => ancestor.kind === "library-class" && ancestor.id === id);
  }

  get isEnum(): boolean {
    return this.isSubclassOf("enum.Enum");
  }

  /** What kind of class pydantic takes it for. */
  get family(): Family {
    return (this.#family ??= this.#decideFamily());
  }

  #decideFamily(): Family {
    if (this.decoratorIds.includes(null)) return "unknown";
    const ownAndInherited = this.mro.filter((ancestor) => ancestor.kind === "class");
    if (ownAndInherited.some((ancestor) => ancestor.bases.some((base) => base.kind === "unknown")))
      return "unknown";
    if (this.isSubclassOf("pydantic.BaseModel")) return "model";
    if (this.isEnum) return "enum";
    if (ownAndInherited.some((ancestor) => ancestor.hasBaseForm("TypedDict"))) return "typed-dict";
    if (ownAndInherited.some((ancestor) => ancestor.hasBaseForm("NamedTuple")))
      return "named-tuple";
    if (
      ownAndInherited.some((ancestor) => ancestor.isDecoratedWith("pydantic.dataclasses.dataclass"))
    )
      return "pydantic-dataclass";
    if (ownAndInherited.some((ancestor) => ancestor.isDecoratedWith("dataclasses.dataclass")))
      return "dataclass";
    return "plain";
  }

  hasBaseForm(name: "TypedDict" | "NamedTuple"): boolean {
    return this.bases.some(
      (base) => isForm(base, `typing.${name}`) || isForm(base, `typing_extensions.${name}`),
    );
  }

  /** Whether it is a protocol without `@runtime_checkable`, which `isinstance` refuses. */
  get isProtocolForChecking(): boolean {
    const isProtocol = this.bases.some((base) =>
      isForm(base.kind === "alias" ? base.origin : base, "typing.Protocol"),
    );
    return isProtocol && !this.isDecoratedWith("typing.runtime_checkable");
  }

  isDecoratedWith(id: string): boolean {
    return this.decoratorIds.includes(id);
  }

  /** The library functions that its decorators are; `null` for any other, which may make anything of the class. */
  protected get decoratorIds(): readonly (string | null)[] {
    return (this.#decoratorIds ??= this.decorators.map((each) => this.#decoratorId(each)));
  }

  /** Whether this statement itself is decorated with `@dataclass`, of either make. */
  get isDataclassStatement(): boolean {
    return (
      this.isDecoratedWith("dataclasses.dataclass") ||
      this.isDecoratedWith("pydantic.dataclasses.dataclass")
    );
  }

  /** The arguments of its `@dataclass(…)`. */
  get dataclassOptions(): ReadonlyMap<string, Value> {
    return this.decoratorArguments("dataclasses.dataclass").kwargs;
  }

  /** The arguments of the decorator whose id ends so. */
  decoratorArguments(id: string): CallArguments {
    const args: Value[] = [];
    const kwargs = new Map<string, Value>();
    const decorator = this.decorators.find((each) => this.#decoratorId(each)?.endsWith(id));
    const expression = decorator?.namedChildren.find((child) => child.type !== "comment");
    if (expression?.type !== "call") return { args, kwargs };
    for (const item of expression.childForFieldName("arguments")?.namedChildren ?? []) {
      const value = item.type === "keyword_argument" ? item.childForFieldName("value") : null;
      if (value)
        kwargs.set(item.childForFieldName("name")?.text ?? "", this.#evaluateQuietly(value));
      else if (item.type !== "comment") args.push(this.#evaluateQuietly(item));
    }
    return { args, kwargs };
  }

  #decoratorId(decorator: SyntaxNode): string | null {
    let expression = decorator.namedChildren.find((child) => child.type !== "comment");
    if (expression?.type === "call")
      expression = expression.childForFieldName("function") ?? undefined;
    if (!expression) return null;
    const value = this.#evaluateQuietly(expression);
    if (value.kind === "library-function" || value.kind === "library-class") {
      if (NEUTRAL_DECORATORS.has(value.id) || value.id.endsWith("dataclasses.dataclass"))
        return value.id;
    }
    return expression.text.endsWith("total_ordering") ? "functools.total_ordering" : null;
  }

  /** `__doc__`, indented as it is written. */
  get docstring(): string | null {
    const first = this.#statements[0];
    const expression = first?.type === "expression_statement" ? first.namedChildren[0] : undefined;
    return expression ? stringValue(expression) : null;
  }

  /** The annotated names of this statement's own body, in order. */
  get annotations(): ReadonlyMap<string, FieldAnnotation> {
    if (this.#annotations) return this.#annotations;
    const found = new Map<string, FieldAnnotation>();
    for (const [i, statement] of this.#statements.entries()) {
      const assignment =
        statement.type === "expression_statement" ? statement.namedChildren[0] : undefined;
      const target =
        assignment?.type === "assignment" ? assignment.childForFieldName("left") : null;
      const annotation = assignment?.childForFieldName("type");
      if (target?.type !== "identifier" || !annotation) continue;
      const next = this.#statements[i + 1];
      const below = next?.type === "expression_statement" ? next.namedChildren[0] : undefined;
      const name = target.text;
      found.set(name, {
        name,
        annotation,
        value: assignment!.childForFieldName("right"),
        at: assignment!.endIndex,
        docstring: below ? stringValue(below) : null,
      });
    }
    return (this.#annotations = found);
  }

  /** The names of its own methods, with their definitions and decorators. */
  get methods(): ReadonlyMap<string, { node: SyntaxNode; decorators: readonly SyntaxNode[] }> {
    const found = new Map<string, { node: SyntaxNode; decorators: readonly SyntaxNode[] }>();
    for (const [name, bindings] of this.scope.block.bindings) {
      const source = bindings.at(-1)!.source;
      if (source.kind === "function") found.set(name, source);
    }
    return found;
  }

  /** The members of an enum by name; another name for one leads to the same. */
  get members(): ReadonlyMap<string, EnumMember> {
    return (this.#members ??= enumMembers(this));
  }

  /** The members that going through an enum gives: not those of a flag that are made of others, nor other names. */
  get canonicalMembers(): readonly EnumMember[] {
    const members = [...new Set(this.members.values())];
    if (!this.isSubclassOf("enum.Flag")) return members;
    return members.filter(
      ({ value }) =>
        value.kind === "int" && value.value > 0n && (value.value & (value.value - 1n)) === 0n,
    );
  }

  /** The fields that a named tuple has of a `collections.namedtuple` among its ancestors. */
  get tupleFields(): readonly TupleField[] {
    for (const base of this.bases) {
      const origin = base.kind === "alias" ? base.origin : base;
      const found = origin.kind === "class" ? origin.tupleFields : [];
      if (found.length > 0) return found;
    }
    return [];
  }

  /**
   * What its own statements assign, in order of the names' first assignment. Another value may take the place of one before the
   * next is looked at.
   */
  *assignments(): Generator<readonly [string, Value, ((value: Value) => void)?]> {
    for (const [name, bindings] of this.scope.block.bindings) {
      const binding = bindings.at(-1)!;
      if (binding.source.kind !== "assignment") continue;
      yield [name, this.scope.valueOf(binding), (value): void => this.scope.assume(binding, value)];
    }
  }

  /** What its own body gives a name. */
  ownAttribute(name: string): Value | undefined {
    return this.scope.own(name, Infinity);
  }

  /** What `cls.name` gives, as far as class bodies of the script tell. */
  attribute(name: string): Value | undefined {
    const member = this.isEnum ? this.members.get(name) : undefined;
    if (member) return member;
    for (const ancestor of this.mro) {
      if (ancestor.kind !== "class") continue;
      const value = ancestor.ownAttribute(name);
      if (value) return value;
    }
    return undefined;
  }
}

/** Python's C3 linearisation; where there is none, the classes in the order they are met. */
function mergeChains<T>(chains: readonly (readonly T[])[]): T[] {
  const merged: T[] = [];
  let rest = chains.filter((chain) => chain.length > 0);
  while (rest.length > 0) {
    const next =
      rest
        .map((chain) => chain[0]!)
        .find((head) => rest.every((chain) => !chain.includes(head, 1))) ?? rest[0]![0]!;
    merged.push(next);
    rest = rest
      .map((chain) => chain.filter((each) => each !== next))
      .filter((chain) => chain.length > 0);
  }
  return merged;
}
