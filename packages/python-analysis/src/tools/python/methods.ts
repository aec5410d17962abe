import { dateAttribute, dateClassAttribute, dateClassMethod, dateMethod } from "./dates.js";
import { quantized } from "./decimals.js";
import { distinctEntries, itemsOf, orderedItems } from "./iteration.js";
import { areEqual } from "./comparisons.js";
import { pathAttribute, pathMethod } from "./paths.js";
import { bytesMethod, textMethod } from "./text-methods.js";
import {
  type Call,
  type Collection,
  type Value,
  NONE,
  calleeId,
  int,
  isCallOf,
  libraryClass,
  plainOf,
  str,
  unknown,
} from "./values.js";
import { LONGEST } from "./weight.js";

/** An attribute of what is neither a module nor of the script's making. */
export function attributeOf(object: Value, name: string): Value {
  if (object.kind === "unknown") return object;
  if (object.kind === "library-class") {
    if (object.id === "datetime.timezone" && name === "utc")
      return { kind: "call", callee: object, args: [], kwargs: new Map() };
    if (name === "__name__") return str(object.name);
    if (object.id === "builtins.str" && /^[a-z]+$/.test(name))
      return { kind: "library-function", id: `builtins.str.${name}` };
    return (
      dateClassAttribute(object.id, name) ??
      unknown(`\`${object.name}.${name}\` is known only at run time`)
    );
  }
  const told =
    object.kind === "call"
      ? (dateAttribute(object, name) ??
        pathAttribute(object, name) ??
        ofPattern(object, name) ??
        ofNamespace(object, name))
      : ofNumber(object, name);
  return told ?? unknown(`the attribute \`${name}\` is known only at run time`);
}

const ofPattern = (object: Call, name: string): Value | undefined =>
  isCallOf(object, "re.compile") && name === "pattern" ? object.args[0] : undefined;

const ofNamespace = (object: Call, name: string): Value | undefined =>
  isCallOf(object, "types.SimpleNamespace") ? object.kwargs.get(name) : undefined;

function ofNumber(object: Value, name: string): Value | undefined {
  if (object.kind === "int") return name === "real" || name === "numerator" ? object : undefined;
  return object.kind === "float" && name === "real" ? object : undefined;
}

/** What a method of a constant or of a library's class gives. */
export function method(
  given: Value,
  name: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value {
  if (given.kind === "unknown") return given;
  const object = plainOf(given);
  return (
    args.find((arg) => arg.kind === "unknown") ??
    told(object, name, args, kwargs) ??
    unknown(`what \`.${name}(…)\` gives is known only at run time`)
  );
}

function told(
  object: Value,
  name: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value | undefined {
  const [first] = args;
  switch (object.kind) {
    case "str":
      if (name === "join") return first && joined(object.value, first);
      return textMethod(object.value, name, args, kwargs);
    case "bytes":
      return kwargs.size === 0 ? bytesMethod(object.value, name, args) : undefined;
    case "list":
    case "tuple":
      return kwargs.size === 0 ? sequenceMethod(object, name, args) : undefined;
    case "set":
    case "frozenset":
      return name === "copy" ? object : undefined;
    case "dict":
      return kwargs.size === 0
        ? mappingMethod(distinctEntries(object.entries), name, args)
        : undefined;
    case "call":
      return (
        dateMethod(object, name, args, kwargs) ??
        (kwargs.size > 0 ? undefined : pathMethod(object, name, args)) ??
        (name === "quantize" && args.length === 1 ? quantized(object, first) : undefined) ??
        (name === "copy" && calleeId(object) === "collections.OrderedDict" ? object : undefined)
      );
    case "library-class":
      return ofClass(object.id, name, args);
    default:
      return undefined;
  }
}

function joined(separator: string, given: Value): Value | undefined {
  const items = orderedItems(given)?.map(plainOf);
  const texts = items?.map((item) => (item.kind === "str" ? item.value : undefined));
  if (!texts || texts.includes(undefined)) return undefined;
  const length = texts.reduce((sum, text) => sum + text!.length + separator.length, 0);
  return length > LONGEST ? undefined : str(texts.join(separator));
}

function sequenceMethod(
  object: Collection,
  name: string,
  args: readonly Value[],
): Value | undefined {
  if (name === "copy" && args.length === 0) return object;
  const [first] = args;
  if (!first || args.length > 1 || (name !== "index" && name !== "count")) return undefined;
  const equal = object.items.map((item) => areEqual(item, first));
  if (equal.includes(undefined)) return undefined;
  const at = equal.indexOf(true);
  if (name === "count") return int(equal.filter(Boolean).length);
  return at < 0 ? undefined : int(at);
}

function mappingMethod(
  entries: readonly (readonly [Value, Value])[],
  name: string,
  args: readonly Value[],
): Value | undefined {
  const view = (items: readonly Value[]): Value => ({
    kind: "call",
    callee: libraryClass("collections.abc.MappingView"),
    args: [{ kind: "list", items }],
    kwargs: new Map(),
  });
  if (name === "get" && args[0]) {
    const wanted = args[0];
    const equal = entries.map(([key]) => areEqual(key, wanted));
    if (equal.includes(undefined)) return undefined;
    return entries[equal.lastIndexOf(true)]?.[1] ?? args[1] ?? NONE;
  }
  if (args.length > 0) return undefined;
  switch (name) {
    case "copy":
      return { kind: "dict", entries };
    case "keys":
      return view(entries.map(([key]) => key));
    case "values":
      return view(entries.map(([, value]) => value));
    case "items":
      return view(entries.map(([key, value]) => ({ kind: "tuple", items: [key, value] })));
    default:
      return undefined;
  }
}

function ofClass(id: string, name: string, args: readonly Value[]): Value | undefined {
  const [first, second] = args;
  if (id === "builtins.dict" && name === "fromkeys" && first) {
    const value = second ?? NONE;
    return {
      kind: "dict",
      entries: (itemsOf(first) ?? []).map((key): [Value, Value] => [key, value]),
    };
  }
  if (id === "builtins.bytes" && name === "fromhex" && first?.kind === "str") {
    const hex = first.value.replace(/\s+/g, "");
    return /^([0-9a-fA-F]{2})*$/.test(hex)
      ? { kind: "bytes", value: Buffer.from(hex, "hex").toString("latin1") }
      : undefined;
  }
  // `str.upper("a")` is `"a".upper()`.
  if (id === "builtins.str" && first?.kind === "str")
    return textMethod(first.value, name, args.slice(1), new Map());
  return dateClassMethod(id, name, args);
}
