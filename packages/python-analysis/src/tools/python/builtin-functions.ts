import { isLess, sorted } from "./comparisons.js";
import { asciiOnly, formatValue } from "./formatting.js";
import { fixedText } from "./decimals.js";
import { itemsOf, orderedItems } from "./iteration.js";
import { binary } from "./operators.js";
import { truth } from "./truth.js";
import { reprOf } from "./text.js";
import { type Value, bool, calleeId, float, int, plainOf, str } from "./values.js";

/** Calls a value; `undefined` if only running it tells what it gives. */
type Apply = (callee: Value, args: readonly Value[]) => Value | undefined;

/** What a builtin function gives; `undefined` if only running it tells. */
export function builtinFunction(
  name: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
  apply: Apply,
): Value | undefined {
  const [given, second] = args;
  if (!given) return undefined;
  const first = plainOf(given);
  switch (name) {
    case "max":
    case "min":
      return extreme(name, args, kwargs, apply);
    case "sorted":
      return sortedList(first, kwargs, apply);
    case "sum": {
      const items = orderedItems(first);
      const start = second ?? kwargs.get("start") ?? int(0);
      const total = items?.reduce((sum, item) => binary("+", sum, item), start);
      return total?.kind === "unknown" ? undefined : total;
    }
  }
  if (kwargs.size > 0) return undefined;
  switch (name) {
    case "len": {
      const length = lengthOf(first);
      return length === undefined ? undefined : int(length);
    }
    case "abs":
      if (first.kind === "int") return int(first.value < 0n ? -first.value : first.value);
      return first.kind === "float" ? float(Math.abs(first.value)) : undefined;
    case "ord":
      return first.kind === "str" && [...first.value].length === 1
        ? int(first.value.codePointAt(0)!)
        : undefined;
    case "chr":
      return first.kind === "int" && first.value >= 0n && first.value < 0x110000n
        ? str(String.fromCodePoint(Number(first.value)))
        : undefined;
    case "any":
    case "all": {
      const truths = itemsOf(first)?.map(truth);
      const decisive = name === "any";
      if (!truths) return undefined;
      if (truths.includes(decisive)) return bool(decisive);
      return truths.includes(undefined) ? undefined : bool(!decisive);
    }
    case "round":
      return rounded(first, second);
    case "pow":
      return args.length === 2 ? known(binary("**", first, second!)) : modularPower(args);
    case "divmod": {
      if (!second) return undefined;
      const items = [binary("//", first, second), binary("%", first, second)];
      return items.some((item) => item.kind === "unknown") ? undefined : { kind: "tuple", items };
    }
    case "hex":
      return formatted(first, "#x");
    case "bin":
      return formatted(first, "#b");
    case "oct":
      return formatted(first, "#o");
    case "format":
      return formatted(first, second?.kind === "str" ? second.value : "");
    case "repr":
    case "ascii": {
      const text = reprOf(given);
      if (text === undefined) return undefined;
      return str(name === "ascii" ? asciiOnly(text) : text);
    }
    default:
      return undefined;
  }
}

const known = (value: Value): Value | undefined => (value.kind === "unknown" ? undefined : value);

function lengthOf(value: Value): number | undefined {
  if (value.kind === "set" || value.kind === "frozenset") return value.items.length;
  if (value.kind === "call" && calleeId(value) === "types.GeneratorType") return undefined;
  return itemsOf(value)?.length;
}

function formatted(value: Value, spec: string): Value | undefined {
  const text = formatValue(value, spec);
  return text === undefined ? undefined : str(text);
}

/** What the `key` of a sort makes of each item. */
function keysOf(
  items: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
  apply: Apply,
): readonly Value[] | undefined {
  const key = kwargs.get("key");
  if (!key || key.kind === "none") return items;
  const keys = items.map((item) => apply(key, [item]));
  return keys.includes(undefined) ? undefined : (keys as Value[]);
}

function sortedList(
  value: Value,
  kwargs: ReadonlyMap<string, Value>,
  apply: Apply,
): Value | undefined {
  const items = itemsOf(value);
  const keys = items && keysOf(items, kwargs, apply);
  const reverse = kwargs.has("reverse") ? truth(kwargs.get("reverse")!) : false;
  if (!items || !keys || reverse === undefined) return undefined;
  if (!reverse) {
    const result = sorted(items, keys);
    return result && { kind: "list", items: result };
  }
  // Those that are equal keep their order when the rest is reversed.
  const result = sorted(items.toReversed(), keys.toReversed());
  return result && { kind: "list", items: result.toReversed() };
}

function extreme(
  name: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
  apply: Apply,
): Value | undefined {
  const items = args.length === 1 ? itemsOf(args[0]!) : args;
  if (items?.length === 0) return kwargs.get("default");
  const keys = items && keysOf(items, kwargs, apply);
  if (!items || !keys) return undefined;
  // Of those that are equal, the first counts.
  let best = 0;
  for (const [i, key] of keys.entries()) {
    const isBetter = name === "min" ? isLess(key, keys[best]!) : isLess(keys[best]!, key);
    if (isBetter === undefined) return undefined;
    if (isBetter) best = i;
  }
  return items[best];
}

function rounded(value: Value, places: Value | undefined): Value | undefined {
  const digits =
    !places || places.kind === "none" ? 0n : places.kind === "int" ? places.value : -1n;
  if (digits < 0n || digits > 50n) return undefined;
  if (value.kind === "int") return value;
  if (value.kind !== "float" || !Number.isFinite(value.value)) return undefined;
  const text = fixedText(value.value, Number(digits))!;
  return places && places.kind !== "none" ? float(Number(text)) : int(BigInt(text));
}

function modularPower(args: readonly Value[]): Value | undefined {
  const [base, exponent, modulus] = args.map((arg) => (arg.kind === "int" ? arg.value : undefined));
  if (base === undefined || exponent === undefined || !modulus || exponent < 0n) return undefined;
  if (exponent > 10_000n || modulus <= 0n) return undefined;
  let result = 1n % modulus;
  for (let left = exponent, power = base; left > 0n; left >>= 1n, power = (power * power) % modulus)
    if (left & 1n) result = (result * power) % modulus;
  return int(((result % modulus) + modulus) % modulus);
}
