import { apply, construct } from "../python/calls.js";
import type { ClassDefinition } from "../python/classes.js";
import { distinct, orderedItems } from "../python/iteration.js";
import { TYPING_ALIASES } from "../python/library.js";
import {
  type Alias,
  type Collection,
  PythonError,
  type Value,
  hashKey,
  isCallOf,
  isForm,
  isNoneType,
  libraryClass,
  unknown,
} from "../python/values.js";

const UNTOLD = unknown("what pydantic makes of it is known only at run time");

/** Classes that pydantic makes of a text what calling them makes of it. */
const MADE_OF_TEXT =
  /^(pathlib\.\w*Path|uuid\.UUID|pydantic\.(Any|AnyHttp|Http|File|Ftp|Websocket|AnyWebsocket)Url|pydantic\.Secret(Str|Bytes))$/;
const ISO_TEXTS: Readonly<Record<string, RegExp>> = {
  "datetime.date": /^\d{4}-\d\d-\d\d$/,
  "datetime.datetime": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z?$/,
  "datetime.time": /^\d\d:\d\d:\d\d$/,
};
const TRUTHS = new Map([
  ...["1", "true", "t", "yes", "y", "on"].map((text) => [text, true] as const),
  ...["0", "false", "f", "no", "n", "off"].map((text) => [text, false] as const),
]);

/** What evaluates types that are strings, and counts the work. */
export interface CoercionContext {
  readonly resolve: (text: string) => Value;
  readonly step: () => void;
}

/**
 * What pydantic's validation in its lax mode makes of a value for a type; unknown where that is not told here, as it is for values
 * that it refuses.
 *
 * @see https://docs.pydantic.dev/latest/concepts/conversion_table/
 */
export const coerced = (type: Value, value: Value, context: CoercionContext): Value =>
  coercedBelow(type, value, context, new Set());

/** @param names - aliases and strings on the way to the type, which stand for themselves if they come again for the same value */
function coercedBelow(
  type: Value,
  value: Value,
  context: CoercionContext,
  names: ReadonlySet<Value | string>,
): Value {
  context.step();
  const below = (part: Value, name: Value | string): Value =>
    names.has(name) ? UNTOLD : coercedBelow(part, value, context, new Set([...names, name]));
  const same = (part: Value): Value => coercedBelow(part, value, context, names);
  const inner = (part: Value, given: Value): Value => coerced(part, given, context);
  if (value.kind === "unknown" || isForm(type, "typing.Any")) return value;
  switch (type.kind) {
    case "forward":
      return below(context.resolve(type.text), type.text);
    case "annotated":
      return type.metadata.some(changesValues) ? UNTOLD : same(type.type);
    case "type-alias":
      return below(type.value(), type);
    case "literal":
      return type.values.some((each) => hashKey(each) === hashKey(value)) ? value : UNTOLD;
    case "union":
      return ofUnion(type.members, value, same);
    case "none":
      return value.kind === "none" ? value : UNTOLD;
    case "form": {
      const id = TYPING_ALIASES.get(type.id.slice("typing.".length));
      return id === undefined ? UNTOLD : ofLibraryClass(id, value);
    }
    case "library-class":
      return ofLibraryClass(type.id, value);
    case "alias":
      return ofAlias(type, value, inner);
    case "class":
      return ofClass(type, value);
    case "call":
      if (isCallOf(type, "typing.NewType")) return same(type.args[1] ?? UNTOLD);
      return isCallOf(type, "typing.TypeVar") && !type.kwargs.has("bound") ? value : UNTOLD;
    default:
      return UNTOLD;
  }
}

type Inner = (type: Value, value: Value) => Value;

/** Metadata that may change what it is applied to. */
function changesValues(item: Value): boolean {
  if (item.kind !== "call") return false;
  const { callee } = item;
  if (callee.kind === "class") return true;
  if (callee.id === "pydantic.StringConstraints" || callee.id === "pydantic.GeneralMetadata")
    return ["strip_whitespace", "to_upper", "to_lower", "coerce_numbers_to_str"].some((name) =>
      item.kwargs.has(name),
    );
  return /^pydantic\.(\w+Validator|Encoded\w+|Json|GetPydanticSchema|ImportString)$/.test(
    callee.id,
  );
}

/** An arm that takes the value as it is goes before those that change it. */
function ofUnion(members: readonly Value[], value: Value, same: (type: Value) => Value): Value {
  const results = members.map(same);
  if (results.includes(value)) return value;
  const rest = members.filter((member) => !isNoneType(member));
  return rest.length === 1 ? same(rest[0]!) : UNTOLD;
}

function ofLibraryClass(id: string, value: Value): Value {
  switch (id) {
    case "builtins.object":
      return value;
    case "types.NoneType":
      return value.kind === "none" ? value : UNTOLD;
    case "builtins.int":
    case "builtins.float":
      return ofNumber(id, value);
    case "builtins.bool":
      return ofBool(value);
    case "builtins.str":
      return value.kind === "str" ? value : UNTOLD;
    case "builtins.bytes":
      return value.kind === "str" || value.kind === "bytes" ? value : UNTOLD;
    case "builtins.dict":
      return value.kind === "dict" ? value : UNTOLD;
    case "builtins.list":
    case "builtins.tuple":
    case "builtins.set":
    case "builtins.frozenset":
      return ofItems(id, value, (item) => item);
    case "decimal.Decimal":
      if (value.kind !== "str" && value.kind !== "int") break;
      if (value.kind === "str" && !/^[+-]?\d+(\.\d+)?$/.test(value.value)) return UNTOLD;
      return made(id, value);
    case "pydantic.EmailStr":
      // Domains lose their capitals.
      return value.kind === "str" && /^[\w.+-]+@[a-z0-9.-]+$/.test(value.value) ? value : UNTOLD;
  }
  if (value.kind === "call") return value;
  if (value.kind !== "str") return UNTOLD;
  if (ISO_TEXTS[id]?.test(value.value)) return value;
  return MADE_OF_TEXT.test(id) ? made(id, value) : UNTOLD;
}

const made = (id: string, value: Value): Value => ({
  kind: "call",
  callee: libraryClass(id),
  args: [value],
  kwargs: new Map(),
});

function ofNumber(id: "builtins.int" | "builtins.float", value: Value): Value {
  const isWhole = value.kind === "float" ? Number.isInteger(value.value) : true;
  const isNumber = ["int", "float", "bool", "str"].includes(value.kind) && isWhole;
  if (id === "builtins.int" && value.kind === "int") return value;
  if (id === "builtins.float" && value.kind === "float") return value;
  if (id === "builtins.int" && !isNumber) return UNTOLD;
  return construct(id, [value], new Map()) ?? UNTOLD;
}

function ofBool(value: Value): Value {
  if (value.kind === "bool") return value;
  const text = value.kind === "int" ? `${value.value}` : value.kind === "str" ? value.value : "";
  const known =
    value.kind === "int" && !/^[01]$/.test(text) ? undefined : TRUTHS.get(text.toLowerCase());
  return known === undefined ? UNTOLD : { kind: "bool", value: known };
}

const COLLECTIONS: Readonly<Record<string, Collection["kind"]>> = {
  "builtins.list": "list",
  "builtins.tuple": "tuple",
  "builtins.set": "set",
  "builtins.frozenset": "frozenset",
  "collections.abc.Sequence": "list",
};

function ofItems(id: string, value: Value, each: (item: Value, i: number) => Value): Value {
  const kind = COLLECTIONS[id]!;
  const items =
    value.kind === "list" ||
    value.kind === "tuple" ||
    value.kind === "set" ||
    value.kind === "frozenset"
      ? value.items
      : undefined;
  const isSet = kind === "set" || kind === "frozenset";
  if (!items || (!isSet && !orderedItems(value))) return UNTOLD;
  const results = items.map(each);
  if (results.some((result) => result.kind === "unknown")) return UNTOLD;
  if (value.kind === kind && results.every((result, i) => result === items[i])) return value;
  return { kind, items: isSet ? distinct(results) : results };
}

function ofAlias(type: Alias, value: Value, inner: Inner): Value {
  const { origin, args } = type;
  if (origin.kind === "class") return ofClass(origin, value);
  if (origin.kind !== "library-class") return UNTOLD;
  if (/\.(dict|Mapping)$/.test(origin.id)) {
    if (value.kind !== "dict" || args.length !== 2) return UNTOLD;
    const entries = value.entries.map(
      ([key, item]) => [inner(args[0]!, key), inner(args[1]!, item)] as const,
    );
    return entries.flat().some((part) => part.kind === "unknown")
      ? UNTOLD
      : { kind: "dict", entries };
  }
  if (!COLLECTIONS[origin.id]) return UNTOLD;
  if (origin.id === "builtins.tuple" && args[1]?.kind !== "ellipsis") {
    const isAsLong = "items" in value && value.items.length === args.length;
    return isAsLong ? ofItems(origin.id, value, (item, i) => inner(args[i]!, item)) : UNTOLD;
  }
  return ofItems(origin.id, value, (item) => inner(args[0]!, item));
}

function ofClass(cls: ClassDefinition, value: Value): Value {
  if (value.kind === "call") return value.callee.kind === "class" ? value : UNTOLD;
  if (cls.isEnum) {
    if (value.kind === "member") return value.class === cls ? value : UNTOLD;
    try {
      return apply(cls, [value], new Map()) ?? UNTOLD;
    } catch (error) {
      if (error instanceof PythonError) return UNTOLD;
      throw error;
    }
  }
  if (value.kind !== "dict") return UNTOLD;
  const named = new Map<string, Value>();
  for (const [key, item] of value.entries) {
    if (key.kind !== "str") return UNTOLD;
    named.set(key.value, item);
  }
  switch (cls.family) {
    case "model":
    case "dataclass":
    case "pydantic-dataclass":
      return { kind: "call", callee: cls, args: [], kwargs: named };
    default:
      return UNTOLD;
  }
}
