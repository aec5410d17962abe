import type { Step } from "./bindings.js";
import { TYPING_ALIASES } from "./library.js";
import {
  type Alias,
  type Call,
  type LibraryCall,
  type Union,
  type Value,
  NONE,
  PythonError,
  equalityKey,
  isCallOf,
  isForm,
  isNoneType,
  libraryClass,
  unknown,
} from "./values.js";

/** Classes of pydantic's whose `X[T]` is `Annotated[T, X()]`. */
const ANNOTATING: ReadonlySet<string> = new Set(
  [
    "Json",
    "InstanceOf",
    "SkipValidation",
    "SkipJsonSchema",
    "SerializeAsAny",
    "ImportString",
    "OnErrorOmit",
  ].map((name) => `pydantic.${name}`),
);

/** Classes of the standard library that can be subscripted. */
const GENERIC_CLASSES = new Set([
  ...TYPING_ALIASES.values(),
  "os.PathLike",
  "posix.DirEntry",
  "typing.IO",
  "typing.SupportsAbs",
  "typing.SupportsRound",
  "builtins.BaseExceptionGroup",
  "builtins.ExceptionGroup",
  "collections.UserDict",
  "collections.UserList",
  "types.SimpleNamespace",
  "dataclasses.InitVar",
  "dataclasses.Field",
  "pydantic.Secret",
  ...ANNOTATING,
  "pydantic.RootModel",
  "pydantic.BaseModel",
  "mcp.Context",
]);

const UNHASHABLE: ReadonlySet<string> = new Set(["list", "dict", "set"]);

/** `X | Y`, `Union[X, Y]`: flattened, without repeats. */
export function unionOf(values: readonly Value[], spelling: Union["spelling"] = "typing"): Value {
  const members = new Map<string, Value>();
  for (const value of values.map(typeArgument)) {
    if (UNHASHABLE.has(value.kind))
      throw new PythonError("TypeError", `unhashable type: '${value.kind}'`);
    for (const member of value.kind === "union" ? value.members : [value]) {
      const plain = isNoneType(member) ? NONE : member;
      members.set(equalityKey(plain), members.get(equalityKey(plain)) ?? plain);
    }
  }
  const unique = [...members.values()];
  if (unique.length > 1) return { kind: "union", members: unique, spelling };
  // The class, which unlike `None` itself can be joined with more.
  return isNoneType(unique[0]!) ? libraryClass("types.NoneType") : unique[0]!;
}

/** An argument as `typing` stores it: strings become forward references, and what cannot be a type raises. */
function typeArgument(value: Value): Value {
  switch (value.kind) {
    case "str":
      return { kind: "forward", text: value.value };
    case "tuple":
      throw new PythonError("TypeError", "a type is wanted here, and this is a value");
    default:
      return value;
  }
}

/**
 * `origin[items]`.
 *
 * @param single - whether there was one item and no comma
 */
export function subscript(origin: Value, items: readonly Value[], single: boolean): Value {
  switch (origin.kind) {
    case "form":
      return subscriptForm(origin.id, items);
    case "library-class":
      if (
        !GENERIC_CLASSES.has(origin.id) &&
        !origin.id.startsWith("collections.abc.") &&
        origin.id !== "builtins.type"
      ) {
        if (origin.id.startsWith("builtins."))
          throw new PythonError("TypeError", `type '${origin.name}' is not subscriptable`);
        return unknown(`\`${origin.name}[…]\` is not known here`);
      }
      if (ANNOTATING.has(origin.id)) {
        const metadata: Call = { kind: "call", callee: origin, args: [], kwargs: new Map() };
        return subscriptForm("typing.Annotated", [only(items, origin.id), metadata]);
      }
      if (origin.id.startsWith("pydantic.") || origin.id.startsWith("typing.")) {
        return { kind: "alias", origin, args: items.map(typeArgument), spelling: "typing" };
      }
      return { kind: "alias", origin, args: items, spelling: "builtin" };
    case "class":
      if (origin.isEnum && single && items[0]!.kind === "str")
        return origin.attribute(items[0].value) ?? unknown("an enum's member");
      return { kind: "alias", origin, args: items.map(typeArgument), spelling: "typing" };
    case "alias":
    case "union":
    case "annotated":
      return substituteInOrder(origin, items);
    case "type-alias":
      if (origin.parameters.length === 0)
        throw new PythonError("TypeError", "Only generic type aliases are subscriptable");
      return { kind: "alias", origin, args: items.map(typeArgument), spelling: "typing" };
    case "unknown":
      return origin;
    default:
      return single ? index(origin, items[0]!) : unknown("an item known only at run time");
  }
}

function subscriptForm(id: string, items: readonly Value[]): Value {
  switch (id) {
    case "typing.Optional":
      return unionOf([only(items, id), NONE]);
    case "typing.Union":
      return unionOf(items);
    case "typing.Literal":
      return literalOf(items);
    case "typing.Annotated": {
      if (items.length < 2)
        throw new PythonError(
          "TypeError",
          "Annotated[...] should be used with at least two arguments",
        );
      const type = typeArgument(items[0]!);
      if (type.kind === "annotated")
        return { ...type, metadata: [...type.metadata, ...items.slice(1)] };
      return { kind: "annotated", type, metadata: items.slice(1) };
    }
    case "typing.Callable":
      return {
        kind: "alias",
        origin: libraryClass("collections.abc.Callable"),
        args: items,
        spelling: "typing",
      };
    case "typing.Generic":
    case "typing.Protocol":
    case "typing.Concatenate":
    case "typing.Unpack":
      return { kind: "alias", origin: { kind: "form", id }, args: items, spelling: "typing" };
    case "typing.ClassVar":
    case "typing.Final":
    case "typing.Required":
    case "typing.NotRequired":
    case "typing.ReadOnly":
    case "typing.TypeGuard":
    case "typing.TypeIs":
      return {
        kind: "alias",
        origin: { kind: "form", id },
        args: [typeArgument(only(items, id))],
        spelling: "typing",
      };
  }
  const origin = TYPING_ALIASES.get(id.slice("typing.".length));
  if (origin === undefined) throw new PythonError("TypeError", `${id} is not subscriptable`);
  const args = items.map((item) =>
    item.kind === "tuple" && item.items.length === 0 ? item : typeArgument(item),
  );
  return {
    kind: "alias",
    origin: libraryClass(origin),
    args: id === "typing.Tuple" ? args.filter((arg) => arg.kind !== "tuple") : args,
    spelling: "typing",
  };
}

function only(items: readonly Value[], id: string): Value {
  if (items.length !== 1) throw new PythonError("TypeError", `${id} accepts only a single type`);
  return items[0]!;
}

function literalOf(items: readonly Value[]): Value {
  const values = new Map<string, Value>();
  for (const item of items) {
    if (item.kind === "unknown") return item;
    for (const value of item.kind === "literal" ? item.values : [item])
      values.set(equalityKey(value), values.get(equalityKey(value)) ?? value);
  }
  return { kind: "literal", values: [...values.values()] };
}

/** An item of a constant. */
function index(container: Value, key: Value): Value {
  if (container.kind === "unknown") return container;
  if ((container.kind === "tuple" || container.kind === "list") && key.kind === "int") {
    return container.items.at(Number(key.value)) ?? unknown("an item that is not there");
  }
  if (container.kind === "dict") {
    const wanted = equalityKey(key);
    return (
      container.entries.findLast(([candidate]) => equalityKey(candidate) === wanted)?.[1] ??
      unknown("an item that is not there")
    );
  }
  if (container.kind === "str" && key.kind === "int") {
    const character = [...container.value].at(Number(key.value));
    if (character !== undefined) return { kind: "str", value: character };
  }
  if (container.kind === "bytes" && key.kind === "int") {
    const byte = container.value.at(Number(key.value));
    if (byte !== undefined) return { kind: "int", value: BigInt(byte.charCodeAt(0)) };
  }
  return unknown("an item known only at run time");
}

/** What unpacking a value gives at one step. */
export function followed(value: Value, step: Step): Value {
  if (typeof step === "number") return index(value, { kind: "int", value: BigInt(step) });
  if (value.kind !== "tuple" && value.kind !== "list")
    return value.kind === "unknown" ? value : unknown("an unpacked value");
  return { kind: "list", items: value.items.slice(step.before, value.items.length - step.after) };
}

/** Part of a constant: `value[start:stop:step]`. */
export function slice(value: Value, bounds: readonly (Value | null)[]): Value {
  if (value.kind === "unknown") return value;
  const [start, stop, step = 1] = bounds.map((bound) =>
    bound === null || bound.kind === "none"
      ? undefined
      : bound.kind === "int"
        ? Number(bound.value)
        : NaN,
  );
  if (Number.isNaN(start) || Number.isNaN(stop) || Number.isNaN(step) || step === 0)
    return unknown("a part known only at run time");
  if (value.kind === "str")
    return { kind: "str", value: sliced([...value.value], start, stop, step).join("") };
  if (value.kind === "bytes")
    return { kind: "bytes", value: sliced([...value.value], start, stop, step).join("") };
  if (value.kind === "tuple" || value.kind === "list")
    return { kind: value.kind, items: sliced(value.items, start, stop, step) };
  return unknown("a part known only at run time");
}

function sliced<T>(
  items: readonly T[],
  start: number | undefined,
  stop: number | undefined,
  step: number,
): T[] {
  if (step === 1) return items.slice(start, stop);
  const { length } = items;
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
  const bounded = (bound: number | undefined, otherwise: number): number =>
    bound === undefined
      ? otherwise
      : Math.min(Math.max(bound < 0 ? bound + length : bound, least), most);
  const end = bounded(stop, step > 0 ? length : -1);
  const result: T[] = [];
  for (let i = bounded(start, step > 0 ? 0 : length - 1); step > 0 ? i < end : i > end; i += step)
    result.push(items[i]!);
  return result;
}

const isTypeVariable = (value: Value): value is LibraryCall => isCallOf(value, "typing.TypeVar");

/**
 * The type variables of a type, each once, in order.
 *
 * @param hidden - types that are not looked into
 */
export function typeVariables(
  value: Value,
  found: Call[] = [],
  hidden: (value: Value) => boolean = () => false,
): Call[] {
  if (isTypeVariable(value)) {
    if (!found.includes(value)) found.push(value);
  } else if (!hidden(value)) for (const part of parts(value)) typeVariables(part, found, hidden);
  return found;
}

/** A subscripted model, which to `typing` is a class like any other. */
const isModel = (value: Value): boolean =>
  value.kind === "alias" && value.origin.kind === "class" && value.origin.family === "model";

function parts(value: Value): readonly Value[] {
  switch (value.kind) {
    case "alias":
      return value.args;
    case "union":
      return value.members;
    case "annotated":
      return [value.type];
    case "list":
      return value.items;
    default:
      return [];
  }
}

function substituteInOrder(type: Value, items: readonly Value[]): Value {
  const variables = typeVariables(type, [], isModel);
  if (variables.length === 0)
    throw new PythonError("TypeError", "this type is not a generic class");
  if (variables.length !== items.length)
    throw new PythonError("TypeError", "wrong number of type arguments");
  return substitute(
    type,
    new Map(variables.map((variable, i) => [variable, typeArgument(items[i]!)])),
  );
}

/** A type with other types in place of its variables, as `typing` makes it. */
const substitute = (type: Value, types: ReadonlyMap<Value, Value>): Value =>
  replace(type, types, (members) => members);

/** A type with other types in place of its variables, as pydantic makes it: a union with `Any` is `Any`, `Never` adds nothing. */
export function replaceTypes(type: Value, types: ReadonlyMap<Value, Value>): Value {
  return replace(type, types, (members) => {
    const any = members.find((member) => isForm(member, "typing.Any"));
    if (any) return [any];
    return members.filter(
      (member) => !isForm(member, "typing.NoReturn") && !isForm(member, "typing.Never"),
    );
  });
}

function replace(
  type: Value,
  types: ReadonlyMap<Value, Value>,
  simplify: (members: readonly Value[]) => readonly Value[],
): Value {
  if (types.size === 0) return type;
  // What stays as it is stays the same object, by which unions are told that change.
  const withParts = (parts: readonly Value[], make: (parts: readonly Value[]) => Value): Value => {
    const replaced = parts.map((part) => replace(part, types, simplify));
    return replaced.every((part, i) => part === parts[i]) ? type : make(replaced);
  };
  switch (type.kind) {
    case "call":
      return types.get(type) ?? type;
    case "alias":
      return withParts(type.args, (args): Alias => ({ ...type, args }));
    case "union":
      return withParts(type.members, (members) => unionOf(simplify(members), type.spelling));
    case "annotated":
      return withParts([type.type], ([inner]) =>
        subscriptForm("typing.Annotated", [inner!, ...type.metadata]),
      );
    case "list":
      return withParts(type.items, (items) => ({ ...type, items }));
    case "class": {
      // A generic model without arguments is one of its own variables.
      const variables = type.family === "model" ? type.variables : [];
      const args = variables.map((variable) => types.get(variable) ?? variable);
      return args.every((arg, i) => arg === variables[i])
        ? type
        : { kind: "alias", origin: type, args, spelling: "typing" };
    }
    default:
      return type;
  }
}
