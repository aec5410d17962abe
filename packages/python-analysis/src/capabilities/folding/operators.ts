/** Python's operators on what is constant. */
import { percent } from "./format.js";
import type { Budget } from "./limits.js";
import { LONGEST_NUMBER, MOST_ITEMS } from "./limits.js";
import {
  bool,
  bytes,
  characters,
  count,
  int,
  integer,
  isHidden,
  keyOf,
  list,
  type Text,
  text,
  tuple,
  UNKNOWN,
  UNKNOWN_HIDDEN,
  type Value,
} from "./value.js";

/** What `left operator right` gives. */
export function binary(operator: string, left: Value, right: Value, budget: Budget): Value {
  if (left.type === "unknown" || (right.type === "unknown" && operator !== "%"))
    return isHidden(left) || isHidden(right) ? UNKNOWN_HIDDEN : UNKNOWN;
  const result = operate(operator, left, right, budget);
  return result.type === "unknown" && (isHidden(left) || isHidden(right)) ? UNKNOWN_HIDDEN : result;
}

function operate(operator: string, left: Value, right: Value, budget: Budget): Value {
  const [a, b] = [integer(left), integer(right)];
  if (a !== null && b !== null) {
    const hidden = isHidden(left) || isHidden(right);
    if (left.type === "bool" && right.type === "bool" && /^[&|^]$/.test(operator)) {
      return bool(calculate(operator, a, b) === 1n);
    }
    const result = calculate(operator, a, b);
    return result === null ? UNKNOWN : int(result, hidden);
  }
  switch (operator) {
    case "+":
      return added(left, right, budget);
    case "*":
      return a === null ? repeated(left, b, budget) : repeated(right, a, budget);
    case "%":
      return left.type === "str" || left.type === "bytes" ? percent(left, right, budget) : UNKNOWN;
    case "|":
      return left.type === "dict" && right.type === "dict" && !left.spoiled && !right.spoiled
        ? { type: "dict", entries: new Map([...left.entries, ...right.entries]), spoiled: false }
        : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

function calculate(operator: string, a: bigint, b: bigint): bigint | null {
  const size = (n: bigint) =>
    n > 0xffffffffn || n < -0xffffffffn ? n.toString(16).length * 4 : 32;
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return size(a) + size(b) > LONGEST_NUMBER ? null : a * b;
    case "//":
      return b === 0n ? null : (a - modulo(a, b)) / b;
    case "%":
      return b === 0n ? null : modulo(a, b);
    case "**":
      return b < 0n || b > 100_000n || size(a) * Number(b) > LONGEST_NUMBER ? null : a ** b;
    case "<<":
      return b < 0n || b > LONGEST_NUMBER || size(a) + Number(b) > LONGEST_NUMBER ? null : a << b;
    case ">>":
      return b < 0n ? null : a >> (b > LONGEST_NUMBER ? BigInt(LONGEST_NUMBER) : b);
    case "&":
      return a & b;
    case "|":
      return a | b;
    case "^":
      return a ^ b;
    default:
      return null;
  }
}

/** Python's `%`, whose sign is that of the divisor. */
function modulo(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
}

function added(left: Value, right: Value, budget: Budget): Value {
  if (left.type === "str" && right.type === "str") {
    if (!budget.make(left.text.length + right.text.length)) return UNKNOWN;
    return text(left.text + right.text, left.hidden || right.hidden);
  }
  if (left.type === "bytes" && right.type === "bytes") {
    if (!budget.make(left.text.length + right.text.length)) return UNKNOWN;
    return bytes(left.text + right.text, left.hidden || right.hidden, left.isArray);
  }
  const sequences =
    (left.type === "list" && right.type === "list" && !left.spoiled && !right.spoiled) ||
    (left.type === "tuple" && right.type === "tuple");
  if (!sequences) return UNKNOWN;
  const length = left.items.length + right.items.length;
  if (length > MOST_ITEMS || !budget.step(length)) return UNKNOWN;
  const items = [...left.items, ...right.items];
  return left.type === "list" ? list(items) : tuple(items);
}

function repeated(value: Value, times: bigint | null, budget: Budget): Value {
  if (times === null || times > 1_000_000n) return UNKNOWN;
  const number = Math.max(0, Number(times));
  if (value.type === "str" || value.type === "bytes") {
    if (!budget.make(value.text.length * number)) return UNKNOWN;
    return { ...value, text: value.text.repeat(number) };
  }
  if ((value.type !== "list" || value.spoiled) && value.type !== "tuple") return UNKNOWN;
  const length = value.items.length * number;
  if (length > MOST_ITEMS || !budget.step(length)) return UNKNOWN;
  const items = Array.from({ length }, (_, i) => value.items[i % value.items.length]!);
  return value.type === "list" ? list(items) : tuple(items);
}

export function unary(operator: string, value: Value): Value {
  const number = integer(value);
  if (number === null) return UNKNOWN;
  const hidden = isHidden(value);
  if (operator === "-") return int(-number, hidden);
  if (operator === "~") return int(-number - 1n, hidden);
  return operator === "+" ? int(number, hidden) : UNKNOWN;
}

/** Whether a comparison holds; `null` where that cannot be told. */
export function compare(operator: string, left: Value, right: Value): boolean | null {
  switch (operator) {
    case "==":
      return equal(left, right);
    case "!=": {
      const same = equal(left, right);
      return same === null ? null : !same;
    }
    case "is":
    case "is not": {
      if (left.type !== "none" && right.type !== "none") return null;
      if ([left, right].some(({ type }) => type === "unknown" || type === "choice")) return null;
      return (left.type === right.type) === (operator === "is");
    }
    case "in":
    case "not in": {
      const found = contains(right, left);
      return found === null ? null : found === (operator === "in");
    }
  }
  const order = compared(left, right);
  if (order === null) return null;
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  if (operator === ">") return order > 0;
  return operator === ">=" ? order >= 0 : null;
}

function equal(left: Value, right: Value): boolean | null {
  const [a, b] = [keyOf(left), keyOf(right)];
  return a === null || b === null ? null : a === b;
}

function contains(whole: Value, part: Value): boolean | null {
  if (whole.type === "str" && part.type === "str") return whole.text.includes(part.text);
  if (whole.type === "bytes" && part.type === "bytes") return whole.text.includes(part.text);
  const key = keyOf(part);
  if (key === null) return null;
  if (whole.type === "dict") return whole.spoiled ? null : whole.entries.has(key);
  if (whole.type !== "list" && whole.type !== "tuple" && whole.type !== "set") return null;
  if (whole.type !== "tuple" && whole.spoiled) return null;
  const keys = whole.items.map(keyOf);
  return keys.includes(key) || (keys.includes(null) ? null : false);
}

/** Less than, equal to or more than 0, as `left` is to `right`; `null` for what has no order that is followed. */
export function compared(left: Value, right: Value): number | null {
  const [a, b] = [integer(left), integer(right)];
  if (a !== null && b !== null) return a < b ? -1 : a > b ? 1 : 0;
  if (
    (left.type === "str" && right.type === "str") ||
    (left.type === "bytes" && right.type === "bytes")
  ) {
    // UTF-16 puts what is past U+FFFF before some of what is not.
    if (/[\ud800-\udfff]/.test(left.text + right.text)) return null;
    return left.text < right.text ? -1 : left.text > right.text ? 1 : 0;
  }
  if (left.type !== "tuple" && left.type !== "list") return null;
  if (right.type !== left.type) return null;
  const shorter = Math.min(left.items.length, right.items.length, 100);
  for (let i = 0; i < shorter; i++) {
    const [x, y] = [left.items[i]!, right.items[i]!];
    // Anything deeper is no key that anybody sorts by.
    if (x.type === "tuple" || x.type === "list") return null;
    const order = compared(x, y);
    if (order !== 0) return order;
  }
  return left.items.length - right.items.length;
}

/** What `object[key]` gives. */
export function subscript(object: Value, key: Value, budget: Budget): Value {
  if (object.type === "dict") {
    const found = keyOf(key);
    return (found !== null && !object.spoiled && object.entries.get(found)?.[1]) || UNKNOWN;
  }
  if (object.type === "str" && key.type === "int" && isSingle(object)) {
    const index = Number(key.value);
    const item = object.text.at(index);
    return item === undefined || !Number.isInteger(index) ? UNKNOWN : text(item, object.hidden);
  }
  if (object.type === "bytes" && key.type === "int") {
    const code = object.text.at(Number(key.value))?.charCodeAt(0);
    return code === undefined ? UNKNOWN : int(code, isHidden(object));
  }
  const isText = object.type === "str" || object.type === "bytes";
  if (isText && !budget.make(object.text.length)) return UNKNOWN;
  const sequence = sequenceOf(object);
  if (!sequence) return isHidden(object) ? UNKNOWN_HIDDEN : UNKNOWN;
  if (key.type === "slice") {
    const places = sliced(sequence.length, key.bounds);
    if (!places || !budget.make(places.length)) return UNKNOWN;
    const picked = places.map((i) => sequence[i]!);
    const isBackwards = places.length > 3 && places[0]! > places.at(-1)!;
    switch (object.type) {
      case "str":
        return text((picked as string[]).join(""), object.hidden || isBackwards);
      case "bytes":
        return bytes((picked as string[]).join(""), object.hidden || isBackwards, object.isArray);
      case "tuple":
        return tuple(picked as Value[]);
      default:
        return list(picked as Value[]);
    }
  }
  const index = count(key);
  if (index === null) return UNKNOWN;
  const item = sequence.at(index);
  if (item === undefined || index < -sequence.length) return UNKNOWN;
  if (typeof item !== "string") return item;
  return object.type === "str"
    ? text(item, object.hidden)
    : int(item.charCodeAt(0), isHidden(object));
}

const single = new WeakSet<Text>();

/** Whether every character is one unit, so that it can be picked without counting. */
function isSingle(object: Text): boolean {
  if (single.has(object)) return true;
  if (/[\ud800-\udfff]/.test(object.text)) return false;
  single.add(object);
  return true;
}

function sequenceOf(object: Value): readonly (string | Value)[] | null {
  switch (object.type) {
    case "str":
      return characters(object.text);
    case "bytes":
      return object.text.split("");
    case "tuple":
      return object.items;
    case "list":
      return object.spoiled ? null : object.items;
    default:
      return null;
  }
}

/** The indices that a slice picks, in order (`slice.indices`); `null` for bounds that are not known. */
function sliced(length: number, bounds: readonly [Value, Value, Value]): number[] | null {
  const [from, to, by] = bounds.map((bound) => (bound.type === "none" ? undefined : count(bound)));
  if (from === null || to === null || by === null || by === 0) return null;
  const step = by ?? 1;
  const bound = (value: number | undefined, missing: number) => {
    if (value === undefined) return missing;
    const place = value < 0 ? value + length : value;
    return step < 0
      ? Math.max(-1, Math.min(place, length - 1))
      : Math.max(0, Math.min(place, length));
  };
  const start = bound(from, step < 0 ? length - 1 : 0);
  const end = bound(to, step < 0 ? -1 : length);
  const places: number[] = [];
  for (let i = start; step < 0 ? i > end : i < end; i += step) places.push(i);
  return places;
}
