/** Functions of Python's own and of its modules that give something constant of what is constant. */
import { codecsDecode, codecsEncode, decodeBy, encodeText, fromHex } from "./codecs.js";
import { asciiOf, formatted, parseInteger, reprOf, strOf } from "./format.js";
import { Budget, LONGEST_TEXT, MOST_ITEMS } from "./limits.js";
import { callTextMethod, characterOf, codeOf, makeTranslation } from "./methods.js";
import { binary, compare, compared, subscript, unary } from "./operators.js";
import {
  type Arguments,
  bool,
  bytes,
  type Constant,
  count,
  type Dictionary,
  int,
  integer,
  isHidden,
  iterate,
  iterator,
  keyOf,
  list,
  NONE,
  text,
  truth,
  tuple,
  UNKNOWN,
  UNKNOWN_HIDDEN,
  type Value,
} from "./value.js";

/** What functions may ask of whoever runs them. */
export interface Caller {
  readonly budget: Budget;
  call(callee: Value, given: Arguments): Value;
}

type Call = (given: readonly Value[], caller: Caller, named: Arguments["named"]) => Value;

const NO_NAMES: Arguments["named"] = new Map();
const positional = (...given: Value[]): Arguments => ({ positional: given, named: NO_NAMES });
const shown = (plain: string | null, value: Value, hidden = isHidden(value)): Value =>
  plain === null ? UNKNOWN : text(plain, hidden);

/** A list of what iterating gives, or `null`; counted. */
function taken(value: Value | undefined, { budget }: Caller): readonly Value[] | null {
  if (!value) return null;
  if (value.type === "str" || value.type === "bytes")
    if (!budget.make(value.text.length)) return null;
  const items = iterate(value);
  return items && items.length <= MOST_ITEMS && budget.step(items.length) ? items : null;
}

const made =
  (make: (items: readonly Value[]) => Value): Call =>
  ([first], caller) => {
    if (!first) return make([]);
    const items = taken(first, caller);
    return items ? make(items) : UNKNOWN;
  };

function makeSet(items: readonly Value[]): Value {
  const distinct = new Map<string, Value>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) return UNKNOWN;
    if (!distinct.has(key)) distinct.set(key, item);
  }
  return { type: "set", items: [...distinct.values()], spoiled: false };
}

function makeBytes(
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

function dictionary([first]: readonly Value[], caller: Caller, named: Arguments["named"]): Value {
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

function sorted([first]: readonly Value[], caller: Caller, named: Arguments["named"]): Value {
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

function mapped(given: readonly Value[], caller: Caller): Value {
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

function zipped(sources: readonly Value[], caller: Caller): Value[][] | null {
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

function range(given: readonly Value[], { budget }: Caller): Value {
  const [from, to, by] = given.map(count);
  const bounds =
    given.length === 1 ? [0, from, 1] : [from, to, by ?? (given.length > 2 ? null : 1)];
  const [start, end, step] = bounds;
  if (start == null || end == null || step == null || step === 0) return UNKNOWN;
  const length = Math.max(0, Math.ceil((end - start) / step));
  if (length > MOST_ITEMS || !budget.step(length)) return UNKNOWN;
  return tuple(Array.from({ length }, (_, i) => int(start + i * step)));
}

function number(value: Value | undefined, base: Value | undefined): Value {
  if (!value) return int(0);
  const known = integer(value);
  if (known !== null) return int(known, isHidden(value));
  if (value.type === "float" && Number.isFinite(value.value)) return int(Math.trunc(value.value));
  const radix = base ? count(base) : 10;
  if ((value.type !== "str" && value.type !== "bytes") || radix === null) return UNKNOWN;
  const parsed = parseInteger(value.text, radix);
  return parsed === null ? UNKNOWN : int(parsed, value.hidden);
}

function fromBytes(
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

function toBytes(
  [self, size, order]: readonly Value[],
  _: Caller,
  named: Arguments["named"],
): Value {
  const value = self && integer(self);
  const length = count(size ?? named.get("length") ?? int(1));
  const byteOrder = order ?? named.get("byteorder") ?? text("big");
  if (
    value == null ||
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

function reduced([callee, source, initial]: readonly Value[], caller: Caller): Value {
  const items = taken(source, caller);
  if (!callee || !items) return UNKNOWN;
  const rest = initial ? items : items.slice(1);
  const first = initial ?? items[0];
  return first
    ? rest.reduce((sum, item) => caller.call(callee, positional(sum, item)), first)
    : UNKNOWN;
}

function summed([source, start]: readonly Value[], caller: Caller): Value {
  const items = taken(source, caller);
  return items
    ? items.reduce((sum, item) => binary("+", sum, item, caller.budget), start ?? int(0))
    : UNKNOWN;
}

const extreme =
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

function next([source, fallback]: readonly Value[]): Value {
  if (source?.type !== "iterator" || source.spoiled) return UNKNOWN;
  const item = source.items[source.isEndless ? source.next % source.items.length : source.next];
  source.next++;
  return item ?? fallback ?? UNKNOWN;
}

function chained(sources: readonly Value[], caller: Caller): Value {
  const all: Value[] = [];
  for (const source of sources) {
    const items = taken(source, caller);
    if (!items || all.length + items.length > MOST_ITEMS) return UNKNOWN;
    for (const item of items) all.push(item);
  }
  return iterator(all);
}

/** A pattern of one character, of a class of them, or of plain text: nothing that could take long to match. */
const PLAIN_PATTERN =
  /^(?:(?:[^\\[\](){}.*+?^$|]|\\[^a-zA-Z0-9])+|(?:\[\^?(?:[^\\[\]]|\\[dws]|\\[^a-zA-Z0-9])+\]|\\[dwsDWS]|[^\\[\](){}.*+?^$|])\+?)$/;

function substituted([pattern, by, subject, limit]: readonly Value[], { budget }: Caller): Value {
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

function parsedJson(given: readonly Value[], { budget }: Caller): Value {
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

function unquoted([source]: readonly Value[]): Value {
  if (source?.type !== "str") return UNKNOWN;
  try {
    return /%(?![0-9a-fA-F]{2})/.test(source.text)
      ? UNKNOWN
      : text(decodeURIComponent(source.text), true);
  } catch {
    return UNKNOWN;
  }
}

const operator =
  (symbol: string): Call =>
  ([a, b], { budget }) =>
    a && b ? binary(symbol, a, b, budget) : UNKNOWN;
const comparison =
  (symbol: string): Call =>
  ([a, b]) => {
    const holds = a && b ? compare(symbol, a, b) : null;
    return holds === null ? UNKNOWN : bool(holds);
  };

const FUNCTIONS: Readonly<Record<string, Call>> = {
  "builtins.chr": ([code]) => {
    const value = code && integer(code);
    return value == null
      ? code?.type === "unknown"
        ? code
        : UNKNOWN
      : shown(characterOf(value), code!, true);
  },
  "builtins.ord": ([character]) => {
    if (character?.type === "bytes" && character.text.length === 1)
      return int(character.text.charCodeAt(0), character.hidden);
    const code = character?.type === "str" ? codeOf(character.text) : null;
    return code === null ? UNKNOWN : int(code, isHidden(character!));
  },
  "builtins.str": (given, { budget }, named) => {
    const [value] = given;
    if (!value) return text("");
    const encoding = given[1] ?? named.get("encoding");
    if (encoding)
      return value.type === "bytes"
        ? callTextMethod(value, "decode", positional(encoding), budget)
        : UNKNOWN;
    return shown(strOf(value), value);
  },
  "builtins.repr": ([value]) => (value ? shown(reprOf(value), value) : UNKNOWN),
  "builtins.ascii": ([value]) => (value ? shown(asciiOf(value), value) : UNKNOWN),
  "builtins.format": ([value, specifier], { budget }) => {
    if (!value || (specifier && specifier.type !== "str")) return UNKNOWN;
    return shown(formatted(value, specifier?.text ?? "", budget), value);
  },
  "builtins.int": ([value, base], _, named) => number(value, base ?? named.get("base")),
  "builtins.bool": ([value]) => {
    const holds = value ? truth(value) : false;
    return holds === null ? UNKNOWN : bool(holds);
  },
  "builtins.hex": ([value]) => radix(value, 16, "0x"),
  "builtins.oct": ([value]) => radix(value, 8, "0o"),
  "builtins.bin": ([value]) => radix(value, 2, "0b"),
  "builtins.abs": ([value]) => {
    const known = value && integer(value);
    return known == null ? UNKNOWN : int(known < 0n ? -known : known, isHidden(value!));
  },
  "builtins.pow": ([a, b, modulus], { budget }) => {
    if (!a || !b) return UNKNOWN;
    return modulus ? power(integer(a), integer(b), integer(modulus)) : binary("**", a, b, budget);
  },
  "builtins.divmod": ([a, b], { budget }) =>
    a && b ? tuple([binary("//", a, b, budget), binary("%", a, b, budget)]) : UNKNOWN,
  "builtins.len": ([value], caller) => {
    if (value?.type === "str" || value?.type === "bytes")
      return callTextMethod(value, "__len__", positional(), caller.budget);
    if (value?.type === "dict") return value.spoiled ? UNKNOWN : int(value.entries.size);
    if (value?.type === "set") return value.spoiled ? UNKNOWN : int(value.items.length);
    if (value?.type !== "tuple" && value?.type !== "list") return UNKNOWN;
    return value.type === "list" && value.spoiled ? UNKNOWN : int(value.items.length);
  },
  "builtins.sum": summed,
  "builtins.min": extreme("<"),
  "builtins.max": extreme(">"),
  "builtins.range": range,
  "builtins.list": made(list),
  "builtins.tuple": made(tuple),
  "builtins.set": made(makeSet),
  "builtins.frozenset": made(makeSet),
  "builtins.iter": (given, caller) =>
    given[0]?.type === "iterator"
      ? given[0]
      : made((items) => iterator(items))(given, caller, NO_NAMES),
  "builtins.next": next,
  "builtins.reversed": ([source], caller) => {
    const items =
      source?.type === "iterator" || source?.type === "set" ? null : taken(source, caller);
    if (!items) return UNKNOWN;
    return iterator(
      items
        .toReversed()
        .map((item) =>
          source!.type === "str" && item.type === "str" && items.length > 3
            ? text(item.text, true)
            : item,
        ),
    );
  },
  "builtins.sorted": sorted,
  "builtins.enumerate": ([source, start], caller, named) => {
    const first = count(start ?? named.get("start") ?? int(0));
    const items = taken(source, caller);
    return items && first !== null
      ? iterator(items.map((item, i) => tuple([int(first + i), item])))
      : UNKNOWN;
  },
  "builtins.zip": (given, caller) => {
    const rows = zipped(given, caller);
    return rows ? iterator(rows.map((row) => tuple(row))) : UNKNOWN;
  },
  "builtins.map": mapped,
  "builtins.filter": ([test, source], caller) => {
    const items = taken(source, caller);
    if (!items || !test) return UNKNOWN;
    const kept: Value[] = [];
    for (const item of items) {
      const holds = truth(test.type === "none" ? item : caller.call(test, positional(item)));
      if (holds === null) return UNKNOWN;
      if (holds) kept.push(item);
    }
    return iterator(kept);
  },
  "builtins.dict": dictionary,
  "builtins.bytes": (given, caller, named) => makeBytes(given, caller, named, false),
  "builtins.bytearray": (given, caller, named) => makeBytes(given, caller, named, true),
  "builtins.memoryview": ([value]) =>
    value?.type === "bytes" ? bytes(value.text, value.hidden) : UNKNOWN,
  "builtins.slice": (given) => {
    const bounds = given.length === 1 ? [NONE, given[0]!, NONE] : [...given, NONE, NONE];
    return { type: "slice", bounds: [bounds[0]!, bounds[1]!, bounds[2]!] };
  },
  "builtins.all": every((items) => items.every((each) => each === true), false),
  "builtins.any": every((items) => items.some((each) => each === true), true),
  "builtins.int.from_bytes": fromBytes,
  "builtins.int.to_bytes": toBytes,
  "builtins.bytes.fromhex": ([value]) => {
    const plain = value?.type === "str" ? fromHex(value.text, true) : null;
    return plain === null ? UNKNOWN_HIDDEN : bytes(plain, true);
  },
  "builtins.bytearray.fromhex": ([value]) => {
    const plain = value?.type === "str" ? fromHex(value.text, true) : null;
    return plain === null ? UNKNOWN_HIDDEN : bytes(plain, true, true);
  },
  "builtins.str.maketrans": (given) => makeTranslation(given),
  "builtins.bytes.maketrans": (given) => makeTranslation(given),
  "builtins.dict.fromkeys": ([keys, value], caller) => {
    const items = taken(keys, caller);
    return items ? makeDictionary(items.map((key) => tuple([key, value ?? NONE]))) : UNKNOWN;
  },
  "codecs.decode": ([data, encoding], { budget }, named) =>
    codecsDecode(data, encoding ?? named.get("encoding"), budget),
  "codecs.encode": ([data, encoding], { budget }, named) =>
    codecsEncode(data, encoding ?? named.get("encoding"), budget),
  "functools.reduce": reduced,
  "functools.partial": ([callee, ...given], _, named) =>
    callee ? { type: "partial", callee, given: { positional: given, named } } : UNKNOWN,
  "itertools.chain": chained,
  "itertools.chain.from_iterable": ([source], caller) => {
    const sources = taken(source, caller);
    return sources ? chained(sources, caller) : UNKNOWN;
  },
  "itertools.cycle": ([source], caller) => {
    const items = taken(source, caller);
    return items ? iterator(items, true) : UNKNOWN;
  },
  "itertools.islice": ([source, ...bounds], caller) => {
    const items = taken(source, caller);
    const [start, stop, step] =
      bounds.length === 1 ? [NONE, bounds[0]!, NONE] : [...bounds, NONE, NONE];
    if (!items) return UNKNOWN;
    const picked = subscript(
      tuple(items),
      { type: "slice", bounds: [start!, stop!, step!] },
      caller.budget,
    );
    return picked.type === "tuple" ? iterator(picked.items) : UNKNOWN;
  },
  "itertools.starmap": ([callee, source], caller) => {
    const rows = taken(source, caller)?.map(iterate);
    if (!callee || !rows || rows.includes(null)) return UNKNOWN;
    return iterator(rows.map((row) => caller.call(callee, { positional: row!, named: NO_NAMES })));
  },
  "operator.getitem": ([object, key], { budget }) =>
    object && key ? subscript(object, key, budget) : UNKNOWN,
  "operator.neg": ([value]) => (value ? unary("-", value) : UNKNOWN),
  "re.sub": substituted,
  "json.loads": parsedJson,
  "urllib.parse.unquote": unquoted,
  "array.array": ([kind, source], caller) =>
    kind?.type === "str" && kind.text === "B" && source
      ? makeBytes([source], caller, NO_NAMES, false)
      : UNKNOWN,
};

const OPERATORS: Readonly<Record<string, string>> = {
  add: "+",
  concat: "+",
  sub: "-",
  mul: "*",
  mod: "%",
  floordiv: "//",
  xor: "^",
  or_: "|",
  and_: "&",
  lshift: "<<",
  rshift: ">>",
  iadd: "+",
  iconcat: "+",
  ixor: "^",
  pow: "**",
};
const COMPARISONS: Readonly<Record<string, string>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};
const ALIASES: Readonly<Record<string, string>> = {
  _operator: "operator",
  _functools: "functools",
  _codecs: "codecs",
  "io.codecs": "codecs",
};
const CONSTANTS: Readonly<Record<string, string>> = {
  ascii_lowercase: "abcdefghijklmnopqrstuvwxyz",
  ascii_uppercase: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  ascii_letters: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
  digits: "0123456789",
  hexdigits: "0123456789abcdefABCDEF",
  octdigits: "01234567",
  punctuation: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
  whitespace: " \t\n\r\v\f",
  printable:
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\v\f",
};

/** A member of a module that is a constant. */
export function constantAt(path: string): Value | undefined {
  const name = path.startsWith("string.") ? path.slice("string.".length) : "";
  return Object.hasOwn(CONSTANTS, name) ? text(CONSTANTS[name]!) : undefined;
}

/** What calling a function by its path gives; `undefined` for one that is not known. */
export function callFunction(path: string, given: Arguments, caller: Caller): Value | undefined {
  const dot = path.indexOf(".");
  const module = path.slice(0, dot);
  const full = Object.hasOwn(ALIASES, module) ? ALIASES[module]! + path.slice(dot) : path;
  if (given.positional.some(({ type }) => type === "choice")) return undefined;
  if (Object.hasOwn(FUNCTIONS, full))
    return FUNCTIONS[full]!(given.positional, caller, given.named);
  if (full.startsWith("operator.")) {
    const name = full.slice("operator.".length).replace(/^__(\w+)__$/, "$1");
    if (Object.hasOwn(OPERATORS, name))
      return operator(OPERATORS[name]!)(given.positional, caller, given.named);
    if (Object.hasOwn(COMPARISONS, name))
      return comparison(COMPARISONS[name]!)(given.positional, caller, given.named);
  }
  return decodeBy(full, [...given.positional, ...given.named.values()], caller.budget);
}

function every(holds: (items: readonly (boolean | null)[]) => boolean, decides: boolean): Call {
  return ([source], caller) => {
    const items = taken(source, caller)?.map(truth);
    if (!items) return UNKNOWN;
    if (items.includes(decides)) return bool(decides);
    return items.includes(null) ? UNKNOWN : bool(holds(items));
  };
}

function radix(value: Value | undefined, base: number, prefix: string): Value {
  const known = value && integer(value);
  if (known == null || known.toString(base).length > LONGEST_TEXT) return UNKNOWN;
  return text(
    `${known < 0n ? "-" : ""}${prefix}${(known < 0n ? -known : known).toString(base)}`,
    isHidden(value!),
  );
}

function power(base: bigint | null, exponent: bigint | null, modulus: bigint | null): Value {
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
