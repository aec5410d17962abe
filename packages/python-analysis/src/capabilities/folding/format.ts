/** `%`, `str.format`, f-strings and `format`, of what is constant. */
import type { Budget } from "./limits.js";
import {
  type Arguments,
  type Bytes,
  characters,
  isHidden,
  integer,
  type Text,
  text,
  UNKNOWN,
  type Value,
} from "./value.js";

/** `[[fill]align][sign][#][0][width][grouping][.precision][type]` */
const SPECIFIER =
  /^(?:([^])?([<>=^]))?([-+ ])?(#)?(0)?(\d{1,6})?([,_])?(?:\.(\d{1,6}))?([bcdoxXns])?$/u;

/** What `str()` gives, or `null`. */
export function strOf(value: Value): string | null {
  switch (value.type) {
    case "str":
      return value.text;
    case "int":
      return value.value.toString();
    case "bool":
      return value.value ? "True" : "False";
    case "none":
      return "None";
    default:
      return reprOf(value);
  }
}

/** What `repr()` gives, or `null`. */
export function reprOf(value: Value, depth = 0): string | null {
  if (depth > 5) return null;
  const all = (items: readonly Value[]) => {
    if (items.length > 1000) return null;
    const parts = items.map((item) => reprOf(item, depth + 1));
    return parts.includes(null) ? null : parts.join(", ");
  };
  switch (value.type) {
    case "str":
      return quotedText(value.text);
    case "bytes":
      return value.isArray ? null : quotedBytes(value.text);
    case "int":
    case "bool":
    case "none":
      return strOf(value);
    case "tuple": {
      const inner = all(value.items);
      return inner === null ? null : `(${inner}${value.items.length === 1 ? "," : ""})`;
    }
    case "list": {
      const inner = value.spoiled ? null : all(value.items);
      return inner === null ? null : `[${inner}]`;
    }
    default:
      return null;
  }
}

function quoteFor(content: string): string {
  return content.includes("'") && !content.includes('"') ? '"' : "'";
}

const ESCAPED: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};
const hex = (code: number) => `\\x${code.toString(16).padStart(2, "0")}`;

function quotedText(content: string): string | null {
  // Which characters are printable depends on the version of Unicode.
  if (/[^\0-\x7e\xa1-\xac\xae-\xff]/.test(content)) return null;
  const quote = quoteFor(content);
  // eslint-disable-next-line no-control-regex -- Python counts them among blanks or escapes them
  const inner = content.replace(/[\0-\x1f\\'"]/g, (c) => {
    if (c === "'" || c === '"') return c === quote ? `\\${c}` : c;
    return ESCAPED[c] ?? hex(c.charCodeAt(0));
  });
  return `${quote}${inner}${quote}`;
}

function quotedBytes(content: string): string {
  const quote = quoteFor(content);
  const inner = content.replace(/[^\x20-\x7e]|[\\'"]/g, (c) => {
    if (c === "'" || c === '"') return c === quote ? `\\${c}` : c;
    return ESCAPED[c] ?? hex(c.charCodeAt(0));
  });
  return `b${quote}${inner}${quote}`;
}

export function asciiOf(value: Value): string | null {
  const plain = reprOf(value);
  return plain === null || /[^\0-\x7f]/.test(plain) ? null : plain;
}

function padded(content: string, fill: string, align: string, width: number): string {
  const missing = width - characters(content).length;
  if (missing <= 0) return content;
  if (align === "<") return content + fill.repeat(missing);
  if (align === "^")
    return fill.repeat(missing >> 1) + content + fill.repeat(missing - (missing >> 1));
  return fill.repeat(missing) + content;
}

const RADIX: Readonly<Record<string, readonly [number, string]>> = {
  b: [2, "0b"],
  o: [8, "0o"],
  x: [16, "0x"],
  X: [16, "0X"],
};

/** What `format(value, specifier)` gives, or `null`. */
export function formatted(value: Value, specifier: string, budget: Budget): string | null {
  if (specifier === "") return strOf(value);
  const [, fill, align, sign, alternate, zero, width, group, precision, type] =
    SPECIFIER.exec(specifier) ?? [];
  if (!SPECIFIER.test(specifier)) return null;
  const wide = Number(width ?? 0);
  if (!budget.make(wide)) return null;
  if (value.type === "str") {
    if (sign || alternate || group || align === "=" || (type && type !== "s")) return null;
    const cut =
      precision === undefined
        ? value.text
        : characters(value.text).slice(0, Number(precision)).join("");
    return padded(cut, fill ?? (zero ? "0" : " "), align ?? "<", wide);
  }
  const number = integer(value);
  if (number === null || precision !== undefined || type === "s" || group) return null;
  if (value.type === "bool" && type === undefined) return null;
  if (type === "c") {
    if (
      sign ||
      alternate ||
      number < 0n ||
      number > 0x10ffffn ||
      (number >= 0xd800n && number < 0xe000n)
    )
      return null;
    return padded(
      String.fromCodePoint(Number(number)),
      fill ?? (zero ? "0" : " "),
      align ?? (zero ? "=" : "<"),
      wide,
    );
  }
  const [radix, prefix] = RADIX[type ?? "d"] ?? [10, ""];
  let digits = (number < 0n ? -number : number).toString(radix);
  if (type === "X") digits = digits.toUpperCase();
  const head =
    (number < 0n ? "-" : sign === "+" || sign === " " ? sign : "") + (alternate ? prefix : "");
  if (align === "=" || (zero && !align))
    return head + padded(digits, fill ?? (zero ? "0" : " "), ">", wide - head.length);
  return padded(head + digits, fill ?? (zero ? "0" : " "), align ?? ">", wide);
}

/** Applies `!r`, `!s`, `!a`. */
export function converted(value: Value, conversion: string | undefined): Value {
  const plain =
    conversion === "r"
      ? reprOf(value)
      : conversion === "a"
        ? asciiOf(value)
        : conversion === "s"
          ? strOf(value)
          : undefined;
  if (plain === undefined) return value;
  return plain === null ? UNKNOWN : text(plain, isHidden(value));
}

const FIELD =
  /\{\{|\}\}|\{([^{}!:[\].]*)((?:\.[^{}!:[\].]+|\[[^{}\]]*\])*)(?:!([rsa]))?(?::([^{}]*(?:\{[^{}]*\}[^{}]*)*))?\}|[{}]/g;

/** `str.format`. */
export function formatWith(self: Text, given: Arguments, budget: Budget): Value {
  let next = 0;
  let failed = false;
  let hidden = self.hidden;
  let length = self.text.length;
  const field = (name: string, path: string): Value => {
    const key = name === "" ? String(next++) : name;
    let value = /^\d+$/.test(key) ? given.positional[Number(key)] : given.named.get(key);
    for (const [step] of path.matchAll(/\.[^.[]+|\[[^\]]*\]/g))
      value = value && stepInto(value, step);
    return value ?? UNKNOWN;
  };
  const result = self.text.replace(
    FIELD,
    (whole, name?: string, path?: string, conversion?: string, specifier?: string) => {
      if (whole === "{{" || whole === "}}") return whole[0]!;
      if (failed || whole.length === 1) {
        failed = true;
        return "";
      }
      const value = converted(field(name ?? "", path ?? ""), conversion);
      const wanted = (specifier ?? "").replace(/\{([^{}!:[\].]*)\}/g, (_, inner: string) => {
        const plain = strOf(field(inner, ""));
        if (plain === null) failed = true;
        return plain ?? "";
      });
      const plain = failed ? null : formatted(value, wanted, budget);
      length += plain?.length ?? 0;
      if (plain === null || !budget.make(length)) failed = true;
      hidden ||= isHidden(value);
      return plain ?? "";
    },
  );
  return failed ? UNKNOWN : text(result, hidden);
}

function stepInto(value: Value, step: string): Value | undefined {
  if (!step.startsWith("[")) return undefined;
  const key = step.slice(1, -1);
  if (value.type === "dict" && !value.spoiled)
    return value.entries.get(/^\d+$/.test(key) ? `i${key}` : `s${key}`)?.[1];
  if (!/^\d+$/.test(key)) return undefined;
  if (value.type === "list" && value.spoiled) return undefined;
  if (value.type === "tuple" || value.type === "list") return value.items[Number(key)];
  const character = value.type === "str" ? characters(value.text)[Number(key)] : undefined;
  return character === undefined ? undefined : text(character, isHidden(value));
}

const CONVERSION = /%(?:\(([^)]*)\))?([-+ #0]*)(\d{0,6})(?:\.(\d{1,6}))?([a-zA-Z%])|%/g;

/** `text % value` and `bytes % value`. */
export function percent(self: Text | Bytes, value: Value, budget: Budget): Value {
  const items = value.type === "tuple" ? value.items : [value];
  let next = 0;
  let failed = false;
  let hidden = self.hidden;
  let length = self.text.length;
  const result = self.text.replace(
    CONVERSION,
    (
      _,
      key: string | undefined,
      flags: string | undefined,
      width: string,
      precision: string | undefined,
      type: string | undefined,
    ) => {
      if (failed || type === undefined) {
        failed = true;
        return "";
      }
      if (type === "%") return "%";
      const named =
        key === undefined || value.type !== "dict" || value.spoiled
          ? undefined
          : value.entries.get(`s${key}`)?.[1];
      const item = key === undefined ? items[next++] : named;
      const plain = item
        ? percentOne(item, flags ?? "", precision, type, self.type === "bytes")
        : null;
      if (plain === null || !budget.make((length += Math.max(plain.length, Number(width))))) {
        failed = true;
        return "";
      }
      hidden ||= isHidden(item!);
      const missing = Number(width) - characters(plain).length;
      if (missing <= 0) return plain;
      if (flags!.includes("-")) return plain + " ".repeat(missing);
      if (!flags!.includes("0") || /[sracSR]/.test(type)) return " ".repeat(missing) + plain;
      const [head] = /^[-+ ]?(?:0[xXo])?/.exec(plain)!;
      return head + "0".repeat(missing) + plain.slice(head.length);
    },
  );
  const isUsedUp = next === items.length || (value.type === "dict" && next === 0);
  if (failed || !isUsedUp) return UNKNOWN;
  return self.type === "str" ? text(result, hidden) : { ...self, text: result, hidden };
}

function percentOne(
  value: Value,
  flags: string,
  precision: string | undefined,
  type: string,
  isBytes: boolean,
): string | null {
  const cut = (plain: string | null) =>
    plain === null || precision === undefined
      ? plain
      : characters(plain).slice(0, Number(precision)).join("");
  const number = integer(value);
  switch (type) {
    case "s":
      if (isBytes) return value.type === "bytes" ? cut(value.text) : null;
      return cut(strOf(value));
    case "b":
      return isBytes && value.type === "bytes" ? cut(value.text) : null;
    case "r":
    case "a":
      return cut(type === "r" ? reprOf(value) : asciiOf(value));
    case "c":
      if (number !== null && number >= 0n && number < (isBytes ? 256n : 0xd800n))
        return String.fromCharCode(Number(number));
      return !isBytes && value.type === "str" && characters(value.text).length === 1
        ? value.text
        : null;
    case "d":
    case "i":
    case "u":
    case "x":
    case "X":
    case "o": {
      if (number === null || precision !== undefined) return null;
      const sign = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
      const kind = /[diu]/.test(type) ? "d" : type;
      const [radix, prefix] = RADIX[kind] ?? [10, ""];
      const digits = (number < 0n ? -number : number).toString(radix);
      return (
        (number < 0n ? "-" : sign) +
        (flags.includes("#") ? prefix : "") +
        (type === "X" ? digits.toUpperCase() : digits)
      );
    }
    default:
      return null;
  }
}

const PLAIN = /^(?:0|[1-9][0-9]{0,14})$/;

/** `int(text, base)`, or `null`. */
export function parseInteger(digits: string, base: number): bigint | null {
  if ((base === 0 || base === 10) && PLAIN.test(digits)) return BigInt(digits);
  const match = /^\s*([+-]?)(0[xX]|0[oO]|0[bB])?([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)\s*$/.exec(digits);
  if (!match || digits.length > 4000) return null;
  let [, sign, prefix, body] = match;
  const prefixes: Readonly<Record<string, number>> = { "0x": 16, "0o": 8, "0b": 2 };
  const named = prefix === undefined ? undefined : prefixes[prefix.toLowerCase()];
  let radix = base;
  if (named !== undefined && base === 0) radix = named;
  else if (named !== undefined && named !== base) body = prefix! + body!;
  else if (base === 0) {
    if (/^0+[1-9_]/.test(body!)) return null;
    radix = 10;
  }
  if (radix < 2 || radix > 36) return null;
  let value = 0n;
  for (const digit of body!.replaceAll("_", "").toLowerCase()) {
    const worth = Number.parseInt(digit, 36);
    if (worth >= radix) return null;
    value = value * BigInt(radix) + BigInt(worth);
  }
  return sign === "-" ? -value : value;
}
