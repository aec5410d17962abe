import { floatRepr } from "./numbers.js";
import { codeEscape, reprOf, strOf } from "./text.js";
import { dateMethod } from "./dates.js";
import { fixedText } from "./decimals.js";
import { type Value, str } from "./values.js";
import { LONGEST } from "./weight.js";

/** Widest text and most decimal places that are written. */
const WIDEST = 1000;

const SPEC =
  /^(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/su;

/** `format(value, spec)`; `undefined` where it raises or only running tells. */
export function formatValue(value: Value, spec: string): string | undefined {
  if (spec === "") return strOf(value);
  if (value.kind === "call") {
    const formatted = dateMethod(value, "strftime", [str(spec)], new Map());
    return formatted?.kind === "str" ? formatted.value : undefined;
  }
  const found = SPEC.exec(spec);
  if (!found) return undefined;
  const [
    ,
    fill = " ",
    alignment,
    sign = "-",
    negativeZero,
    alternate,
    zero,
    width,
    group,
    precision,
    type,
  ] = found;
  if (Number(width ?? 0) > WIDEST || Number(precision ?? 0) > 100 || negativeZero) return undefined;
  const plain = value.kind === "bool" && type !== undefined ? Number(value.value) : value;
  const number =
    typeof plain === "number"
      ? BigInt(plain)
      : plain.kind === "int" || plain.kind === "float"
        ? plain.value
        : undefined;
  if (number === undefined) {
    const text = value.kind === "str" ? value.value : undefined;
    if (text === undefined || (type !== undefined && type !== "s") || group || alternate)
      return undefined;
    const characters = [...text];
    const shown = precision === undefined ? characters : characters.slice(0, Number(precision));
    const side = alignment ?? (zero ? "=" : "<");
    return side === "="
      ? undefined
      : aligned(shown.join(""), Number(width ?? 0), zero && !alignment ? "0" : fill, side);
  }
  const body = numberBody(number, type, precision, alternate !== undefined, group);
  if (body === undefined) return undefined;
  const isNegative = body.startsWith("-");
  const digits = isNegative ? body.slice(1) : body;
  const shownSign = isNegative ? "-" : sign === "-" ? "" : sign;
  const padding = alignment ? fill : zero ? "0" : " ";
  const side = alignment ?? (zero ? "=" : ">");
  if (side !== "=") return aligned(shownSign + digits, Number(width ?? 0), padding, side);
  if (group && padding === "0") return undefined;
  const prefix = /^0[xXbo]/.exec(digits)?.[0] ?? "";
  const missing = Number(width ?? 0) - shownSign.length - digits.length;
  return shownSign + prefix + padding.repeat(Math.max(missing, 0)) + digits.slice(prefix.length);
}

function aligned(text: string, width: number, fill: string, side: string): string {
  const missing = Math.max(width - [...text].length, 0);
  const before = side === "<" ? 0 : side === ">" ? missing : Math.floor(missing / 2);
  return fill.repeat(before) + text + fill.repeat(missing - before);
}

const BASES: Readonly<Record<string, readonly [number, string]>> = {
  b: [2, "0b"],
  o: [8, "0o"],
  x: [16, "0x"],
  X: [16, "0X"],
};

function numberBody(
  number: bigint | number,
  type: string | undefined,
  precision: string | undefined,
  alternate: boolean,
  group: string | undefined,
): string | undefined {
  if (typeof number === "bigint") {
    if (type === undefined || type === "d" || type === "n")
      return precision === undefined ? grouped(String(number), group) : undefined;
    if (type === "c") return undefined;
    const base = BASES[type];
    if (base) {
      if (precision !== undefined || group === ",") return undefined;
      const size = number < 0n ? -number : number;
      const digits = size.toString(base[0]);
      const text = grouped(type === "X" ? digits.toUpperCase() : digits, group, 4);
      return (number < 0n ? "-" : "") + (alternate ? base[1] : "") + text;
    }
  }
  if (alternate) return undefined;
  const value = Number(number);
  if (!Number.isFinite(value)) return undefined;
  const places = Number(precision ?? 6);
  switch (type) {
    case "f":
    case "F":
      return grouped(fixedText(value, places)!, group);
    case "%":
      return Number.isFinite(value * 100) ? `${fixedText(value * 100, places)}%` : undefined;
    case "e":
    case "E": {
      const text = value.toExponential(places).replace(/e([+-])(\d)$/, "e$10$2");
      return type === "E" ? text.toUpperCase() : text;
    }
    case "g":
    case "G": {
      const text = general(value, places || 1);
      return grouped(type === "G" ? text.toUpperCase() : text, group);
    }
    case undefined:
      if (precision === undefined) return grouped(floatRepr(value), group);
      return undefined;
    default:
      return undefined;
  }
}

function general(value: number, digits: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa = "", power = "0"] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  const trimmed = (text: string): string =>
    text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  if (exponent < -4 || exponent >= digits)
    return `${trimmed(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  return trimmed(value.toFixed(Math.max(digits - 1 - exponent, 0)));
}

function grouped(text: string, separator: string | undefined, every = 3): string {
  if (!separator) return text;
  const [whole = "", ...rest] = text.split(/(?=[.e])/);
  const pattern = new RegExp(`\\B(?=([0-9a-fA-F]{${every}})+(?![0-9a-fA-F]))`, "g");
  return whole.replace(pattern, separator) + rest.join("");
}

/** A value as a replacement field shows it: `{value!r:>10}`. */
export function formatField(
  value: Value,
  conversion: string | undefined,
  spec: string,
): string | undefined {
  if (conversion === undefined) return formatValue(value, spec);
  const text = conversion === "s" ? strOf(value) : reprOf(value);
  if (text === undefined) return undefined;
  const shown = conversion === "a" ? asciiOnly(text) : text;
  return formatValue(str(shown), spec);
}

export const asciiOnly = (text: string): string =>
  text.replace(/[^\0-\x7f]/gu, (character) => codeEscape(character.codePointAt(0)!));

/** `template.format(…)`, with fields that are numbers, names or nothing, and no fields in their formats. */
export function formatTemplate(
  template: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): string | undefined {
  let next = 0;
  let length = 0;
  let isKnown = true;
  const text = template.replace(
    /\{\{|\}\}|\{(\w*)(?:!([rsa]))?(?::([^{}]*))?\}|[{}]/g,
    (whole: string, name: string | undefined, conversion: string | undefined, spec = "") => {
      if (whole === "{{" || whole === "}}") return whole[0]!;
      if (!isKnown) return "";
      const value =
        name === undefined
          ? undefined
          : name === ""
            ? args[next++]
            : /^\d+$/.test(name)
              ? args[Number(name)]
              : kwargs.get(name);
      const shown = value && formatField(value, conversion, spec);
      length += shown?.length ?? 0;
      isKnown &&= shown !== undefined && length <= LONGEST;
      return isKnown ? (shown ?? "") : "";
    },
  );
  return isKnown ? text : undefined;
}

/** `template % values`. */
export function formatPercent(template: string, values: Value): string | undefined {
  const items = values.kind === "tuple" ? [...values.items] : [values];
  const named = values.kind === "dict" ? values.entries : null;
  let length = 0;
  let isKnown = true;
  const text = template.replace(
    /%(?:\((\w+)\))?([-+ #0]*)(\d+)?(?:\.(\d+))?([diouxXeEfFgGcrsa%])|%/g,
    (
      whole: string,
      name: string | undefined,
      flags = "",
      width: string | undefined,
      precision: string | undefined,
      type = "",
    ) => {
      if (type === "%") return "%";
      if (!isKnown) return "";
      const value =
        name === undefined
          ? named
            ? undefined
            : items.shift()
          : named?.find(([key]) => key.kind === "str" && key.value === name)?.[1];
      const shown = value && percentField(value, flags, width, precision, type);
      length += shown?.length ?? 0;
      isKnown &&= shown !== undefined && whole !== "%" && length <= LONGEST;
      return isKnown ? (shown ?? "") : "";
    },
  );
  return isKnown && (named || items.length === 0) ? text : undefined;
}

function percentField(
  value: Value,
  flags: string,
  width: string | undefined,
  precision: string | undefined,
  type: string,
): string | undefined {
  const isLeft = flags.includes("-");
  const places = precision === undefined ? "" : `.${precision}`;
  if (/[rsa]/.test(type)) {
    const text = formatField(value, type, "");
    return text && formatValue(str(text), `${isLeft ? "<" : ">"}${width ?? ""}${places}`);
  }
  if (value.kind !== "int" && value.kind !== "float" && value.kind !== "bool") return undefined;
  const isWhole = /[diu]/.test(type);
  if (isWhole && (value.kind === "float" || precision !== undefined)) return undefined;
  const sign = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  const alternate = flags.includes("#") ? "#" : "";
  const zero = flags.includes("0") && !isLeft ? "0" : "";
  const side = isLeft ? "<" : "";
  return formatValue(
    value,
    `${side}${sign}${alternate}${zero}${width ?? ""}${places}${isWhole ? "d" : type}`,
  );
}
