import type { Budget } from "./limits.js";
import { MOST_ITEMS } from "./limits.js";
import { binary, compare, compared } from "./operators.js";
import {
  type Arguments,
  type Constant,
  type Dictionary,
  UNKNOWN,
  type Value,
  bool,
  count,
  int,
  iterate,
  iterator,
  keyOf,
  list,
  text,
  truth,
  tuple,
} from "./value.js";

/** What functions may ask of whoever runs them. */
export interface Caller {
  readonly budget: Budget;
  call(callee: Value, given: Arguments): Value;
}

export type Call = (given: readonly Value[], caller: Caller, named: Arguments["named"]) => Value;

export const NO_NAMES: Arguments["named"] = new Map();
export const positional = (...given: Value[]): Arguments => ({
  positional: given,
  named: NO_NAMES,
});
/** A list of what iterating gives, or `null`; counted. */
export function taken(value: Value | undefined, { budget }: Caller): readonly Value[] | null {
  if (!value) return null;
  if (value.type === "str" || value.type === "bytes")
    if (!budget.make(value.text.length)) return null;
  const items = iterate(value);
  return items && items.length <= MOST_ITEMS && budget.step(items.length) ? items : null;
}

export const made =
  (make: (items: readonly Value[]) => Value): Call =>
  ([first], caller) => {
    if (!first) return make([]);
    const items = taken(first, caller);
    return items ? make(items) : UNKNOWN;
  };

export function makeSet(items: readonly Value[]): Value {
  const distinct = new Map<string, Value>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) return UNKNOWN;
    if (!distinct.has(key)) distinct.set(key, item);
  }
  return { type: "set", items: [...distinct.values()], spoiled: false };
}

export function makeDictionary(
  pairs: readonly Value[],
  into: Dictionary["entries"] = new Map(),
): Value {
  for (const pair of pairs) {
    const items = pair.type === "str" ? null : iterate(pair);
    const key = items?.length === 2 ? keyOf(items[0]!) : null;
    if (key === null) return UNKNOWN;
    into.set(key, [items![0] as Constant, items![1]!]);
  }
  return { type: "dict", entries: into, spoiled: false };
}

export function dictionary(
  [first]: readonly Value[],
  caller: Caller,
  named: Arguments["named"],
): Value {
  const entries: Dictionary["entries"] = new Map();
  if (first?.type === "dict") {
    if (first.spoiled) return UNKNOWN;
    for (const [key, entry] of first.entries) entries.set(key, entry);
  } else if (first) {
    const pairs = taken(first, caller);
    if (!pairs || makeDictionary(pairs, entries).type !== "dict") return UNKNOWN;
  }
  for (const [name, value] of named) entries.set(`s${name}`, [text(name), value]);
  return { type: "dict", entries, spoiled: false };
}

export function sorted(
  [first]: readonly Value[],
  caller: Caller,
  named: Arguments["named"],
): Value {
  const items = taken(first, caller);
  if (!items) return UNKNOWN;
  const key = named.get("key");
  const reverse = named.get("reverse");
  const isReverse = reverse ? truth(reverse) : false;
  const keyed = items.map((item): [Value, Value] => [
    item,
    key && key.type !== "none" ? caller.call(key, positional(item)) : item,
  ]);
  if (isReverse === null || keyed.some(([, by]) => compared(by, keyed[0]![1]) === null))
    return UNKNOWN;
  if (!caller.budget.step(items.length * 8)) return UNKNOWN;
  let failed = false;
  // Python keeps the order of what is equal when it sorts backwards, too.
  const ordered = keyed.toSorted(([, a], [, b]) => {
    const order = compared(a, b);
    failed ||= order === null;
    return isReverse ? -(order ?? 0) : (order ?? 0);
  });
  return failed ? UNKNOWN : list(ordered.map(([item]) => item));
}

export function mapped(given: readonly Value[], caller: Caller): Value {
  const [callee, ...rest] = given;
  const rows = callee && zipped(rest, caller);
  if (!rows) return UNKNOWN;
  const results: Value[] = [];
  for (const row of rows) {
    if (!caller.budget.step()) return UNKNOWN;
    results.push(caller.call(callee, { positional: row, named: NO_NAMES }));
  }
  return iterator(results);
}

export function zipped(sources: readonly Value[], caller: Caller): Value[][] | null {
  if (sources.length === 0) return null;
  const columns = sources.map((source) =>
    source.type === "iterator" && source.isEndless && !source.spoiled && source.items.length > 0
      ? { items: source.items, isEndless: true }
      : { items: taken(source, caller), isEndless: false },
  );
  const lengths = columns.flatMap(({ items, isEndless }) =>
    isEndless ? [] : [items?.length ?? -1],
  );
  const length = Math.min(...lengths);
  if (lengths.length === 0 || lengths.includes(-1) || !caller.budget.step(length * columns.length))
    return null;
  return Array.from({ length }, (_, i) => columns.map(({ items }) => items![i % items!.length]!));
}

export function range(given: readonly Value[], { budget }: Caller): Value {
  const [from, to, by] = given.map(count);
  const bounds =
    given.length === 1 ? [0, from, 1] : [from, to, by ?? (given.length > 2 ? null : 1)];
  const [start, end, step] = bounds;
  if (
    typeof start !== "number" ||
    typeof end !== "number" ||
    typeof step !== "number" ||
    step === 0
  )
    return UNKNOWN;
  const length = Math.max(0, Math.ceil((end - start) / step));
  if (length > MOST_ITEMS || !budget.step(length)) return UNKNOWN;
  return tuple(Array.from({ length }, (_, i) => int(start + i * step)));
}

export function reduced([callee, source, initial]: readonly Value[], caller: Caller): Value {
  const items = taken(source, caller);
  if (!callee || !items) return UNKNOWN;
  const rest = initial ? items : items.slice(1);
  const first = initial ?? items[0];
  return first
    ? rest.reduce((sum, item) => caller.call(callee, positional(sum, item)), first)
    : UNKNOWN;
}

export function summed([source, start]: readonly Value[], caller: Caller): Value {
  const items = taken(source, caller);
  return items
    ? items.reduce((sum, item) => binary("+", sum, item, caller.budget), start ?? int(0))
    : UNKNOWN;
}

export const extreme =
  (operator: "<" | ">"): Call =>
  (given, caller, named) => {
    const items = given.length === 1 ? taken(given[0], caller) : given;
    if (!items || items.length === 0 || named.size > 0) return UNKNOWN;
    let best = items[0]!;
    for (const item of items.slice(1)) {
      const holds = compare(operator, item, best);
      if (holds === null) return UNKNOWN;
      if (holds) best = item;
    }
    return best;
  };

export function next([source, fallback]: readonly Value[]): Value {
  if (source?.type !== "iterator" || source.spoiled) return UNKNOWN;
  const item = source.items[source.isEndless ? source.next % source.items.length : source.next];
  source.next++;
  return item ?? fallback ?? UNKNOWN;
}

export function chained(sources: readonly Value[], caller: Caller): Value {
  const all: Value[] = [];
  for (const source of sources) {
    const items = taken(source, caller);
    if (!items || all.length + items.length > MOST_ITEMS) return UNKNOWN;
    for (const item of items) all.push(item);
  }
  return iterator(all);
}

export function every(
  holds: (items: readonly (boolean | null)[]) => boolean,
  decides: boolean,
): Call {
  return ([source], caller) => {
    const items = taken(source, caller)?.map(truth);
    if (!items) return UNKNOWN;
    if (items.includes(decides)) return bool(decides);
    return items.includes(null) ? UNKNOWN : bool(holds(items));
  };
}
