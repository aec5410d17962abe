/** Functions of Python's own and of its modules that give something constant of what is constant. */
import {
  fromBytes,
  makeBytes,
  parsedJson,
  power,
  radix,
  substituted,
  toBytes,
  toInteger,
  unquoted,
} from "./conversions.js";
import {
  type Call,
  type Caller,
  NO_NAMES,
  chained,
  dictionary,
  every,
  extreme,
  made,
  makeDictionary,
  makeSet,
  mapped,
  next,
  positional,
  range,
  reduced,
  sorted,
  summed,
  taken,
  zipped,
} from "./iteration.js";
import { codecsDecode, codecsEncode, decodeBy, fromHex } from "./codecs.js";
import { asciiOf, formatted, reprOf, strOf } from "./format.js";
import { callTextMethod, characterOf, codeOf, makeTranslation } from "./methods.js";
import { binary, compare, subscript, unary } from "./operators.js";
import {
  type Arguments,
  bool,
  bytes,
  count,
  int,
  integer,
  isHidden,
  iterate,
  iterator,
  list,
  NONE,
  text,
  truth,
  tuple,
  UNKNOWN,
  UNKNOWN_HIDDEN,
  type Value,
} from "./value.js";

const shown = (plain: string | null, value: Value, hidden = isHidden(value)): Value =>
  plain === null ? UNKNOWN : text(plain, hidden);

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

const FUNCTIONS: ReadonlyMap<string, Call> = new Map(
  Object.entries<Call>({
    "builtins.chr": ([code]) => {
      const value = code && integer(code);
      return value === null || value === undefined
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
    "builtins.int": ([value, base], _, named) => toInteger(value, base ?? named.get("base")),
    "builtins.bool": ([value]) => {
      const holds = value ? truth(value) : false;
      return holds === null ? UNKNOWN : bool(holds);
    },
    "builtins.hex": ([value]) => radix(value, 16, "0x"),
    "builtins.oct": ([value]) => radix(value, 8, "0o"),
    "builtins.bin": ([value]) => radix(value, 2, "0b"),
    "builtins.abs": ([value]) => {
      const known = value && integer(value);
      return known === null || known === undefined
        ? UNKNOWN
        : int(known < 0n ? -known : known, isHidden(value!));
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
        { type: "slice", bounds: [start, stop, step] },
        caller.budget,
      );
      return picked.type === "tuple" ? iterator(picked.items) : UNKNOWN;
    },
    "itertools.starmap": ([callee, source], caller) => {
      const rows = taken(source, caller)?.map(iterate);
      if (!callee || !rows || rows.includes(null)) return UNKNOWN;
      return iterator(
        rows.map((row) => caller.call(callee, { positional: row!, named: NO_NAMES })),
      );
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
  }),
);

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
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["_operator", "operator"],
  ["_functools", "functools"],
  ["_codecs", "codecs"],
  ["io.codecs", "codecs"],
]);
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
  if (!path.startsWith("string.")) return undefined;
  const name = path.slice("string.".length);
  return Object.hasOwn(CONSTANTS, name) ? text(CONSTANTS[name]!) : undefined;
}

/** What calling a function by its path gives; `undefined` for one that is not known. */
export function callFunction(path: string, given: Arguments, caller: Caller): Value | undefined {
  const dot = path.indexOf(".");
  const module = path.slice(0, dot);
  const alias = ALIASES.get(module);
  const full = alias === undefined ? path : alias + path.slice(dot);
  if (given.positional.some(({ type }) => type === "choice")) return undefined;
  const known = FUNCTIONS.get(full);
  if (known) return known(given.positional, caller, given.named);
  if (full.startsWith("operator.")) {
    const name = full.slice("operator.".length).replace(/^__(\w+)__$/, "$1");
    if (Object.hasOwn(OPERATORS, name))
      return operator(OPERATORS[name]!)(given.positional, caller, given.named);
    if (Object.hasOwn(COMPARISONS, name))
      return comparison(COMPARISONS[name]!)(given.positional, caller, given.named);
  }
  return decodeBy(full, [...given.positional, ...given.named.values()], caller.budget);
}
