import type { ClassDefinition } from "../python/classes.js";
import { floatRepr } from "../python/numbers.js";
import { type Call, type Value, calleeId, equalityKey } from "../python/values.js";
import { encodeTemporal } from "./temporal.js";
import { type Json, fromEntries } from "./json.js";

/** Encodes a value as JSON; `undefined`, and a note where `what` names what is left out, for what JSON or this reader cannot tell. */
export type Encoder = (value: Value, what: string) => Json | undefined;

/** Raised for a value that pydantic itself leaves out, such as a function or an instance of a plain class. */
export class NotSerializable extends Error {}

/** Raised for a value that only running the script tells. */
export class NotKnown extends Error {}

/** What an instance of a class of the script shows: its fields, its items, or `null` for nothing. */
export type FieldsOf = (
  instance: Call,
  cls: ClassDefinition,
) => { fields: readonly (readonly [string, Value])[] } | { items: readonly Value[] } | null;

/**
 * What pydantic writes for a default: `TypeAdapter(type(value)).dump_python(value, mode="json")`.
 *
 * @throws NotSerializable @throws NotKnown
 */
export function encodeValue(value: Value, fieldsOf: FieldsOf): Json {
  const encode = (inner: Value): Json => encodeValue(inner, fieldsOf);
  switch (value.kind) {
    case "none":
      return null;
    case "bool":
    case "str":
      return value.value;
    case "int":
      return jsonInteger(value.value);
    case "float":
      return Number.isFinite(value.value) ? value.value : null;
    case "complex":
      return complexText(value.real, value.imaginary);
    case "bytes":
      return utf8(value.value);
    case "tuple":
    case "list":
      return value.items.map(encode);
    case "set":
    case "frozenset":
      return sortedItems(value.items).map(encode);
    case "dict":
      return fromEntries(
        distinctEntries(value.entries).map(([key, item]) => [keyText(key), encode(item)]),
      );
    case "member":
      return encode(value.value);
    case "call":
      return encodeCall(value, fieldsOf);
    case "unknown":
      throw new NotKnown(value.reason);
    default:
      throw new NotSerializable(`a ${value.kind}`);
  }
}

function jsonInteger(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new NotKnown("it is an integer too large to be exact in JSON here");
  return number;
}

function complexText(real: number, imaginary: number): string {
  const part = (value: number): string => floatRepr(value).replace(/\.0$/, "");
  if (real === 0) return `${part(imaginary)}j`;
  const sign = imaginary < 0 || Object.is(imaginary, -0) ? "" : "+";
  return `${part(real)}${sign}${part(imaginary)}j`;
}

function utf8(bytes: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)),
    );
  } catch {
    throw new NotSerializable("bytes that are not UTF-8");
  }
}

/** Python sorts what it can compare; a mix of kinds stays in an order that only running tells. */
function sortedItems(items: readonly Value[]): readonly Value[] {
  if (items.length < 2) return items;
  if (items.every((item) => item.kind === "str"))
    return items.toSorted((a, b) => compareText(a.value, b.value));
  if (items.every((item) => item.kind === "int" || item.kind === "float")) {
    return items.toSorted((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  }
  throw new NotKnown("it is a set whose order is not known");
}

/** By code point, as Python compares strings. */
function compareText(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** As Python keeps them: equal keys are one, `1` and `True` among them, under the first's name with the last's value. */
function distinctEntries(
  entries: readonly (readonly [Value, Value])[],
): readonly (readonly [Value, Value])[] {
  const found = new Map<string, readonly [Value, Value]>();
  for (const [key, value] of entries) {
    const identity =
      key.kind === "int" || key.kind === "float" || key.kind === "bool"
        ? `number:${Number(key.value)}`
        : equalityKey(key);
    found.set(identity, [found.get(identity)?.[0] ?? key, value]);
  }
  return [...found.values()];
}

function keyText(key: Value): string {
  switch (key.kind) {
    case "str":
      return key.value;
    case "int":
      return String(key.value);
    case "float":
      return floatRepr(key.value);
    case "bool":
      return String(key.value);
    case "none":
      return "None";
    case "bytes":
      return utf8(key.value);
    case "tuple":
      return key.items.map(keyText).join();
    case "member":
      return keyText(key.value);
    case "unknown":
      throw new NotKnown(key.reason);
    case "call": {
      const text = encodeCall(key, () => null);
      if (typeof text === "string") return text;
      break;
    }
    default:
      break;
  }
  throw new NotSerializable(`a key that is a ${key.kind}`);
}

function encodeCall(value: Call, fieldsOf: FieldsOf): Json {
  if (value.callee.kind === "class") {
    const shown = fieldsOf(value, value.callee);
    if (shown === null) throw new NotSerializable(`an instance of ${value.callee.name}`);
    if ("items" in shown) return shown.items.map((item) => encodeValue(item, fieldsOf));
    return fromEntries(shown.fields.map(([name, field]) => [name, encodeValue(field, fieldsOf)]));
  }
  const id = calleeId(value);
  const first = value.args[0];
  switch (id) {
    case "pathlib.Path":
    case "pathlib.PurePath":
    case "pathlib.PosixPath":
    case "pathlib.PurePosixPath":
      return pathText(value.args);
    case "decimal.Decimal":
      return decimalText(first);
    case "uuid.UUID":
      return uuidText(value);
    case "re.compile":
      return first?.kind === "str" ? first.value : notKnown("a regular expression");
    case "collections.OrderedDict":
    case "collections.defaultdict":
    case "collections.Counter":
      return mapping(value, id, fieldsOf);
    case "collections.deque":
      if (!first) return [];
      return first.kind === "list" || first.kind === "tuple"
        ? encodeValue(first, fieldsOf)
        : notKnown("a deque");
    case "pydantic.SecretStr":
    case "pydantic.SecretBytes":
      return first && "value" in first && first.value === "" ? "" : "**********";
    case "builtins.object":
      throw new NotSerializable("a bare object");
  }
  const temporal = encodeTemporal(id, value);
  if (temporal !== undefined) return temporal;
  if (id.startsWith("builtins.") || id.startsWith("typing.") || id.startsWith("os."))
    throw new NotSerializable(id);
  return notKnown(`an instance of \`${id}\``);
}

function notKnown(what: string): never {
  throw new NotKnown(`it is ${what}`);
}

function mapping(value: Call, id: string, fieldsOf: FieldsOf): Json {
  const given = id === "collections.defaultdict" ? value.args[1] : value.args[0];
  const entries: (readonly [string, Json])[] = [];
  if (given?.kind === "dict")
    for (const [key, item] of given.entries)
      entries.push([keyText(key), encodeValue(item, fieldsOf)]);
  else if (given) notKnown("a mapping");
  for (const [key, item] of value.kwargs) entries.push([key, encodeValue(item, fieldsOf)]);
  return fromEntries(entries);
}

/** `str(Path(…))`: slashes collapsed, `.` left out, an absolute part starting anew. */
function pathText(parts: readonly Value[]): string {
  let text = "";
  for (const part of parts) {
    let piece: string;
    if (part.kind === "str") piece = part.value;
    else if (part.kind === "call" && calleeId(part).startsWith("pathlib."))
      piece = pathText(part.args);
    else piece = notKnown("a path");
    text = piece.startsWith("/") || text === "" ? piece : `${text}/${piece}`;
  }
  const root = /^\/\/[^/]/.test(text) ? "//" : text.startsWith("/") ? "/" : "";
  const names = text.split("/").filter((name) => name !== "" && name !== ".");
  return root + names.join("/") || ".";
}

function decimalText(value: Value | undefined): string {
  if (!value) return "0";
  if (value.kind === "int") return String(value.value);
  if (value.kind === "str" && /^[+-]?\d+(\.\d+)?$/.test(value.value.trim())) {
    const text = value.value.trim().replace(/^\+/, "");
    // Python keeps the digits as written but for leading zeros; below 1E-6 it turns to exponents.
    const plain = text.replace(/^(-?)0+(?=\d)/, "$1");
    if (!/^-?0\.0{6}/.test(plain)) return plain;
  }
  return notKnown("a decimal number");
}

function uuidText(value: Call): string {
  const whole = value.kwargs.get("int");
  if (whole?.kind === "int" && whole.value >= 0n && whole.value < 1n << 128n)
    return dashed(whole.value.toString(16).padStart(32, "0"));
  const first = value.args[0] ?? value.kwargs.get("hex");
  const hex =
    first?.kind === "str"
      ? first.value
          .replace("urn:", "")
          .replace("uuid:", "")
          .replace(/^[{}]+|[{}]+$/g, "")
          .replaceAll("-", "")
      : "";
  return /^[0-9a-fA-F]{32}$/.test(hex) ? dashed(hex.toLowerCase()) : notKnown("a UUID");
}

const dashed = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
