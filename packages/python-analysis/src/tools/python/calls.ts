import type { ClassDefinition } from "./classes.js";
import { truth } from "./truth.js";
import { constrainedTypeOf } from "./constrained-types.js";
import { applyFunction } from "./functions.js";
import { builtinFunction } from "./builtin-functions.js";
import { flagOf } from "./flags.js";
import { decimalText, fractionText } from "./decimals.js";
import { distinct, itemsOf, orderedItems } from "./iteration.js";
import { TYPING_ALIASES } from "./library.js";
import { mathFunction } from "./math-functions.js";
import { osPathFunction } from "./paths.js";
import { strOf } from "./text.js";
import { bytesMethod, textMethod } from "./text-methods.js";
import {
  type LibraryFunction,
  type Value,
  PythonError,
  bool,
  hashKey,
  float,
  int,
  isCallOf,
  libraryClass,
  plainOf,
  str,
  unknown,
} from "./values.js";

/** Library functions whose result says what they were called with. */
const TELLING_FUNCTIONS = new Set([
  "typing.TypeVar",
  "typing.ParamSpec",
  "typing.TypeVarTuple",
  "typing.NewType",
  "typing.Doc",
  "typing.deprecated",
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

/** The deprecated aliases of `typing` that can be called; the others raise. */
const MAKING_ALIASES = /^typing\.(Deque|DefaultDict|OrderedDict|Counter|ChainMap)$/;

/** What calling something gives; `undefined` if only running it tells. */
export function apply(
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
      const made = MAKING_ALIASES.test(callee.id)
        ? TYPING_ALIASES.get(callee.id.slice("typing.".length))
        : undefined;
      if (made) return apply(libraryClass(made), args, kwargs);
      return TELLING_FUNCTIONS.has(callee.id)
        ? { kind: "call", callee: maker, args, kwargs }
        : undefined;
    }
    case "library-function": {
      if (TELLING_FUNCTIONS.has(callee.id)) return { kind: "call", callee, args, kwargs };
      if (callee.id === "typing.cast") return args[1];
      if (callee.id === "typing.TypeAliasType") return typeAlias(args, kwargs);
      return constrainedTypeOf(callee.id, args, kwargs) ?? libraryFunction(callee.id, args, kwargs);
    }
    case "call":
      // Calling what `typing.NewType` made gives its argument.
      if (isCallOf(callee, "typing.NewType")) return args[0];
      return undefined;
    case "alias":
      return apply(callee.origin, args, kwargs);
    case "function":
      return applyFunction(callee, args, kwargs);
    case "unknown":
      return callee;
    default:
      return undefined;
  }
}

function libraryFunction(
  id: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value | undefined {
  const unclear = args.find((arg) => arg.kind === "unknown");
  if (unclear) return unclear;
  const name = id.slice(id.lastIndexOf(".") + 1);
  switch (id.slice(0, id.length - name.length - 1)) {
    case "builtins":
      return builtinFunction(name, args, kwargs, (callee, given) =>
        apply(callee, given, new Map()),
      );
    case "builtins.str":
      return args[0]?.kind === "str"
        ? textMethod(args[0].value, name, args.slice(1), kwargs)
        : undefined;
    case "math":
      return kwargs.size === 0 ? mathFunction(name, args) : undefined;
    case "os.path":
    case "posixpath":
      return kwargs.size === 0 ? osPathFunction(name, args) : undefined;
    case "ipaddress":
      return args.length === 1 ? ipFunction(name, args[0]!) : undefined;
    default:
      return undefined;
  }
}

/** `ip_address("…")` and the like: an instance of the class for the version. */
function ipFunction(name: string, given: Value): Value | undefined {
  const kind = { ip_address: "Address", ip_network: "Network", ip_interface: "Interface" }[name];
  if (kind === undefined || given.kind !== "str") return undefined;
  const callee = libraryClass(`ipaddress.IPv${given.value.includes(":") ? 6 : 4}${kind}`);
  return { kind: "call", callee, args: [given], kwargs: new Map() };
}

/** `TypeAliasType("Pairs", list[tuple[T, T]], type_params=(T,))`. */
function typeAlias(args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Value | undefined {
  const name = args[0] ?? kwargs.get("name");
  const value = args[1] ?? kwargs.get("value");
  const variables = kwargs.get("type_params");
  if (name?.kind !== "str" || !value) return undefined;
  const parameters =
    variables?.kind === "tuple" ? variables.items.filter((each) => each.kind === "call") : [];
  return { kind: "type-alias", name: name.value, parameters, value: () => value };
}

/** `Color(1)`: the member with that value. */
function memberByValue(cls: ClassDefinition, value: Value | undefined): Value {
  if (!value || value.kind === "unknown") return value ?? unknown("an enum called without a value");
  const wanted = hashKey(value);
  const found = [...cls.members.values()].find(
    (member) => hashKey(member.value) === wanted || (value.kind === "member" && member === value),
  );
  if (found) return found;
  if (cls.isSubclassOf("enum.Flag") && value.kind === "int") return flagOf(cls, value.value);
  if (cls.methods.has("_missing_")) return unknown(`\`${cls.name}\` makes members of other values`);
  throw new PythonError("ValueError", `not a valid ${cls.name}`);
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
      return textOf(first, args);
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
      return bytesOf(first, args) ?? unknown("bytes known only at run time");
    case "builtins.tuple":
    case "builtins.list":
    case "builtins.set":
    case "builtins.frozenset": {
      const kind = id.slice("builtins.".length) as "tuple" | "list" | "set" | "frozenset";
      const isSet = kind === "set" || kind === "frozenset";
      const items = first ? (isSet ? itemsOf(first) : orderedItems(first)) : [];
      if (!items) return unknown("a collection known only at run time");
      return { kind, items: isSet ? distinct(items) : items };
    }
    case "builtins.dict":
      return dictOf(args, kwargs) ?? unknown("a dictionary known only at run time");
    case "builtins.complex":
      return complexOf(args);
    case "builtins.map":
    case "builtins.filter":
      return mapped(id, args);
    case "builtins.type":
      return args.length === 1 && first ? typeOf(first) : undefined;
    default:
      return undefined;
  }
}

function textOf(value: Value | undefined, args: readonly Value[]): Value {
  if (!value) return str("");
  const text =
    args.length > 1 && value.kind === "bytes"
      ? bytesMethod(value.value, "decode", args.slice(1))
      : strOf(value);
  if (typeof text === "string") return str(text);
  return text ?? unknown("a text known only at run time");
}

function bytesOf(value: Value, args: readonly Value[]): Value | undefined {
  if (value.kind === "bytes") return value;
  if (value.kind === "str") return textMethod(value.value, "encode", args.slice(1), new Map());
  if (value.kind === "int")
    return value.value >= 0n && value.value < 10_000n
      ? { kind: "bytes", value: "\0".repeat(Number(value.value)) }
      : undefined;
  const bytes = orderedItems(value)?.map((item) =>
    item.kind === "int" && item.value >= 0n && item.value < 256n
      ? String.fromCharCode(Number(item.value))
      : undefined,
  );
  return bytes && !bytes.includes(undefined) ? { kind: "bytes", value: bytes.join("") } : undefined;
}

function complexOf(args: readonly Value[]): Value | undefined {
  const [real = int(0), imaginary = int(0)] = args;
  const numbers = [real, imaginary].map((part) =>
    part.kind === "int" || part.kind === "float" ? Number(part.value) : NaN,
  );
  return numbers.some(Number.isNaN)
    ? undefined
    : { kind: "complex", real: numbers[0]!, imaginary: numbers[1]! };
}

/** What `map(function, items)` and `filter(function, items)` go through, as a generator does. */
function mapped(id: string, args: readonly Value[]): Value | undefined {
  const [callee, source] = args;
  const items = source && args.length === 2 ? orderedItems(source) : undefined;
  if (!callee || !items) return undefined;
  const isIdentity = id === "builtins.filter" && callee.kind === "none";
  const results = items.map((item) => (isIdentity ? item : apply(callee, [item], new Map())));
  const isFilter = id === "builtins.filter";
  const kept: Value[] = [];
  for (const [i, result] of results.entries()) {
    if (!result || result.kind === "unknown") return result;
    const isTrue = isFilter ? truth(result) : true;
    if (isTrue === undefined) return undefined;
    if (isTrue) kept.push(isFilter ? items[i]! : result);
  }
  return {
    kind: "call",
    callee: libraryClass("types.GeneratorType"),
    args: [{ kind: "list", items: kept }],
    kwargs: new Map(),
  };
}

const TYPES: Readonly<Partial<Record<Value["kind"], string>>> = {
  none: "types.NoneType",
  bool: "builtins.bool",
  int: "builtins.int",
  float: "builtins.float",
  complex: "builtins.complex",
  str: "builtins.str",
  bytes: "builtins.bytes",
  list: "builtins.list",
  tuple: "builtins.tuple",
  dict: "builtins.dict",
  set: "builtins.set",
  frozenset: "builtins.frozenset",
};

function typeOf(value: Value): Value | undefined {
  if (value.kind === "member") return value.class;
  if (value.kind === "call" && value.callee.kind !== "library-function") return value.callee;
  const id = TYPES[value.kind];
  return id === undefined ? undefined : libraryClass(id);
}

function integerOf(given: Value | undefined, base: Value | undefined): Value {
  if (!given) return int(0);
  const value = plainOf(given);
  const exact = /^(-?\d+)(\.\d+)?$/.exec(decimalText(value) ?? "");
  if (exact) return int(BigInt(exact[1]!));
  if (value.kind === "str" && base?.kind === "int")
    return basedInteger(value.value, Number(base.value));
  if (value.kind === "int") return value;
  if (value.kind === "bool") return int(Number(value.value));
  if (value.kind === "float" && Number.isFinite(value.value))
    return int(BigInt(Math.trunc(value.value)));
  if (value.kind === "str" && !base && /^\s*[+-]?\d{1,4000}\s*$/.test(value.value))
    return int(BigInt(value.value.trim().replace(/^\+/, "")));
  return unknown("a number known only at run time");
}

const DIGITS: Readonly<Record<number, RegExp>> = {
  2: /^([+-]?)(?:0b)?([01]{1,4000})$/,
  8: /^([+-]?)(?:0o)?([0-7]{1,4000})$/,
  10: /^([+-]?)(\d{1,4000})$/,
  16: /^([+-]?)(?:0x)?([0-9a-f]{1,4000})$/,
};
const PREFIXES: Readonly<Record<number, string>> = { 2: "0b", 8: "0o", 10: "", 16: "0x" };

function basedInteger(text: string, base: number): Value {
  const plain = text.trim().toLowerCase().replaceAll("_", "");
  const prefixed = /^[+-]?0([box])/.exec(plain)?.[1];
  const actual = base === 0 ? ({ b: 2, o: 8, x: 16 }[prefixed ?? ""] ?? 10) : base;
  const found = DIGITS[actual]?.exec(plain);
  if (!found) return unknown("a number known only at run time");
  const size = BigInt(PREFIXES[actual]! + found[2]!);
  return int(found[1] === "-" ? -size : size);
}

function floatOf(given: Value | undefined): Value {
  if (!given) return float(0);
  const value = plainOf(given);
  const exact = decimalText(value) ?? fractionText(value);
  if (exact !== undefined) {
    const [top, bottom = "1"] = exact.split("/");
    return float(Number(top) / Number(bottom));
  }
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
