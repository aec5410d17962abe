import { addressText } from "./addresses.js";
import { pathText } from "./paths.js";
import { floatRepr } from "./numbers.js";
import { dateText, durationWords } from "./dates.js";
import { decimalText, fractionText } from "./decimals.js";
import { type EnumMember, type Value, calleeId } from "./values.js";

/** What Python's `str` makes of a value; `undefined` if only running it tells. */
export function strOf(value: Value): string | undefined {
  switch (value.kind) {
    case "str":
      return value.value;
    case "member":
      return memberText(value);
    case "call":
      return (
        pathText(value) ??
        addressText(value) ??
        decimalText(value) ??
        fractionText(value) ??
        dateText(value, " ") ??
        durationWords(value)
      );
    default:
      return reprOf(value);
  }
}

/** What Python's `repr` makes of a value; `undefined` if only running it tells. */
export function reprOf(value: Value): string | undefined {
  switch (value.kind) {
    case "none":
      return "None";
    case "ellipsis":
      return "Ellipsis";
    case "bool":
      return value.value ? "True" : "False";
    case "int":
      return String(value.value);
    case "float":
      return floatRepr(value.value);
    case "complex":
      return complexRepr(value.real, value.imaginary);
    case "str":
      return stringRepr(value.value);
    case "bytes":
      return `b${quoted(value.value, byteEscape)}`;
    case "list":
      return joined("[", value.items, "]");
    case "tuple":
      return value.items.length === 1
        ? joined("(", value.items, ",)")
        : joined("(", value.items, ")");
    case "set":
    case "frozenset":
      return setRepr(value.kind, value.items);
    case "dict": {
      const entries = value.entries.map(([key, item]) => {
        const left = reprOf(key);
        const right = reprOf(item);
        return left === undefined || right === undefined ? undefined : `${left}: ${right}`;
      });
      return entries.includes(undefined) ? undefined : `{${entries.join(", ")}}`;
    }
    case "library-class":
      return `<class '${value.id.replace(/^builtins\./, "")}'>`;
    case "call": {
      const path = pathText(value);
      const concrete = calleeId(value)
        .replace("pathlib.", "")
        .replace(/^Path$/, "PosixPath");
      if (path !== undefined) return `${concrete}(${stringRepr(path)})`;
      const decimal = decimalText(value);
      return decimal === undefined ? undefined : `Decimal('${decimal}')`;
    }
    case "member":
      return memberRepr(value);
    default:
      return undefined;
  }
}

function joined(open: string, items: readonly Value[], close: string): string | undefined {
  const texts = items.map(reprOf);
  return texts.includes(undefined) ? undefined : open + texts.join(", ") + close;
}

/** The order of a set is known only when there is none. */
function setRepr(kind: "set" | "frozenset", items: readonly Value[]): string | undefined {
  if (items.length === 0) return `${kind}()`;
  const braces = items.length === 1 ? joined("{", items, "}") : undefined;
  return kind === "set" || braces === undefined ? braces : `frozenset(${braces})`;
}

/** `Color.RED`; the value itself for enums whose members stand for their values, `IntEnum` and `StrEnum` among them. */
function memberText(member: EnumMember): string | undefined {
  const { class: cls } = member;
  if (["__str__", "__format__", "__repr__"].some((name) => cls.attribute(name))) return undefined;
  if (cls.isSubclassOf("enum.ReprEnum")) return strOf(member.value);
  return cls.isSubclassOf("enum.Flag") ? undefined : `${cls.name}.${member.name}`;
}

function memberRepr(member: EnumMember): string | undefined {
  const { class: cls } = member;
  const value = reprOf(member.value);
  const isOwn = cls.attribute("__repr__") !== undefined || cls.isSubclassOf("enum.Flag");
  return isOwn || value === undefined ? undefined : `<${cls.name}.${member.name}: ${value}>`;
}

function complexRepr(real: number, imaginary: number): string {
  const part = (value: number): string => floatRepr(value).replace(/\.0$/, "");
  if (real === 0 && !Object.is(real, -0)) return `${part(imaginary)}j`;
  const sign = imaginary < 0 || Object.is(imaginary, -0) ? "" : "+";
  return `(${part(real)}${sign}${part(imaginary)}j)`;
}

const stringRepr = (text: string): string => quoted(text, stringEscape);

function quoted(text: string, escape: (character: string) => string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let inner = "";
  for (const character of text) {
    if (character === quote || character === "\\") inner += `\\${character}`;
    else inner += escape(character);
  }
  return quote + inner + quote;
}

const CONTROLS: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function stringEscape(character: string): string {
  if (character === " ") return character;
  if (!/[\p{C}\p{Z}]/u.test(character)) return character;
  return CONTROLS[character] ?? codeEscape(character.codePointAt(0)!);
}

export function codeEscape(code: number): string {
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}

const byteEscape = (character: string): string =>
  CONTROLS[character] ??
  (/[ -~]/.test(character) ? character : codeEscape(character.charCodeAt(0)));
