import { formatTemplate } from "./formatting.js";
import { LONGEST } from "./weight.js";
import { PythonError, type Value, bool, int, str } from "./values.js";

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);
const list = (texts: readonly string[]): Value => ({ kind: "list", items: texts.map(str) });
const tuple = (...texts: string[]): Value => ({ kind: "tuple", items: texts.map(str) });

/** What a method of a text gives; `undefined` if that is not told here. */
export function textMethod(
  text: string,
  name: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value | undefined {
  if (name === "format") return known(formatTemplate(text, args, kwargs));
  if (name === "encode") return encoded(text, args[0] ?? kwargs.get("encoding"));
  if (kwargs.size > 0) return undefined;
  const texts = args.map((arg) => (arg.kind === "str" ? arg.value : undefined));
  const [first, second] = texts;
  const count = args.length;
  switch (name) {
    case "split":
    case "rsplit":
      return split(text, name, args);
    case "splitlines":
      return count === 0 ? list(text.replace(LINE_END_AT_END, "").split(LINE_END)) : undefined;
    case "strip":
    case "lstrip":
    case "rstrip":
      if (count > 0 && args[0]!.kind !== "none" && first === undefined) return undefined;
      return str(stripped(text, name, first));
    case "removeprefix":
      return first === undefined
        ? undefined
        : str(text.startsWith(first) ? text.slice(first.length) : text);
    case "removesuffix":
      return first === undefined
        ? undefined
        : str(first !== "" && text.endsWith(first) ? text.slice(0, -first.length) : text);
    case "replace":
      return first === undefined || second === undefined || first === "" || count > 2
        ? undefined
        : replaced(text, first, second);
    case "upper":
      return str(text.toUpperCase());
    case "lower":
      return str(text.toLowerCase());
    case "title":
    case "capitalize":
    case "swapcase":
      return isAscii(text) ? str(CASES[name]!(text)) : undefined;
    case "casefold":
      return isAscii(text) ? str(text.toLowerCase()) : undefined;
    case "center":
    case "ljust":
    case "rjust":
      return justified(text, name, args[0], count > 1 ? second : " ");
    case "zfill":
      return zeroFilled(text, args[0]);
    case "startswith":
    case "endswith":
      return count === 1 ? startsOrEnds(text, name, args[0]!) : undefined;
    case "find":
    case "rfind":
    case "index":
    case "rindex":
      return first === undefined || count > 1 ? undefined : found(text, name, first);
    case "count":
      return first === undefined || first === "" || count > 1
        ? undefined
        : int(text.split(first).length - 1);
    case "partition":
    case "rpartition":
      return first === undefined || first === "" ? undefined : partition(text, name, first);
    case "expandtabs":
      return expanded(text, args[0]);
    case "isdigit":
    case "isdecimal":
    case "isnumeric":
      return isAscii(text) ? bool(/^\d+$/.test(text)) : undefined;
    case "isalpha":
      return isAscii(text) ? bool(/^[A-Za-z]+$/.test(text)) : undefined;
    case "isalnum":
      return isAscii(text) ? bool(/^[A-Za-z0-9]+$/.test(text)) : undefined;
    case "isspace":
      return bool(ONLY_SPACE.test(text));
    case "isupper":
      return isAscii(text) ? bool(/^[^a-z]*[A-Z][^a-z]*$/.test(text)) : undefined;
    case "islower":
      return isAscii(text) ? bool(/^[^A-Z]*[a-z][^A-Z]*$/.test(text)) : undefined;
    case "isidentifier":
      return isAscii(text) ? bool(/^[A-Za-z_]\w*$/.test(text)) : undefined;
    case "isascii":
      return bool(isAscii(text));
    default:
      return undefined;
  }
}

const known = (text: string | undefined): Value | undefined =>
  text === undefined ? undefined : bounded(text);
const bounded = (text: string): Value | undefined =>
  text.length > LONGEST ? undefined : str(text);

function replaced(text: string, old: string, by: string): Value | undefined {
  const parts = text.split(old);
  const length = text.length + (parts.length - 1) * (by.length - old.length);
  return length > LONGEST ? undefined : str(parts.join(by));
}

/** What `str.splitlines` splits at. */
const LINE_ENDS = "(?:\\r\\n|[\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029])";
const LINE_END = new RegExp(LINE_ENDS);
const LINE_END_AT_END = new RegExp(`${LINE_ENDS}$`);
/** What `str.isspace` says yes to. */
const SPACE =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const ONLY_SPACE = new RegExp(`^[${SPACE}]+$`);

function split(text: string, name: string, args: readonly Value[]): Value | undefined {
  const [separator, most] = args;
  const limit = most?.kind === "int" ? Number(most.value) : most ? undefined : -1;
  if (limit === undefined || args.length > 2) return undefined;
  const isSpace = !separator || separator.kind === "none";
  if (!isSpace && (separator.kind !== "str" || separator.value === "")) return undefined;
  if (isSpace) {
    if (limit >= 0) return undefined;
    return list(text.split(new RegExp(`[${SPACE}]+`)).filter(Boolean));
  }
  const between = separator.kind === "str" ? separator.value : "";
  const parts = text.split(between);
  if (limit < 0 || parts.length <= limit + 1) return list(parts);
  return name === "split"
    ? list([...parts.slice(0, limit), parts.slice(limit).join(between)])
    : list([
        parts.slice(0, parts.length - limit).join(between),
        ...parts.slice(parts.length - limit),
      ]);
}

function stripped(text: string, name: string, characters: string | undefined): string {
  const wanted = characters === undefined ? null : new Set(characters);
  const space = new RegExp(`[${SPACE}]`);
  const goes = (character: string): boolean =>
    wanted ? wanted.has(character) : space.test(character);
  const all = [...text];
  let start = 0;
  let end = all.length;
  if (name !== "rstrip") while (start < end && goes(all[start]!)) start++;
  if (name !== "lstrip") while (end > start && goes(all[end - 1]!)) end--;
  return all.slice(start, end).join("");
}

const CASES: Readonly<Record<string, (text: string) => string>> = {
  title: (text) =>
    text.replace(/[A-Za-z]+/g, (word) => word[0]!.toUpperCase() + word.slice(1).toLowerCase()),
  capitalize: (text) => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase(),
  swapcase: (text) =>
    text.replace(/[A-Za-z]/g, (letter) =>
      letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase(),
    ),
};

function justified(
  text: string,
  name: string,
  width: Value | undefined,
  fill: string | undefined,
): Value | undefined {
  if (width?.kind !== "int" || width.value > LONGEST || fill === undefined) return undefined;
  const missing = Math.max(Number(width.value) - [...text].length, 0);
  if (name === "ljust") return str(text + fill.repeat(missing));
  if (name === "rjust") return str(fill.repeat(missing) + text);
  // CPython's `str.center` gives the odd one to the left where the width is odd.
  const left = Math.floor(missing / 2) + (missing & Number(width.value) & 1);
  return str(fill.repeat(left) + text + fill.repeat(missing - left));
}

function zeroFilled(text: string, width: Value | undefined): Value | undefined {
  if (width?.kind !== "int" || width.value > LONGEST) return undefined;
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  const missing = Math.max(Number(width.value) - [...text].length, 0);
  return str(sign + "0".repeat(missing) + text.slice(sign.length));
}

function startsOrEnds(text: string, name: string, wanted: Value): Value | undefined {
  const each = wanted.kind === "tuple" ? wanted.items : [wanted];
  const found = each.map((part) =>
    part.kind === "str"
      ? name === "startswith"
        ? text.startsWith(part.value)
        : text.endsWith(part.value)
      : undefined,
  );
  return found.includes(undefined) ? undefined : bool(found.includes(true));
}

function found(text: string, name: string, wanted: string): Value {
  const at = name.startsWith("r") ? text.lastIndexOf(wanted) : text.indexOf(wanted);
  if (at < 0 && name.endsWith("index")) throw new PythonError("ValueError", "substring not found");
  return int(at < 0 ? -1 : Array.from(text.slice(0, at)).length);
}

function partition(text: string, name: string, separator: string): Value {
  const at = name === "partition" ? text.indexOf(separator) : text.lastIndexOf(separator);
  if (at < 0) return name === "partition" ? tuple(text, "", "") : tuple("", "", text);
  return tuple(text.slice(0, at), separator, text.slice(at + separator.length));
}

function expanded(text: string, size: Value | undefined): Value | undefined {
  if (size && (size.kind !== "int" || size.value > 100n)) return undefined;
  const width = size?.kind === "int" ? Number(size.value) : 8;
  let column = 0;
  let result = "";
  for (const character of text) {
    if (character === "\t") {
      const spaces = width > 0 ? width - (column % width) : 0;
      result += " ".repeat(spaces);
      column += spaces;
    } else {
      result += character;
      column = character === "\n" || character === "\r" ? 0 : column + 1;
    }
  }
  return bounded(result);
}

const UTF_8 = /^utf[-_ ]?8$/i;
const ONE_BYTE = /^(ascii|us-ascii|latin[-_]?1|iso-?8859-1)$/i;

function encoded(text: string, encoding: Value | undefined): Value | undefined {
  const name = encoding === undefined ? "utf-8" : encoding.kind === "str" ? encoding.value : "";
  if (UTF_8.test(name) && text.isWellFormed())
    return { kind: "bytes", value: Buffer.from(text, "utf8").toString("latin1") };
  return ONE_BYTE.test(name) && isAscii(text) ? { kind: "bytes", value: text } : undefined;
}

/** What a method of bytes gives; `undefined` if that is not told here. */
export function bytesMethod(
  bytes: string,
  name: string,
  args: readonly Value[],
): Value | undefined {
  const [first] = args;
  if (name === "hex")
    return args.length === 0 ? str(Buffer.from(bytes, "latin1").toString("hex")) : undefined;
  if (name !== "decode" || args.length > 1) return undefined;
  const encoding = first === undefined ? "utf-8" : first.kind === "str" ? first.value : "";
  if (ONE_BYTE.test(encoding) && (isAscii(bytes) || !/ascii/i.test(encoding))) return str(bytes);
  if (!UTF_8.test(encoding)) return undefined;
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return str(decoder.decode(Buffer.from(bytes, "latin1")));
  } catch {
    return undefined;
  }
}
