import type { SyntaxNode } from "../../structure/types.js";
import type { Frame } from "./frame.js";

/**
 * An object of Python as far as a script's own text tells it. Text is a JavaScript string without lone surrogates; bytes are one with
 * a character for each byte. `hidden` says that it was written in a way that keeps readers from seeing it: encoded, backwards, by
 * numbers of characters.
 */
export type Constant =
  | Text
  | Bytes
  | { readonly type: "int"; readonly value: bigint; readonly hidden: boolean }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "none" }
  | { readonly type: "tuple"; readonly items: readonly Value[] }
  | List
  | Dictionary
  | Iterator
  | { readonly type: "slice"; readonly bounds: readonly [Value, Value, Value] }
  /** Something outside the script by its dotted path. */
  | { readonly type: "path"; readonly path: string }
  /** What a call with some of its arguments gives: a method of an object, a `functools.partial`. */
  | { readonly type: "method"; readonly self: Constant; readonly name: string }
  | { readonly type: "partial"; readonly callee: Value; readonly given: Arguments }
  | { readonly type: "function"; readonly node: SyntaxNode; readonly frame: Frame }
  | { readonly type: "class"; readonly node: SyntaxNode; readonly frame: Frame };

export interface Text {
  readonly type: "str";
  readonly text: string;
  readonly hidden: boolean;
}

export interface Bytes {
  readonly type: "bytes";
  /** As it is now: a `bytearray` may change. */
  text: string;
  readonly hidden: boolean;
  readonly isArray: boolean;
  /** As of a {@link List}. */
  isSpoiled?: boolean;
}

/** Lists and sets: what can change, and of what nothing is known any more once that happened out of sight. */
export interface List {
  readonly type: "list" | "set";
  items: Value[];
  spoiled: boolean;
}

export interface Dictionary {
  readonly type: "dict";
  /** By {@link keyOf}. */
  readonly entries: Map<string, readonly [key: Constant, value: Value]>;
  spoiled: boolean;
}

/** What `iter`, `map`, generators and the like give; they are worked out at once. */
export interface Iterator {
  readonly type: "iterator";
  readonly items: readonly Value[];
  /** Whether it begins again at its end (`itertools.cycle`). */
  readonly isEndless: boolean;
  next: number;
  spoiled: boolean;
}

export interface Unknown {
  readonly type: "unknown";
  readonly hidden: boolean;
}

/** One of these, and perhaps {@link Unknown} among them. */
export interface Choice {
  readonly type: "choice";
  readonly options: readonly (Constant | Unknown)[];
}

export type Value = Constant | Unknown | Choice;

export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

export const UNKNOWN: Unknown = { type: "unknown", hidden: false };
/** The result of decoding something that is not known. */
export const UNKNOWN_HIDDEN: Unknown = { type: "unknown", hidden: true };
export const NONE: Constant = { type: "none" };
export const TRUE: Constant = { type: "bool", value: true };
export const FALSE: Constant = { type: "bool", value: false };

/** Longer texts are not followed as keys of dictionaries. */
const LONGEST_KEY = 4096;
/** More alternatives than this are followed as something unknown. */
const MOST_OPTIONS = 8;

export const text = (text: string, hidden = false): Text => ({ type: "str", text, hidden });
export const bytes = (text: string, hidden = false, isArray = false): Bytes => ({
  type: "bytes",
  text,
  hidden,
  isArray,
});
export const int = (value: bigint | number, hidden = false): Constant => ({
  type: "int",
  value: BigInt(value),
  hidden,
});
export const bool = (value: boolean): Constant => (value ? TRUE : FALSE);
export const tuple = (items: readonly Value[]): Constant => ({ type: "tuple", items });
export const list = (items: readonly Value[]): List => ({
  type: "list",
  items: [...items],
  spoiled: false,
});
export const iterator = (items: readonly Value[], isEndless = false): Iterator => ({
  type: "iterator",
  items,
  isEndless,
  next: 0,
  spoiled: false,
});
export const path = (path: string): Constant => ({ type: "path", path });

/** One of two values. */
export function either(first: Value, second: Value): Value {
  if (first === second) return first;
  const options: (Constant | Unknown)[] = [];
  for (const option of [...optionsOf(first), ...optionsOf(second)]) {
    if (!options.some((other) => isSame(other, option))) options.push(option);
  }
  if (options.length === 1) return options[0]!;
  if (options.length <= MOST_OPTIONS) return { type: "choice", options };
  return isHidden({ type: "choice", options }) ? UNKNOWN_HIDDEN : UNKNOWN;
}

export function optionsOf(value: Value): readonly (Constant | Unknown)[] {
  return value.type === "choice" ? value.options : [value];
}

/** Whether two values need not be told apart. */
function isSame(a: Constant | Unknown, b: Constant | Unknown): boolean {
  if (a === b) return true;
  if (a.type !== b.type) return false;
  switch (a.type) {
    case "unknown":
    case "str":
      return (
        a.hidden === (b as Text).hidden && (a.type === "unknown" || a.text === (b as Text).text)
      );
    case "bytes":
      return !a.isArray && !(b as Bytes).isArray && a.text === (b as Bytes).text;
    case "int":
    case "bool":
    case "float":
      return a.value === (b as { value: unknown }).value;
    case "path":
      return a.path === (b as { path: string }).path;
    default:
      return a.type === "none";
  }
}

export function isHidden(value: Value): boolean {
  switch (value.type) {
    case "str":
    case "bytes":
    case "int":
    case "unknown":
      return value.hidden;
    case "choice":
      return value.options.some(isHidden);
    case "tuple":
    case "list":
    case "iterator":
      return value.items
        .slice(0, 1000)
        .some((item) => item.type !== "choice" && "hidden" in item && item.hidden);
    default:
      return false;
  }
}

/** What equal keys of a dictionary share; `null` for what is no key or not followed as one. */
export function keyOf(value: Value): string | null {
  switch (value.type) {
    case "str":
      return value.text.length > LONGEST_KEY ? null : `s${value.text}`;
    case "bytes":
      return value.isArray || value.text.length > LONGEST_KEY ? null : `b${value.text}`;
    case "int":
      return `i${value.value}`;
    case "bool":
      return `i${value.value ? 1 : 0}`;
    case "float":
      return Number.isInteger(value.value) ? `i${BigInt(value.value)}` : `f${value.value}`;
    case "none":
      return "n";
    case "tuple": {
      const keys = value.items.map(keyOf);
      return keys.includes(null) ? null : `t${JSON.stringify(keys)}`;
    }
    default:
      return null;
  }
}

/** What `bool()` gives, or `null`. */
export function truth(value: Value): boolean | null {
  switch (value.type) {
    case "str":
    case "bytes":
      return value.text !== "";
    case "int":
      return value.value !== 0n;
    case "float":
      return value.value !== 0;
    case "bool":
      return value.value;
    case "none":
      return false;
    case "tuple":
      return value.items.length > 0;
    case "list":
    case "set":
      return value.spoiled ? null : value.items.length > 0;
    case "dict":
      return value.spoiled ? null : value.entries.size > 0;
    case "path":
    case "method":
    case "function":
    case "iterator":
      return true;
    case "choice": {
      const truths = new Set(value.options.map(truth));
      return truths.size === 1 ? [...truths][0]! : null;
    }
    default:
      return null;
  }
}

/** The characters of a text, each a code point. */
export function characters(text: string): string[] {
  return /[\ud800-\udfff]/.test(text) ? [...text] : text.split("");
}

/** The number that an `int` or `bool` is. */
export function integer(value: Value): bigint | null {
  if (value.type === "int") return value.value;
  return value.type === "bool" ? BigInt(value.value) : null;
}

/** As {@link integer}, where it is small enough to count with. */
export function count(value: Value | undefined): number | null {
  const number = value ? integer(value) : null;
  return number === null || number > 1_000_000_000n || number < -1_000_000_000n
    ? null
    : Number(number);
}

/**
 * What iterating over a value gives, and uses up; `null` where that is not known. Of an endless iterator that is nothing.
 */
export function iterate(value: Value): readonly Value[] | null {
  switch (value.type) {
    case "str":
      return characters(value.text).map((character) => text(character, value.hidden));
    case "bytes":
      return Array.from(value.text, (byte) => int(byte.charCodeAt(0), value.hidden));
    case "tuple":
      return value.items;
    case "list":
      return value.spoiled ? null : value.items;
    case "set":
      // In no order that the text tells.
      return value.spoiled || value.items.length > 1 ? null : value.items;
    case "dict":
      return value.spoiled ? null : Array.from(value.entries.values(), ([key]) => key);
    case "iterator": {
      if (value.spoiled || value.isEndless) return null;
      const rest = value.items.slice(value.next);
      value.next = value.items.length;
      return rest;
    }
    default:
      return null;
  }
}
