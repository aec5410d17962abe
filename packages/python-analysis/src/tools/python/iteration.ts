import { type Call, type Value, calleeId, hashKey, int, str } from "./values.js";

/** Items that are looked at one by one. */
const MOST_ITEMS = 10_000;

/** The items of a collection, those of a set in no particular order; `undefined` for what only running tells. */
export function itemsOf(value: Value): readonly Value[] | undefined {
  switch (value.kind) {
    case "tuple":
    case "list":
    case "set":
    case "frozenset":
      return value.items;
    case "str":
      return [...value.value].map(str);
    case "bytes":
      return [...value.value].map((byte) => int(byte.charCodeAt(0)));
    case "dict":
      return distinctEntries(value.entries).map(([key]) => key);
    case "class":
      return value.isEnum ? value.canonicalMembers : undefined;
    case "call":
      return iterated(value);
    default:
      return undefined;
  }
}

/** The items in the order that iterating gives, which that of a set of several is not known to have. */
export function orderedItems(value: Value): readonly Value[] | undefined {
  const isSet = value.kind === "set" || value.kind === "frozenset";
  const items = itemsOf(value);
  return isSet && value.items.length > 1 ? undefined : items;
}

/** Without repeats, as sets and keys are told apart: `1` and `True` are one. */
export function distinct<T extends Value>(
  items: readonly T[],
  keyOf: (item: T) => string = hashKey,
): T[] {
  const found = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    if (!found.has(key)) found.set(key, item);
  }
  return [...found.values()];
}

/** As Python keeps them: equal keys are one, `1` and `True` among them, under the first's name with the last's value. */
export function distinctEntries(
  entries: readonly (readonly [Value, Value])[],
): readonly (readonly [Value, Value])[] {
  const found = new Map<string, readonly [Value, Value]>();
  for (const [key, value] of entries) {
    const identity = hashKey(key);
    found.set(identity, [found.get(identity)?.[0] ?? key, value]);
  }
  return [...found.values()];
}

/** What iterating `range(…)`, `zip(…)` and the like gives. */
function iterated(call: Call): readonly Value[] | undefined {
  const [first, second] = call.args;
  switch (calleeId(call)) {
    case "builtins.range":
      return rangeItems(call.args);
    case "builtins.zip": {
      if (call.kwargs.size > 0) return undefined;
      const each = call.args.map(orderedItems);
      if (each.includes(undefined)) return undefined;
      const length = Math.min(...each.map((items) => items!.length));
      return Array.from({ length: call.args.length === 0 ? 0 : length }, (_, i) => ({
        kind: "tuple" as const,
        items: each.map((items) => items![i]!),
      }));
    }
    case "builtins.enumerate": {
      const given = second ?? call.kwargs.get("start");
      const start = given ? (given.kind === "int" ? given.value : undefined) : 0n;
      const items = first && orderedItems(first);
      return start === undefined
        ? undefined
        : items?.map((item, i) => ({ kind: "tuple", items: [int(start + BigInt(i)), item] }));
    }
    case "builtins.reversed":
      return first && orderedItems(first)?.toReversed();
    // What the interpreter gathered: a generator, or a view of a dictionary.
    case "types.GeneratorType":
    case "collections.abc.MappingView":
      return first?.kind === "list" ? first.items : undefined;
    case "collections.deque":
      return first ? orderedItems(first) : [];
    default:
      return undefined;
  }
}

function rangeItems(args: readonly Value[]): readonly Value[] | undefined {
  const numbers = args.map((arg) => (arg.kind === "int" ? arg.value : undefined));
  if (numbers.includes(undefined) || args.length === 0 || args.length > 3) return undefined;
  const [start, stop] = args.length === 1 ? [0n, numbers[0]!] : [numbers[0]!, numbers[1]!];
  const step = numbers[2] ?? 1n;
  if (step === 0n) return undefined;
  const items: Value[] = [];
  for (let at = start; step > 0n ? at < stop : at > stop; at += step) {
    if (items.length >= MOST_ITEMS) return undefined;
    items.push(int(at));
  }
  return items;
}
