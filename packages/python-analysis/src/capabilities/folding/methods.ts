/** The methods of `str` and `bytes`, as far as they only depend on what is constant. */
import { decodeBytes, encodeText } from "./codecs.js";
import { formatWith } from "./format.js";
import type { Budget } from "./limits.js";
import { LONGEST_TEXT, MOST_ITEMS } from "./limits.js";
import {
  bool,
  type Bytes,
  bytes,
  characters,
  count,
  int,
  integer,
  isHidden,
  iterate,
  list,
  text,
  type Text,
  tuple,
  UNKNOWN,
  type Value,
  type Arguments,
} from "./value.js";

const ASCII = /^[\0-\x7f]*$/;
const BLANKS = " \t\n\r\v\f";
/** Those of text are more, but these are the ones that ASCII has. */
const TEXT_BLANKS = `${BLANKS}\x1c\x1d\x1e\x1f\x85\xa0`;

type Self = Text | Bytes;
type Method = (
  self: Self,
  given: readonly Value[],
  budget: Budget,
  named: Arguments["named"],
) => Value;

const like = (self: Self, result: string, hidden = self.hidden): Value =>
  self.type === "str" ? text(result, hidden) : bytes(result, hidden, self.isArray);

/** An argument of the same kind as the object, as plain text. */
function textOf(self: Self, value: Value | undefined): string | null {
  return value?.type === self.type ? value.text : null;
}

const optional = (value: Value | undefined): Value | undefined =>
  value?.type === "none" ? undefined : value;

function ascii(change: (text: string) => string): Method {
  return (self) => (ASCII.test(self.text) ? like(self, change(self.text)) : UNKNOWN);
}

function strip(self: Self, given: readonly Value[], left: boolean, right: boolean): Value {
  const asked = optional(given[0]);
  const set = asked ? textOf(self, asked) : self.type === "str" ? TEXT_BLANKS : BLANKS;
  if (set === null) return UNKNOWN;
  if (!asked && self.type === "str" && !ASCII.test(self.text)) return UNKNOWN;
  const removed = new Set(characters(set));
  const all = characters(self.text);
  let start = 0;
  let end = all.length;
  while (left && start < end && removed.has(all[start]!)) start++;
  while (right && end > start && removed.has(all[end - 1]!)) end--;
  return like(self, all.slice(start, end).join(""));
}

function split(
  self: Self,
  given: readonly Value[],
  named: Arguments["named"],
  fromRight: boolean,
): Value {
  const separator = optional(given[0] ?? named.get("sep"));
  const limit = given[1] ?? named.get("maxsplit");
  const most = limit ? count(limit) : -1;
  if (most === null) return UNKNOWN;
  let parts: string[];
  let between: string;
  if (separator) {
    const wanted = textOf(self, separator);
    if (!wanted) return UNKNOWN;
    between = wanted;
    parts = self.text.split(wanted);
  } else {
    if (most >= 0 || !ASCII.test(self.text)) return UNKNOWN;
    between = " ";
    // eslint-disable-next-line no-control-regex -- Python counts them among blanks or escapes them
    const blanks = self.type === "str" ? /[\s\x1c-\x1f]+/ : /[ \t\n\r\v\f]+/;
    parts = self.text.split(blanks).filter((part) => part !== "");
  }
  if (parts.length > MOST_ITEMS) return UNKNOWN;
  if (most >= 0 && parts.length > most + 1) {
    parts = fromRight
      ? [parts.slice(0, parts.length - most).join(between), ...parts.slice(parts.length - most)]
      : [...parts.slice(0, most), parts.slice(most).join(between)];
  }
  return list(parts.map((part) => like(self, part)));
}

function partition(self: Self, given: readonly Value[], last: boolean): Value {
  const separator = textOf(self, given[0]);
  if (!separator) return UNKNOWN;
  const at = last ? self.text.lastIndexOf(separator) : self.text.indexOf(separator);
  const parts =
    at >= 0
      ? [self.text.slice(0, at), separator, self.text.slice(at + separator.length)]
      : last
        ? ["", "", self.text]
        : [self.text, "", ""];
  return tuple(parts.map((part) => like(self, part)));
}

function pad(
  self: Self,
  given: readonly Value[],
  budget: Budget,
  place: (width: number) => [number, number],
): Value {
  const width = count(given[0]);
  const fill = given[1] ? textOf(self, given[1]) : " ";
  if (width === null || fill === null || characters(fill).length !== 1) return UNKNOWN;
  const missing = width - characters(self.text).length;
  if (missing <= 0) return like(self, self.text);
  if (!budget.make(width)) return UNKNOWN;
  const [before, after] = place(missing);
  return like(self, fill.repeat(before) + self.text + fill.repeat(after));
}

/** `start` and `end` of `find` and the like are seldom given and not followed. */
function find(
  self: Self,
  given: readonly Value[],
  result: (text: string, part: string) => Value,
): Value {
  const first = given[0];
  const number = first && self.type === "bytes" ? count(first) : null;
  const part = number !== null ? String.fromCharCode(number & 0xff) : textOf(self, first);
  return part === null || given.length > 1 || !/^[^\ud800-\udfff]*$/.test(self.text)
    ? UNKNOWN
    : result(self.text, part);
}

function replaced(
  self: Self,
  given: readonly Value[],
  budget: Budget,
  named: Arguments["named"],
): Value {
  const from = textOf(self, given[0]);
  const to = textOf(self, given[1]);
  const limit = given[2] ?? named.get("count");
  let most = limit ? count(limit) : -1;
  if (from === null || to === null || most === null) return UNKNOWN;
  const hidden = self.hidden || isHidden(given[1]!);
  if (from === "") return UNKNOWN;
  const parts = self.text.split(from);
  if (!budget.make(self.text.length + parts.length * Math.max(0, to.length - from.length)))
    return UNKNOWN;
  if (most < 0) most = parts.length;
  const head = parts.slice(0, most + 1).join(to);
  const tail = parts.slice(most + 1);
  return like(self, [head, ...tail].join(from), hidden);
}

/** `str.join`, of what is known. Texts that are put together of hidden ones, such as of `chr(…)`, are hidden. */
function joined(self: Self, parts: readonly Value[], budget: Budget): Value {
  let length = 0;
  let hidden = self.hidden;
  const texts: string[] = [];
  for (const part of parts) {
    if (part.type !== self.type) return UNKNOWN;
    const { text } = part;
    texts.push(text);
    hidden ||= part.hidden;
    length += text.length + self.text.length;
    if (length > LONGEST_TEXT) return UNKNOWN;
  }
  return budget.make(length) ? like(self, texts.join(self.text), hidden) : UNKNOWN;
}

function translated(self: Self, given: readonly Value[], budget: Budget): Value {
  const [table] = given;
  if (!table || !budget.make(self.text.length)) return UNKNOWN;
  if (self.type === "bytes") {
    const removed = given[1] ? textOf(self, given[1]) : "";
    if (
      removed === null ||
      (table.type !== "none" && (table.type !== "bytes" || table.text.length !== 256))
    )
      return UNKNOWN;
    const kept = Array.from(self.text).filter((byte) => !removed.includes(byte));
    return bytes(
      kept
        .map((byte) => (table.type === "bytes" ? table.text[byte.charCodeAt(0)]! : byte))
        .join(""),
      true,
    );
  }
  if (table.type !== "dict" || table.spoiled) return UNKNOWN;
  const parts: string[] = [];
  for (const character of characters(self.text)) {
    const entry = table.entries.get(`i${character.codePointAt(0)!}`);
    const to = entry?.[1];
    if (!to) parts.push(character);
    else if (to.type === "str") parts.push(to.text);
    else if (to.type === "int") {
      const made = characterOf(to.value);
      if (made === null) return UNKNOWN;
      parts.push(made);
    } else if (to.type !== "none") return UNKNOWN;
  }
  const result = parts.join("");
  return budget.make(result.length) ? text(result, true) : UNKNOWN;
}

/** What `chr` gives; `null` for what is no character, or half of one. */
export function characterOf(code: bigint): string | null {
  if (code < 0n || code > 0x10ffffn || (code >= 0xd800n && code <= 0xdfffn)) return null;
  return String.fromCodePoint(Number(code));
}

export function makeTranslation(given: readonly Value[]): Value {
  const entries = new Map<string, readonly [ReturnType<typeof int>, Value]>();
  const add = (code: bigint, to: Value) => entries.set(`i${code}`, [int(code), to]);
  const [from, to, removed] = given;
  if (from?.type === "dict" && given.length === 1 && !from.spoiled) {
    for (const [key, value] of from.entries.values()) {
      const code = key.type === "str" ? codeOf(key.text) : integer(key);
      if (code === null) return UNKNOWN;
      add(code, value);
    }
  } else if (from?.type === "str" && to?.type === "str") {
    const [ours, theirs] = [characters(from.text), characters(to.text)];
    if (ours.length !== theirs.length) return UNKNOWN;
    ours.forEach((character, i) => add(codeOf(character)!, int(codeOf(theirs[i]!)!)));
    if (removed && removed.type !== "str") return UNKNOWN;
    for (const character of removed ? characters(removed.text) : [])
      add(codeOf(character)!, { type: "none" });
  } else if (from?.type === "bytes" && to?.type === "bytes") {
    if (from.text.length !== to.text.length) return UNKNOWN;
    const table = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i));
    Array.from(from.text).forEach((byte, i) => (table[byte.charCodeAt(0)] = to.text[i]!));
    return bytes(table.join(""));
  } else {
    return UNKNOWN;
  }
  return { type: "dict", entries, spoiled: false };
}

/** What `ord` gives of a text of one character. */
export function codeOf(text: string): bigint | null {
  const code = text.codePointAt(0);
  return code === undefined || text.length !== (code > 0xffff ? 2 : 1) ? null : BigInt(code);
}

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase();
const titled = (text: string) => text.replace(/[a-zA-Z]+/g, capitalized);
const swapped = (text: string) =>
  text.replace(/[a-zA-Z]/g, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()));

const test =
  (pattern: RegExp): Method =>
  (self) =>
    ASCII.test(self.text) ? bool(pattern.test(self.text)) : UNKNOWN;

function begins(self: Self, given: readonly Value[], holds: (part: string) => boolean): Value {
  const [first] = given;
  const parts = first?.type === "tuple" ? first.items : [first];
  const wanted = parts.map((part) => textOf(self, part));
  return given.length > 1 || wanted.includes(null)
    ? UNKNOWN
    : bool(wanted.some((part) => holds(part!)));
}

const METHODS: Readonly<Record<string, Method>> = {
  upper: ascii((text) => text.toUpperCase()),
  lower: ascii((text) => text.toLowerCase()),
  casefold: ascii((text) => text.toLowerCase()),
  swapcase: ascii(swapped),
  title: ascii(titled),
  capitalize: ascii(capitalized),
  strip: (self, given) => strip(self, given, true, true),
  lstrip: (self, given) => strip(self, given, true, false),
  rstrip: (self, given) => strip(self, given, false, true),
  split: (self, given, _, named) => split(self, given, named, false),
  rsplit: (self, given, _, named) => split(self, given, named, true),
  splitlines: (self, given) => {
    if (given.length > 0 || /[^\x20-\x7e\n\t]/.test(self.text)) return UNKNOWN;
    const lines = self.text.split("\n");
    return list((lines.at(-1) === "" ? lines.slice(0, -1) : lines).map((line) => like(self, line)));
  },
  partition: (self, given) => partition(self, given, false),
  rpartition: (self, given) => partition(self, given, true),
  center: (self, given, budget) =>
    pad(self, given, budget, (missing) => {
      // CPython puts the odd one before, if the width is odd, too.
      const width = count(given[0])!;
      const before = (missing >> 1) + (missing & width & 1);
      return [before, missing - before];
    }),
  ljust: (self, given, budget) => pad(self, given, budget, (missing) => [0, missing]),
  rjust: (self, given, budget) => pad(self, given, budget, (missing) => [missing, 0]),
  zfill: (self, given, budget) => {
    const width = count(given[0]);
    if (width === null || !budget.make(Math.max(0, width))) return UNKNOWN;
    const sign = /^[+-]/.exec(self.text)?.[0] ?? "";
    const missing = Math.max(0, width - characters(self.text).length);
    return like(self, sign + "0".repeat(missing) + self.text.slice(sign.length));
  },
  replace: replaced,
  removeprefix: (self, given) => {
    const part = textOf(self, given[0]);
    if (part === null) return UNKNOWN;
    return like(self, self.text.startsWith(part) ? self.text.slice(part.length) : self.text);
  },
  removesuffix: (self, given) => {
    const part = textOf(self, given[0]);
    if (part === null) return UNKNOWN;
    const ends = part !== "" && self.text.endsWith(part);
    return like(self, ends ? self.text.slice(0, -part.length) : self.text);
  },
  join: (self, given, budget) => {
    const parts = given[0] && iterate(given[0]);
    return parts ? joined(self, parts, budget) : UNKNOWN;
  },
  translate: translated,
  maketrans: (_, given) => makeTranslation(given),
  find: (self, given) => find(self, given, (all, part) => int(all.indexOf(part))),
  rfind: (self, given) => find(self, given, (all, part) => int(all.lastIndexOf(part))),
  index: (self, given) =>
    find(self, given, (all, part) => (all.includes(part) ? int(all.indexOf(part)) : UNKNOWN)),
  rindex: (self, given) =>
    find(self, given, (all, part) => (all.includes(part) ? int(all.lastIndexOf(part)) : UNKNOWN)),
  count: (self, given) =>
    find(self, given, (all, part) => (part === "" ? UNKNOWN : int(all.split(part).length - 1))),
  startswith: (self, given) => begins(self, given, (part) => self.text.startsWith(part)),
  endswith: (self, given) => begins(self, given, (part) => self.text.endsWith(part)),
  isalpha: test(/^[a-zA-Z]+$/),
  isdigit: test(/^[0-9]+$/),
  isalnum: test(/^[a-zA-Z0-9]+$/),
  // eslint-disable-next-line no-control-regex -- Python counts them among blanks or escapes them
  isspace: test(/^[\s\x1c-\x1f]+$/),
  isidentifier: test(/^[a-zA-Z_][a-zA-Z_0-9]*$/),
  isupper: test(/^[^a-z]*[A-Z][^a-z]*$/),
  islower: test(/^[^A-Z]*[a-z][^A-Z]*$/),
  isascii: (self) => bool(ASCII.test(self.text)),
  encode: (self, given, budget, named) =>
    self.type === "str"
      ? encodeText(self, given[0] ?? named.get("encoding"), given[1] ?? named.get("errors"), budget)
      : UNKNOWN,
  decode: (self, given, budget, named) =>
    self.type === "bytes"
      ? decodeBytes(
          self,
          given[0] ?? named.get("encoding"),
          given[1] ?? named.get("errors"),
          budget,
        )
      : UNKNOWN,
  format: (self, given, budget, named) =>
    self.type === "str" ? formatWith(self, { positional: given, named }, budget) : UNKNOWN,
  format_map: (self, given, budget) => {
    const [mapping] = given;
    if (self.type !== "str" || mapping?.type !== "dict" || mapping.spoiled) return UNKNOWN;
    const named = new Map<string, Value>();
    for (const [key, value] of mapping.entries.values())
      if (key.type === "str") named.set(key.text, value);
    return formatWith(self, { positional: [], named }, budget);
  },
  hex: (self, given) =>
    self.type === "bytes" && given.length === 0
      ? text(Buffer.from(self.text, "latin1").toString("hex"), true)
      : UNKNOWN,
  tobytes: (self) => (self.type === "bytes" ? bytes(self.text, self.hidden) : UNKNOWN),
  __len__: (self) => int(characters(self.text).length),
  __contains__: (self, given) => {
    const part = textOf(self, given[0]);
    return part === null ? UNKNOWN : bool(self.text.includes(part));
  },
};

/** What calling a method of a text or of bytes gives. */
export function callTextMethod(
  self: Self,
  name: string,
  { positional, named }: Arguments,
  budget: Budget,
): Value {
  if (!Object.hasOwn(METHODS, name) || !budget.make(self.text.length)) return UNKNOWN;
  if (named.size > 0 && !TAKES_NAMED.has(name)) return UNKNOWN;
  return METHODS[name]!(self, positional, budget, named);
}

const TAKES_NAMED = new Set(["split", "rsplit", "encode", "decode", "format", "replace"]);
