import type { SyntaxNode } from "../../structure/types.js";
import type { ClassDefinition } from "./classes.js";
import type { Frame } from "./scope.js";

/**
 * What a Python expression evaluates to, as far as it can be told without running it: the types that annotations name,
 * the constants that defaults are, and {@link Unknown} for everything else.
 */
export type Value =
  | { readonly kind: "none" | "ellipsis" }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "complex"; readonly real: number; readonly imaginary: number }
  | { readonly kind: "str"; readonly value: string }
  /** One character a byte. */
  | { readonly kind: "bytes"; readonly value: string }
  | Collection
  | { readonly kind: "dict"; readonly entries: readonly (readonly [Value, Value])[] }
  | LibraryClass
  | ClassDefinition
  | Form
  | Alias
  | Union
  | { readonly kind: "annotated"; readonly type: Value; readonly metadata: readonly Value[] }
  | { readonly kind: "literal"; readonly values: readonly Value[] }
  | ForwardReference
  | TypeAliasStatement
  | { readonly kind: "module"; readonly name: string }
  | FunctionValue
  | LibraryFunction
  | EnumMember
  | Call
  | Unknown;

export interface Collection {
  readonly kind: "tuple" | "list" | "set" | "frozenset";
  readonly items: readonly Value[];
}

/** A class of the standard library or of pydantic, by its own module's name for it: `builtins.int`, `pathlib.Path`. */
export interface LibraryClass {
  readonly kind: "library-class";
  readonly id: string;
  readonly name: string;
}

/** What is subscripted or used bare in annotations without being a class: `typing.Any`, `typing.Union`. */
export interface Form {
  readonly kind: "form";
  readonly id: string;
}

/** A subscripted generic: `list[int]`, `typing.List[int]`, `Box[int]`. */
export interface Alias {
  readonly kind: "alias";
  readonly origin: Value;
  readonly args: readonly Value[];
  /**
   * `typing` for `typing.List[int]` and for subscripted user classes, which turn strings into forward references and are not
   * instances of `types.GenericAlias`; `builtin` for `list[int]`.
   */
  readonly spelling: "builtin" | "typing";
}

export interface Union {
  readonly kind: "union";
  readonly members: readonly Value[];
  /** `typing` unless it is made by `|` from classes alone: only those of `typing` take strings with `|`. */
  readonly spelling: "builtin" | "typing";
}

/** A string that stands for a type. */
export interface ForwardReference {
  readonly kind: "forward";
  readonly text: string;
}

/** `type X = …` (PEP 695). */
export interface TypeAliasStatement {
  readonly kind: "type-alias";
  readonly name: string;
  readonly parameters: readonly Call[];
  readonly value: () => Value;
}

export interface FunctionValue {
  readonly kind: "function";
  readonly name: string;
  readonly node: SyntaxNode;
  /** Where it stands, for functions that are called with what is known; `null` for those that are not to be followed. */
  readonly frame: Frame | null;
}

/** A function that is known by name only. */
export interface LibraryFunction {
  readonly kind: "library-function";
  readonly id: string;
}

export interface EnumMember {
  readonly kind: "member";
  readonly class: ClassDefinition;
  readonly name: string;
  readonly value: Value;
}

/** What calling a class (or a library function such as `typing.NewType`) gave. Identity is that of the call. */
export interface Call {
  readonly kind: "call";
  readonly callee: LibraryClass | LibraryFunction | ClassDefinition;
  readonly args: readonly Value[];
  readonly kwargs: ReadonlyMap<string, Value>;
}

export interface LibraryCall extends Call {
  readonly callee: LibraryClass | LibraryFunction;
}

/** What cannot be known without running the code. */
export interface Unknown {
  readonly kind: "unknown";
  /** For the diagnostic, such as "`numpy` is not part of the standard library". */
  readonly reason: string;
}

export const NONE: Value = { kind: "none" };
export const ELLIPSIS: Value = { kind: "ellipsis" };

export const str = (value: string): Value => ({ kind: "str", value });
export const int = (value: number | bigint): Value => ({ kind: "int", value: BigInt(value) });
export const bool = (value: boolean): Value => ({ kind: "bool", value });
export const float = (value: number): Value => ({ kind: "float", value });
export const unknown = (reason: string): Unknown => ({ kind: "unknown", reason });
export const form = (id: string): Form => ({ kind: "form", id });

const libraryClasses = new Map<string, LibraryClass>();

/** The one object that stands for a library class. */
export function libraryClass(id: string): LibraryClass {
  let found = libraryClasses.get(id);
  if (!found) {
    found = { kind: "library-class", id, name: id.slice(id.lastIndexOf(".") + 1) };
    libraryClasses.set(id, found);
  }
  return found;
}

export const isForm = (value: Value, id: string): boolean =>
  value.kind === "form" && value.id === id;
export const isLibraryClass = (value: Value, id: string): boolean =>
  value.kind === "library-class" && value.id === id;
export const isNoneType = (value: Value): boolean =>
  value.kind === "none" || isLibraryClass(value, "types.NoneType");

/** The id of what was called, of a library; the empty string for a class of the script. */
export const calleeId = (call: Call): string =>
  call.callee.kind === "class" ? "" : call.callee.id;

/** Whether a value is the result of calling this library class or function. */
export const isCallOf = (value: Value, id: string): value is LibraryCall =>
  value.kind === "call" && calleeId(value) === id;

/** An argument by its position or its name. */
export function argument(call: Call, position: number, name: string): Value | undefined {
  return call.kwargs.get(name) ?? call.args[position];
}

/** Raised where evaluating the expression raises in Python. */
export class PythonError extends Error {
  constructor(
    readonly exception: string,
    message: string,
  ) {
    super(message);
  }
}

/** Raised when a script asks for more work than a description is worth. */
export class TooMuchWork extends Error {}

/** A text that two values share just when they are one key of a dictionary: `1`, `1.0` and `True` are. */
export const hashKey = (value: Value): string =>
  value.kind === "int" || value.kind === "float" || value.kind === "bool"
    ? `number:${Number(value.value)}`
    : equalityKey(value);

const DATA_TYPES = ["builtins.int", "builtins.str", "builtins.float", "builtins.bytes"];

/** What a member of an enum is in operations: the value itself, where its class mixes a type of data in. */
export const plainOf = (value: Value): Value =>
  value.kind === "member" && DATA_TYPES.some((id) => value.class.isSubclassOf(id))
    ? value.value
    : value;

const identities = new WeakMap<object, number>();
let identitiesGiven = 0;

function identity(value: object): number {
  let found = identities.get(value);
  if (found === undefined) identities.set(value, (found = ++identitiesGiven));
  return found;
}

/**
 * A text that two values share just when Python calls them equal as members of a union, arguments of a `Literal` or keys:
 * values and aliases by structure, classes and instances by identity. `1`, `1.0` and `True` differ here, as they do in `Literal`.
 */
export function equalityKey(value: Value): string {
  const key = structuralKey(value);
  if (key.length > LONGEST_KEY) throw new TooMuchWork("a type too large to compare");
  return key;
}

const LONGEST_KEY = 20_000;

function structuralKey(value: Value): string {
  switch (value.kind) {
    case "none":
    case "ellipsis":
      return value.kind;
    case "bool":
    case "int":
    case "float":
      return `${value.kind}:${value.value}`;
    case "complex":
      return `complex:${value.real},${value.imaginary}`;
    case "str":
    case "bytes":
      return `${value.kind}:${JSON.stringify(value.value)}`;
    case "tuple":
    case "list":
      return `${value.kind}(${value.items.map(equalityKey).join()})`;
    case "set":
    case "frozenset":
      return `set(${value.items.map(equalityKey).sort().join()})`;
    case "dict":
      return `dict(${value.entries.map(([k, v]) => `${equalityKey(k)}=${equalityKey(v)}`).join()})`;
    case "library-class":
      return value.id === "types.NoneType" ? "none" : value.id;
    case "form":
      return value.id;
    case "alias":
      return `${value.spelling}:${equalityKey(value.origin)}[${value.args.map(equalityKey).join()}]`;
    case "union":
      return `union(${value.members.map(equalityKey).sort().join()})`;
    case "annotated":
      return `annotated(${equalityKey(value.type)},${value.metadata.map(equalityKey).join()})`;
    case "literal":
      return `literal(${value.values.map(equalityKey).sort().join()})`;
    case "forward":
      return `forward:${JSON.stringify(value.text)}`;
    case "module":
      return `module:${value.name}`;
    case "library-function":
      return value.id;
    default:
      return `#${identity(value)}`;
  }
}
