import type { ClassDefinition } from "./classes.js";
import { floatRepr } from "./numbers.js";
import { truth } from "./operators.js";
import {
  type Call,
  type LibraryFunction,
  type Value,
  PythonError,
  bool,
  equalityKey,
  float,
  int,
  isCallOf,
  libraryClass,
  str,
  unknown,
} from "./values.js";

/** Library functions whose result says what they were called with. */
const TELLING_FUNCTIONS = new Set([
  "typing.TypeVar",
  "typing.ParamSpec",
  "typing.TypeVarTuple",
  "typing.NewType",
  "typing.TypeAliasType",
  "typing.Doc",
  "typing.deprecated",
  "typing.TypedDict",
  "typing_extensions.TypedDict",
  "typing.NamedTuple",
  "typing_extensions.NamedTuple",
  "collections.namedtuple",
  "dataclasses.field",
  "dataclasses.dataclass",
  "pydantic.Field",
  "pydantic.PrivateAttr",
  "pydantic.computed_field",
  "pydantic.field_validator",
  "pydantic.dataclasses.dataclass",
  "fastmcp.Depends",
  "fastmcp.CurrentContext",
  "re.compile",
  "fastmcp.CurrentFastMCP",
  "fastmcp.CurrentRequest",
  "fastmcp.CurrentHeaders",
  "fastmcp.CurrentAccessToken",
  "fastmcp.tool",
]);

/** What calling something gives; `undefined` if only running it tells. */
function apply(
  callee: Value,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value | undefined {
  switch (callee.kind) {
    case "library-class":
      return construct(callee.id, args, kwargs) ?? { kind: "call", callee, args, kwargs };
    case "class":
      if (callee.isEnum) return args.length === 1 ? memberByValue(callee, args[0]) : undefined;
      if (callee.family === "typed-dict") return dictOf(args, kwargs);
      return { kind: "call", callee, args, kwargs };
    case "form": {
      const maker: LibraryFunction = { kind: "library-function", id: callee.id };
      return TELLING_FUNCTIONS.has(callee.id)
        ? { kind: "call", callee: maker, args, kwargs }
        : undefined;
    }
    case "library-function": {
      if (TELLING_FUNCTIONS.has(callee.id)) return { kind: "call", callee, args, kwargs };
      if (callee.id === "typing.cast") return args[1];
      const constrained = CONSTRAINED.get(callee.id);
      if (constrained) return constrainedType(constrained, args, kwargs);
      return callee.id.startsWith("builtins.") ? builtin(callee.id, args) : undefined;
    }
    case "call":
      // Calling what `typing.NewType` made gives its argument.
      if (isCallOf(callee, "typing.NewType")) return args[0];
      return isCallOf(callee, "collections.namedtuple")
        ? namedTuple(callee, args, kwargs)
        : undefined;
    case "alias":
      return apply(callee.origin, args, kwargs);
    case "unknown":
      return callee;
    default:
      return undefined;
  }
}

/** `Color(1)`: the member with that value. */
function memberByValue(cls: ClassDefinition, value: Value | undefined): Value {
  if (!value || value.kind === "unknown") return value ?? unknown("an enum called without a value");
  const wanted = equalityKey(value);
  const found = cls.members.find((member) => equalityKey(member.value) === wanted);
  if (found) return found;
  throw new PythonError("ValueError", `not a valid ${cls.name}`);
}

/** An instance of a named tuple: its items, in the order of its fields. */
function namedTuple(
  made: Call,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value | undefined {
  const given = made.args[1] ?? made.kwargs.get("field_names");
  const names =
    given?.kind === "str"
      ? given.value.replaceAll(",", " ").split(/\s+/).filter(Boolean)
      : given && itemsOf(given)?.map((item) => (item.kind === "str" ? item.value : ""));
  const defaults = made.kwargs.get("defaults");
  const fallbacks = defaults ? itemsOf(defaults) : [];
  if (!names || !fallbacks) return undefined;
  const items = names.map(
    (name, i) => args[i] ?? kwargs.get(name) ?? fallbacks[i - names.length + fallbacks.length],
  );
  return items.every((item) => item !== undefined) ? { kind: "tuple", items } : undefined;
}

/** pydantic's `conint(…)` and the like: the type, and whether its first argument is the item type. */
const CONSTRAINED: ReadonlyMap<string, readonly [type: string, ofItems: boolean]> = new Map([
  ["pydantic.conint", ["builtins.int", false]],
  ["pydantic.confloat", ["builtins.float", false]],
  ["pydantic.constr", ["builtins.str", false]],
  ["pydantic.conbytes", ["builtins.bytes", false]],
  ["pydantic.condecimal", ["decimal.Decimal", false]],
  ["pydantic.condate", ["datetime.date", false]],
  ["pydantic.conlist", ["builtins.list", true]],
  ["pydantic.conset", ["builtins.set", true]],
  ["pydantic.confrozenset", ["builtins.frozenset", true]],
]);

function constrainedType(
  [id, ofItems]: readonly [string, boolean],
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value {
  const origin = libraryClass(id);
  const item = args[0] ?? kwargs.get("item_type");
  const type: Value =
    ofItems && item ? { kind: "alias", origin, args: [item], spelling: "builtin" } : origin;
  const options = new Map(
    [...kwargs].filter(([name, value]) => name !== "item_type" && value.kind !== "none"),
  );
  const field: Call = {
    kind: "call",
    callee: { kind: "library-function", id: "pydantic.Field" },
    args: [],
    kwargs: options,
  };
  return { kind: "annotated", type, metadata: [field] };
}

/** What calling a library class gives; `undefined` if only running it tells. */
export function construct(
  id: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value | undefined {
  const first = args[0];
  if (first?.kind === "unknown") return id.startsWith("builtins.") ? first : undefined;
  switch (id) {
    case "builtins.str":
      if (!first) return str("");
      if (first.kind === "str") return first;
      if (first.kind === "int") return str(String(first.value));
      if (first.kind === "bool") return str(first.value ? "True" : "False");
      if (first.kind === "none") return str("None");
      return first.kind === "float"
        ? str(floatRepr(first.value))
        : unknown("a text known only at run time");
    case "builtins.int":
      return integerOf(first, args[1]);
    case "builtins.float":
      return floatOf(first);
    case "builtins.bool": {
      const known = first ? truth(first) : false;
      return known === undefined ? unknown("a truth known only at run time") : bool(known);
    }
    case "builtins.bytes":
      if (!first) return { kind: "bytes", value: "" };
      return first.kind === "bytes" ? first : unknown("bytes known only at run time");
    case "builtins.tuple":
    case "builtins.list":
    case "builtins.set":
    case "builtins.frozenset": {
      const kind = id.slice("builtins.".length) as "tuple" | "list" | "set" | "frozenset";
      const items = first ? itemsOf(first) : [];
      return items ? { kind, items } : unknown("a collection known only at run time");
    }
    case "builtins.dict":
      return dictOf(args, kwargs) ?? unknown("a dictionary known only at run time");
    default:
      return undefined;
  }
}

function integerOf(value: Value | undefined, base: Value | undefined): Value {
  if (!value) return int(0);
  if (value.kind === "int") return value;
  if (value.kind === "bool") return int(Number(value.value));
  if (value.kind === "float" && Number.isFinite(value.value))
    return int(BigInt(Math.trunc(value.value)));
  if (value.kind === "str" && !base && /^\s*[+-]?\d{1,4000}\s*$/.test(value.value))
    return int(BigInt(value.value.trim().replace(/^\+/, "")));
  return unknown("a number known only at run time");
}

function floatOf(value: Value | undefined): Value {
  if (!value) return float(0);
  if (value.kind === "float") return value;
  if (value.kind === "int") return float(Number(value.value));
  if (value.kind === "bool") return float(Number(value.value));
  if (value.kind !== "str") return unknown("a number known only at run time");
  const text = value.value.trim().toLowerCase();
  const special = /^([+-]?)(?:inf(?:inity)?|(nan))$/.exec(text);
  if (special) return float(special[2] ? NaN : special[1] === "-" ? -Infinity : Infinity);
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text)
    ? float(Number(text))
    : unknown("a number known only at run time");
}

function itemsOf(value: Value): readonly Value[] | undefined {
  switch (value.kind) {
    case "tuple":
    case "list":
    case "set":
    case "frozenset":
      return value.items;
    case "str":
      return [...value.value].map(str);
    case "dict":
      return value.entries.map(([key]) => key);
    case "class":
      return value.isEnum ? value.members : undefined;
    default:
      return undefined;
  }
}

function dictOf(args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Value | undefined {
  const entries: (readonly [Value, Value])[] = [];
  const first = args[0];
  if (first?.kind === "dict") entries.push(...first.entries);
  else if (first) {
    const pairs = itemsOf(first);
    if (!pairs) return undefined;
    for (const pair of pairs) {
      if ((pair.kind !== "tuple" && pair.kind !== "list") || pair.items.length !== 2)
        return undefined;
      entries.push([pair.items[0]!, pair.items[1]!]);
    }
  }
  for (const [name, value] of kwargs) entries.push([str(name), value]);
  return { kind: "dict", entries };
}

function builtin(id: string, args: readonly Value[]): Value | undefined {
  const first = args[0];
  if (!first || args.length !== 1) return undefined;
  switch (id) {
    case "builtins.len": {
      const items = first.kind === "bytes" ? first.value : itemsOf(first);
      return items && first.kind !== "set" ? int(items.length) : undefined;
    }
    case "builtins.abs":
      if (first.kind === "int") return int(first.value < 0n ? -first.value : first.value);
      return first.kind === "float" ? float(Math.abs(first.value)) : undefined;
    case "builtins.ord":
      return first.kind === "str" && [...first.value].length === 1
        ? int(first.value.codePointAt(0)!)
        : undefined;
    case "builtins.chr":
      return first.kind === "int" && first.value >= 0n && first.value < 0x110000n
        ? str(String.fromCodePoint(Number(first.value)))
        : undefined;
    case "builtins.sorted": {
      const items = itemsOf(first);
      if (!items?.every((item) => item.kind === "str")) return undefined;
      return { kind: "list", items: items.toSorted((a, b) => (a.value < b.value ? -1 : 1)) };
    }
    default:
      return undefined;
  }
}

/** What a method of a constant gives. */
function method(
  object: Value,
  name: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value {
  const unclear =
    object.kind === "unknown"
      ? object
      : unknown(`what \`.${name}(…)\` gives is known only at run time`);
  if (kwargs.size > 0) return unclear;
  const [first] = args;
  if (object.kind === "str") {
    const text = object.value;
    switch (name) {
      case "split":
        if (!first) return { kind: "list", items: text.split(/\s+/u).filter(Boolean).map(str) };
        return first.kind === "str" && first.value !== "" && args.length === 1
          ? { kind: "list", items: text.split(first.value).map(str) }
          : unclear;
      case "join": {
        const items = first && itemsOf(first);
        return items?.every((item) => item.kind === "str")
          ? str(items.map((item) => item.value).join(text))
          : unclear;
      }
      case "strip":
        return args.length === 0 ? str(text.trim()) : unclear;
      case "upper":
      case "lower":
        return /^[\0-\x7f]*$/.test(text)
          ? str(name === "upper" ? text.toUpperCase() : text.toLowerCase())
          : unclear;
      case "encode":
        return args.length === 0 && /^[\0-\x7f]*$/.test(text)
          ? { kind: "bytes", value: text }
          : unclear;
    }
  }
  if (object.kind === "dict" && args.length === 0) {
    if (name === "copy") return object;
    if (name === "keys" || name === "values") return unknown("a view of a dictionary");
  }
  return unclear;
}

export const call = { apply, method };
