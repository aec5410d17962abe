import {
  type Collection,
  type Value,
  bool,
  hashKey,
  float,
  int,
  isNoneType,
  plainOf,
  PythonError,
  str,
  unknown,
} from "./values.js";
import { LONGEST } from "./weight.js";
import { dateArithmetic, negatedSpan } from "./dates.js";
import { decimalArithmetic } from "./decimals.js";
import { flagOf } from "./flags.js";
import { formatPercent } from "./formatting.js";
import { joinPaths } from "./paths.js";
import { TYPING_ALIASES } from "./library.js";
import { unionOf } from "./subscripts.js";

/** Bits of the largest integer that folding makes. */
const LARGEST_BITS = 16_384;

const RUN_TIME = "an operation on values known only at run time";
const SEQUENCES = new Set(["str", "bytes", "tuple", "list"]);

/** What a binary operator gives: the arithmetic of constants, and `|` between types. */
export function binary(operator: string, a: Value, b: Value): Value {
  const flags = flagOperation(operator, a, b);
  if (flags) return flags;
  const [left, right] = [plainOf(a), plainOf(b)];
  return operation(operator, left, right);
}

/** `Perm.READ | Perm.WRITE`. */
function flagOperation(operator: string, left: Value, right: Value): Value | undefined {
  if (left.kind !== "member" || right.kind !== "member" || left.class !== right.class)
    return undefined;
  if (!/^[|&^]$/.test(operator) || !left.class.isSubclassOf("enum.Flag")) return undefined;
  const value = operation(operator, left.value, right.value);
  return value.kind === "int" ? flagOf(left.class, value.value) : value;
}

function operation(operator: string, left: Value, right: Value): Value {
  if (operator === "|" && (isTypeLike(left) || isTypeLike(right))) return typeUnion(left, right);
  if (operator === "|" && [left, right].every(({ kind }) => kind === "str" || kind === "none")) {
    throw new PythonError("TypeError", "unsupported operand type(s) for |: 'str' and 'NoneType'");
  }
  if (left.kind === "unknown") return left;
  if (right.kind === "unknown") return right;
  const a = asInteger(left);
  const b = asInteger(right);
  if (a !== undefined && b !== undefined)
    return integers(operator, a, b, left.kind === "bool" && right.kind === "bool");
  const x = asFloat(left);
  const y = asFloat(right);
  if (x !== undefined && y !== undefined) return floats(operator, x, y);
  if (left.kind === "call" || right.kind === "call") {
    const made = dateArithmetic(operator, left, right) ?? decimalArithmetic(operator, left, right);
    return made ?? (operator === "/" ? joinPaths(left, right) : unknown(RUN_TIME));
  }
  if (left.kind === "complex" || right.kind === "complex") return complexes(operator, left, right);
  if (operator === "+" || operator === "*") return sequences(operator, left, right);
  if (operator === "%" && left.kind === "str") {
    const text = formatPercent(left.value, right);
    return text === undefined ? unknown("a formatted string") : str(text);
  }
  const sets = setOperation(operator, left, right);
  if (sets) return sets;
  if (operator === "|" && left.kind === "dict" && right.kind === "dict") {
    return { kind: "dict", entries: [...left.entries, ...right.entries] };
  }
  return unknown(RUN_TIME);
}

function setOperation(operator: string, left: Value, right: Value): Value | undefined {
  const isSet = (value: Value): value is Collection =>
    value.kind === "set" || value.kind === "frozenset";
  if (!isSet(left) || !isSet(right)) return undefined;
  const mine = new Set(left.items.map(hashKey));
  const theirs = new Set(right.items.map(hashKey));
  const only = left.items.filter((item) => !theirs.has(hashKey(item)));
  const others = right.items.filter((item) => !mine.has(hashKey(item)));
  const items = {
    "|": [...left.items, ...others],
    "&": left.items.filter((item) => theirs.has(hashKey(item))),
    "-": only,
    "^": [...only, ...others],
  }[operator];
  return items && { kind: left.kind, items };
}

/** Whether a value may stand for a type, so that `|` makes a union of it. */
function isTypeLike(value: Value): boolean {
  switch (value.kind) {
    case "library-class":
    case "class":
    case "form":
    case "alias":
    case "union":
    case "annotated":
    case "literal":
    case "forward":
    case "type-alias":
      return true;
    case "call":
      return (
        value.callee.kind === "library-function" &&
        /^typing\.(TypeVar|NewType)$/.test(value.callee.id)
      );
    default:
      return false;
  }
}

function typeUnion(left: Value, right: Value): Value {
  const text = left.kind === "str" ? left : right.kind === "str" ? right : undefined;
  if (text) {
    const other = text === left ? right : left;
    // Only what `typing` makes takes a string for a forward reference; a class raises.
    if (!isOfTyping(other))
      throw new PythonError("TypeError", "unsupported operand type(s) for |: 'type' and 'str'");
  }
  for (const side of [left, right]) {
    if (!isTypeLike(side) && !isNoneType(side) && side.kind !== "unknown" && side.kind !== "str") {
      return unknown(RUN_TIME);
    }
  }
  return unionOf([left, right], isOfTyping(left) || isOfTyping(right) ? "typing" : "builtin");
}

/** Whether a type is one of `typing`'s making, not a class or an alias of one. */
function isOfTyping(type: Value): boolean {
  if (type.kind === "alias" || type.kind === "union") return type.spelling === "typing";
  return ["annotated", "literal", "call", "forward"].includes(type.kind) || isTypingAlias(type);
}

const isTypingAlias = (value: Value): boolean =>
  value.kind === "form" && TYPING_ALIASES.has(value.id.slice("typing.".length));

function asInteger(value: Value): bigint | undefined {
  if (value.kind === "int") return value.value;
  return value.kind === "bool" ? BigInt(value.value) : undefined;
}

function asFloat(value: Value): number | undefined {
  if (value.kind === "float") return value.value;
  const integer = asInteger(value);
  return integer === undefined ? undefined : Number(integer);
}

const bits = (value: bigint): number => (value < 0n ? -value : value).toString(16).length * 4;
const floorDivide = (a: bigint, b: bigint): bigint =>
  a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);

function integers(operator: string, a: bigint, b: bigint, bools: boolean): Value {
  switch (operator) {
    case "+":
      return int(a + b);
    case "-":
      return int(a - b);
    case "*":
      return bits(a) + bits(b) > LARGEST_BITS ? unknown("a very large number") : int(a * b);
    case "|":
      return bools ? bool((a | b) !== 0n) : int(a | b);
    case "&":
      return bools ? bool((a & b) !== 0n) : int(a & b);
    case "^":
      return bools ? bool((a ^ b) !== 0n) : int(a ^ b);
    case "<<":
      return b < 0n || b + BigInt(bits(a)) > LARGEST_BITS
        ? unknown("a very large number")
        : int(a << b);
    case ">>":
      return b < 0n
        ? unknown("a negative shift")
        : int(b > LARGEST_BITS ? (a < 0n ? -1n : 0n) : a >> b);
    case "**":
      if (b < 0n) return a === 0n ? unknown("a division by zero") : float(Number(a) ** Number(b));
      return BigInt(bits(a)) * b > LARGEST_BITS && a * a > 1n
        ? unknown("a very large number")
        : int(a ** b);
    case "/":
      return b === 0n ? unknown("a division by zero") : quotient(a, b);
    case "//":
      return b === 0n ? unknown("a division by zero") : int(floorDivide(a, b));
    case "%":
      return b === 0n ? unknown("a division by zero") : int(a - floorDivide(a, b) * b);
    default:
      return unknown(`the operator \`${operator}\``);
  }
}

/** Only exact where both numbers are exact floats; otherwise Python rounds once and this would round thrice. */
function quotient(a: bigint, b: bigint): Value {
  const exact = bits(a) <= 52 && bits(b) <= 52;
  return exact ? float(Number(a) / Number(b)) : unknown("a division of large numbers");
}

function floats(operator: string, a: number, b: number): Value {
  switch (operator) {
    case "+":
      return float(a + b);
    case "-":
      return float(a - b);
    case "*":
      return float(a * b);
    case "/":
      return b === 0 ? unknown("a division by zero") : float(a / b);
    case "**":
      return a < 0 && !Number.isInteger(b) ? unknown("a complex power") : float(a ** b);
    case "//":
    case "%":
      return b === 0 || !Number.isFinite(a) || !Number.isFinite(b)
        ? unknown("a division by zero")
        : dividedFloats(operator, a, b);
    default:
      return unknown(`the operator \`${operator}\``);
  }
}

function complexes(operator: string, left: Value, right: Value): Value {
  const part = (value: Value): [number, number] | undefined => {
    if (value.kind === "complex") return [value.real, value.imaginary];
    const real = asFloat(value);
    return real === undefined ? undefined : [real, 0];
  };
  const a = part(left);
  const b = part(right);
  if (!a || !b || (operator !== "+" && operator !== "-")) return unknown("complex arithmetic");
  const sign = operator === "+" ? 1 : -1;
  return { kind: "complex", real: a[0] + sign * b[0], imaginary: a[1] + sign * b[1] };
}

function sequences(operator: string, left: Value, right: Value): Value {
  const long = unknown("a very long sequence");
  if (operator === "+") {
    if (left.kind === "str" && right.kind === "str")
      return left.value.length + right.value.length > LONGEST
        ? long
        : str(left.value + right.value);
    if (left.kind === "bytes" && right.kind === "bytes")
      return { kind: "bytes", value: left.value + right.value };
    if ((left.kind === "tuple" || left.kind === "list") && left.kind === right.kind) {
      return left.items.length + right.items.length > LONGEST
        ? long
        : { kind: left.kind, items: [...left.items, ...right.items] };
    }
    return unknown(RUN_TIME);
  }
  const [sequence, times] = SEQUENCES.has(left.kind)
    ? [left, asInteger(right)]
    : [right, asInteger(left)];
  if (times === undefined) return unknown(RUN_TIME);
  const count = times < 0n ? 0 : times > BigInt(LONGEST) ? LONGEST + 1 : Number(times);
  if (sequence.kind === "str" || sequence.kind === "bytes") {
    return sequence.value.length * count > LONGEST
      ? long
      : { kind: sequence.kind, value: sequence.value.repeat(count) };
  }
  if (sequence.kind === "tuple" || sequence.kind === "list") {
    if (sequence.items.length * count > LONGEST) return long;
    return {
      kind: sequence.kind,
      items: Array.from({ length: count }, () => sequence.items).flat(),
    };
  }
  return unknown(RUN_TIME);
}

/** As CPython's `float_divmod`: the remainder has the sign of the divisor. */
function dividedFloats(operator: string, a: number, b: number): Value {
  let remainder = a % b;
  let quotient = (a - remainder) / b;
  if (remainder !== 0 && b < 0 !== remainder < 0) {
    remainder += b;
    quotient -= 1;
  }
  if (operator === "%") return float(remainder === 0 ? (b < 0 ? -0 : 0) : remainder);
  const floor = Math.floor(quotient);
  return float(quotient === 0 ? (a / b < 0 ? -0 : 0) : quotient - floor > 0.5 ? floor + 1 : floor);
}

export function unary(operator: string, given: Value): Value {
  const value = plainOf(given);
  if (value.kind === "unknown") return value;
  if (operator === "-" && value.kind === "call")
    return (
      negatedSpan(value) ??
      decimalArithmetic("*", value, int(-1)) ??
      unknown(`the operator \`${operator}\``)
    );
  const integer = asInteger(value);
  if (integer !== undefined)
    return int(operator === "-" ? -integer : operator === "~" ? ~integer : integer);
  if (operator !== "~" && value.kind === "float")
    return float(operator === "-" ? -value.value : value.value);
  if (operator === "-" && value.kind === "complex")
    return { ...value, real: -value.real, imaginary: -value.imaginary };
  return unknown(`the operator \`${operator}\``);
}
