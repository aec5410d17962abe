import type { Budget } from "./limits.js";
import { LONGEST_TEXT } from "./limits.js";
import {
  type Arguments,
  type Dictionary,
  NONE,
  UNKNOWN,
  UNKNOWN_HIDDEN,
  type Value,
  bool,
  bytes,
  count,
  int,
  integer,
  isHidden,
  iterate,
  list,
  text,
} from "./value.js";
import { parseInteger } from "./format.js";
import { encodeText } from "./codecs.js";
import { type Caller, NO_NAMES } from "./iteration.js";

export function makeBytes(
  given: readonly Value[],
  { budget }: Caller,
  named: Arguments["named"],
  isArray: boolean,
): Value {
  const [first] = given;
  if (!first) return bytes("", false, isArray);
  if (first.type === "bytes") return bytes(first.text, first.hidden, isArray);
  if (first.type === "str") {
    const encoding = given[1] ?? named.get("encoding");
    const encoded = encoding ? encodeText(first, encoding, undefined, budget) : UNKNOWN;
    return encoded.type === "bytes" ? bytes(encoded.text, encoded.hidden, isArray) : UNKNOWN;
  }
  const number = count(first);
  if (number !== null)
    return number >= 0 && budget.make(number)
      ? bytes("\0".repeat(number), false, isArray)
      : UNKNOWN;
  const items = iterate(first);
  if (!items || !budget.make(items.length)) return UNKNOWN;
  let result = "";
  for (const item of items) {
    const byte = count(item);
    if (byte === null || byte < 0 || byte > 255) return isHidden(first) ? UNKNOWN_HIDDEN : UNKNOWN;
    result += String.fromCharCode(byte);
  }
  return bytes(result, true, isArray);
}

export function toInteger(value: Value | undefined, base: Value | undefined): Value {
  if (!value) return int(0);
  const known = integer(value);
  if (known !== null) return int(known, isHidden(value));
  if (value.type === "float" && Number.isFinite(value.value)) return int(Math.trunc(value.value));
  const radix = base ? count(base) : 10;
  if ((value.type !== "str" && value.type !== "bytes") || radix === null) return UNKNOWN;
  const parsed = parseInteger(value.text, radix);
  return parsed === null ? UNKNOWN : int(parsed, value.hidden);
}

export function fromBytes(
  [data, order]: readonly Value[],
  caller: Caller,
  named: Arguments["named"],
): Value {
  const byteOrder = order ?? named.get("byteorder") ?? text("big");
  const source = data && data.type !== "bytes" ? makeBytes([data], caller, NO_NAMES, false) : data;
  if (
    source?.type !== "bytes" ||
    byteOrder.type !== "str" ||
    source.text.length > 4096 ||
    named.has("signed")
  )
    return UNKNOWN;
  const raw = Buffer.from(source.text, "latin1");
  if (byteOrder.text === "little") raw.reverse();
  return int(raw.length === 0 ? 0n : BigInt(`0x${raw.toString("hex")}`), source.hidden);
}

export function toBytes(
  [self, size, order]: readonly Value[],
  _: Caller,
  named: Arguments["named"],
): Value {
  const value = self && integer(self);
  const length = count(size ?? named.get("length") ?? int(1));
  const byteOrder = order ?? named.get("byteorder") ?? text("big");
  if (
    value === null ||
    value === undefined ||
    value < 0n ||
    length === null ||
    length < 0 ||
    length > 4096 ||
    byteOrder.type !== "str"
  )
    return UNKNOWN;
  const digits = value.toString(16);
  if (digits.length > length * 2 && value !== 0n) return UNKNOWN;
  const raw = Buffer.from(
    digits.padStart(length * 2, "0").slice(digits.length > length * 2 ? 1 : 0),
    "hex",
  );
  if (byteOrder.text === "little") raw.reverse();
  return bytes(raw.toString("latin1"), true);
}

/** A pattern of one character, of a class of them, or of plain text: nothing that could take long to match. */
const PLAIN_PATTERN =
  /^(?:(?:[^\\[\](){}.*+?^$|]|\\[^a-zA-Z0-9])+|(?:\[\^?(?:[^\\[\]]|\\[dws]|\\[^a-zA-Z0-9])+\]|\\[dwsDWS]|[^\\[\](){}.*+?^$|])\+?)$/;

export function substituted(
  [pattern, by, subject, limit]: readonly Value[],
  { budget }: Caller,
): Value {
  if (pattern?.type !== "str" || by?.type !== "str" || subject?.type !== "str" || limit)
    return UNKNOWN;
  if (
    !PLAIN_PATTERN.test(pattern.text) ||
    by.text.includes("\\") ||
    /[^\0-\x7e]/.test(pattern.text + subject.text)
  )
    return UNKNOWN;
  if (!budget.make(subject.text.length * (1 + by.text.length))) return UNKNOWN;
  try {
    return text(
      subject.text.replace(new RegExp(pattern.text, "g"), () => by.text),
      isHidden(subject) || isHidden(by),
    );
  } catch {
    return UNKNOWN;
  }
}

export function parsedJson(given: readonly Value[], { budget }: Caller): Value {
  const [source] = given;
  if ((source?.type !== "str" && source?.type !== "bytes") || !budget.make(source.text.length))
    return UNKNOWN;
  try {
    return fromJson(JSON.parse(source.text), source.hidden, budget);
  } catch {
    return UNKNOWN;
  }
}

function fromJson(value: unknown, hidden: boolean, budget: Budget): Value {
  if (!budget.step()) return UNKNOWN;
  if (typeof value === "string")
    return /[\ud800-\udfff]/.test(value) ? UNKNOWN : text(value, hidden);
  if (typeof value === "number") return Number.isSafeInteger(value) ? int(value, hidden) : UNKNOWN;
  if (typeof value === "boolean") return bool(value);
  if (value === null) return NONE;
  if (Array.isArray(value)) return list(value.map((item) => fromJson(item, hidden, budget)));
  const entries: Dictionary["entries"] = new Map();
  for (const [key, item] of Object.entries(value as object))
    entries.set(`s${key}`, [text(key, hidden), fromJson(item, hidden, budget)]);
  return { type: "dict", entries, spoiled: false };
}

export function unquoted([source]: readonly Value[]): Value {
  if (source?.type !== "str") return UNKNOWN;
  try {
    return /%(?![0-9a-fA-F]{2})/.test(source.text)
      ? UNKNOWN
      : text(decodeURIComponent(source.text), true);
  } catch {
    return UNKNOWN;
  }
}

export function radix(value: Value | undefined, base: number, prefix: string): Value {
  const known = value && integer(value);
  if (known === null || known === undefined || known.toString(base).length > LONGEST_TEXT)
    return UNKNOWN;
  return text(
    `${known < 0n ? "-" : ""}${prefix}${(known < 0n ? -known : known).toString(base)}`,
    isHidden(value!),
  );
}

export function power(base: bigint | null, exponent: bigint | null, modulus: bigint | null): Value {
  if (base === null || exponent === null || modulus === null || exponent < 0n || modulus <= 0n)
    return UNKNOWN;
  if ([base, exponent, modulus].some((each) => each.toString(16).length > 1024)) return UNKNOWN;
  let result = 1n % modulus;
  let square = ((base % modulus) + modulus) % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return int(result, true);
}
