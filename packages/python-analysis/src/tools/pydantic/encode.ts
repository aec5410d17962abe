import type { ClassDefinition } from "../python/classes.js";
import { addressText } from "../python/addresses.js";
import { compareText } from "../python/comparisons.js";
import { decimalText, fractionText } from "../python/decimals.js";
import { distinct, distinctEntries, orderedItems } from "../python/iteration.js";
import { floatRepr } from "../python/numbers.js";
import { pathText } from "../python/paths.js";
import { type Call, type Value, argument, calleeId } from "../python/values.js";
import { encodeTemporal } from "./temporal.js";
import { urlText } from "./urls.js";
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
) =>
  | { fields: readonly (readonly [string, Value])[] }
  | { items: readonly Value[] }
  | { root: Value }
  | null;

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

/** An integer that JSON's text of a number says exactly, as it does of all small ones and of `10 ** 20`. */
function jsonInteger(value: bigint): number {
  const number = Number(value);
  const [digits = "", power = "0"] = String(number).replace(".", "").split("e+");
  const places = String(number).split("e")[0]!.split(".")[1]?.length ?? 0;
  const isExact =
    Number.isFinite(number) && BigInt(digits) * 10n ** BigInt(Number(power) - places) === value;
  if (!isExact) throw new NotKnown("it is an integer too large to be exact in JSON here");
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
function sortedItems(given: readonly Value[]): readonly Value[] {
  const items = distinct(given);
  if (items.length < 2) return items;
  if (items.every((item) => item.kind === "str"))
    return items.toSorted((a, b) => compareText(a.value, b.value));
  if (items.every(({ kind }) => kind === "int" || kind === "float" || kind === "bool")) {
    const number = (item: Value): bigint | number =>
      item.kind === "int" || item.kind === "float"
        ? item.value
        : Number(item.kind === "bool" && item.value);
    return items.toSorted((a, b) => (number(a) < number(b) ? -1 : number(a) > number(b) ? 1 : 0));
  }
  throw new NotKnown("it is a set whose order is not known");
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
    if ("root" in shown) return encodeValue(shown.root, fieldsOf);
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
      return pathText(value) ?? notKnown("a path");
    case "decimal.Decimal":
      return decimalText(value) ?? notKnown("a decimal number");
    case "fractions.Fraction":
      return fractionText(value) ?? notKnown("a fraction");
    case "uuid.UUID":
      return uuidText(value);
    case "re.compile":
      return first?.kind === "str" ? first.value : notKnown("a regular expression");
    case "collections.OrderedDict":
    case "collections.defaultdict":
      return mapping(value, id, fieldsOf);
    case "collections.Counter":
      return counted(value) ?? mapping(value, id, fieldsOf);
    case "collections.deque":
      return dequeItems(value).map((item) => encodeValue(item, fieldsOf));
    case "pydantic.SecretStr":
    case "pydantic.SecretBytes":
      return first && "value" in first && first.value === "" ? "" : "**********";
    case "pydantic.ByteSize":
      return first?.kind === "int" ? jsonInteger(first.value) : notKnown("a size in bytes");
    case "builtins.object":
      throw new NotSerializable("a bare object");
    case "pydantic.Field":
      throw new NotSerializable("what describes a field");
  }
  const temporal = encodeTemporal(value);
  if (temporal !== undefined) return temporal;
  const address = addressText(value) ?? urlText(value);
  if (address !== undefined) return address;
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
  const pairs =
    given?.kind === "dict"
      ? given.entries
      : given && orderedItems(given)?.map((pair) => ("items" in pair ? pair.items : []));
  if (given && (!pairs || pairs.some((pair) => pair.length !== 2))) notKnown("a mapping");
  for (const [key, item] of pairs ?? []) entries.push([keyText(key), encodeValue(item, fieldsOf)]);
  for (const [key, item] of value.kwargs) entries.push([key, encodeValue(item, fieldsOf)]);
  return fromEntries(entries);
}

/** How often each item is there. */
function counted(value: Call): Json | undefined {
  const [given] = value.args;
  const items = given && given.kind !== "dict" ? orderedItems(given) : undefined;
  if (!items || value.kwargs.size > 0) return undefined;
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyText(item), (counts.get(keyText(item)) ?? 0) + 1);
  return fromEntries(counts);
}

function dequeItems(value: Call): readonly Value[] {
  const [given] = value.args;
  const items = given ? orderedItems(given) : [];
  const most = argument(value, 1, "maxlen");
  if (!items || (most && most.kind !== "int" && most.kind !== "none")) notKnown("a deque");
  return most?.kind === "int" ? items.slice(Math.max(items.length - Number(most.value), 0)) : items;
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
