import { type Value, argument, isCallOf, libraryClass, str } from "./values.js";

/** A finite `Decimal`: `digits × 10 ** exponent`. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: bigint;
  readonly exponent: number;
}

/** Digits that the default context keeps; a result with more is rounded, which is not followed here. */
const PRECISION = 28;
const LARGEST_EXPONENT = 5000;

const NUMBER = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:e([+-]?\d{1,6}))?$/i;
const SPECIAL: Readonly<Record<string, string>> = {
  inf: "Infinity",
  infinity: "Infinity",
  nan: "NaN",
};

function parse(text: string): Decimal | undefined {
  const found = NUMBER.exec(text.trim().replaceAll("_", ""));
  if (!found) return undefined;
  const [, sign, whole = "", after = "", only = ""] = found;
  const fraction = after + only;
  if (whole.length + fraction.length > 4000) return undefined;
  const exponent = Number(found[5] ?? 0) - fraction.length;
  return { negative: sign === "-", digits: BigInt(whole + fraction), exponent };
}

/** Floats are binary fractions, so their decimal digits are without rounding. */
function exactFloat(value: number): Decimal | undefined {
  if (!Number.isFinite(value)) return undefined;
  let scaled = Math.abs(value);
  let halvings = 0;
  while (!Number.isInteger(scaled) && halvings < 1100) {
    scaled *= 2;
    halvings++;
  }
  const digits = BigInt(scaled) * 5n ** BigInt(halvings);
  return { negative: value < 0 || Object.is(value, -0), digits, exponent: -halvings };
}

function decimalOf(value: Value): Decimal | undefined {
  if (value.kind === "int") return fromInteger(value.value);
  if (value.kind === "bool") return fromInteger(BigInt(value.value));
  if (!isCallOf(value, "decimal.Decimal")) return undefined;
  const given = argument(value, 0, "value");
  if (!given) return fromInteger(0n);
  if (given.kind === "str") return parse(given.value);
  return given.kind === "float" ? exactFloat(given.value) : decimalOf(given);
}

const fromInteger = (value: bigint): Decimal => ({
  negative: value < 0n,
  digits: value < 0n ? -value : value,
  exponent: 0,
});

const signed = ({ negative, digits }: Decimal): bigint => (negative ? -digits : digits);

/** `str(Decimal(…))`; `undefined` for what is no `Decimal` or known only by running. */
export function decimalText(value: Value): string | undefined {
  if (!isCallOf(value, "decimal.Decimal")) return undefined;
  const decimal = decimalOf(value);
  if (decimal) return written(decimal);
  const given = value.args[0];
  if (given?.kind === "float") {
    if (Number.isNaN(given.value)) return "NaN";
    return given.value > 0 ? "Infinity" : "-Infinity";
  }
  const text = given?.kind === "str" ? /^([+-]?)(\w+)$/.exec(given.value.trim()) : null;
  const name = text && SPECIAL[text[2]!.toLowerCase()];
  return name ? (text[1] === "-" ? "-" : "") + name : undefined;
}

/** @see https://docs.python.org/3/library/decimal.html: "to-scientific-string" of the specification it follows */
function written({ negative, digits, exponent }: Decimal): string {
  const text = String(digits);
  const left = exponent + text.length;
  const sign = negative ? "-" : "";
  if (exponent <= 0 && left > -6) {
    if (exponent === 0) return sign + text;
    const padded = text.padStart(text.length - Math.min(left, 1) + 1, "0");
    const cut = left > 0 ? left : 1;
    return `${sign}${padded.slice(0, cut)}.${padded.slice(cut)}`;
  }
  const fraction = text.length > 1 ? `.${text.slice(1)}` : "";
  const power = left - 1;
  return `${sign}${text[0]}${fraction}E${power < 0 ? "-" : "+"}${Math.abs(power)}`;
}

const decimalValue = (decimal: Decimal): Value | undefined =>
  String(decimal.digits).length > PRECISION
    ? undefined
    : {
        kind: "call",
        callee: libraryClass("decimal.Decimal"),
        args: [str(written(decimal))],
        kwargs: new Map(),
      };

/** `+`, `-` and `*` with decimal numbers, where the result is exact. */
export function decimalArithmetic(operator: string, left: Value, right: Value): Value | undefined {
  const isDecimal = (value: Value): boolean => isCallOf(value, "decimal.Decimal");
  if (!isDecimal(left) && !isDecimal(right)) return undefined;
  const a = decimalOf(left);
  const b = decimalOf(right);
  if (!a || !b || Math.abs(a.exponent) + Math.abs(b.exponent) > LARGEST_EXPONENT) return undefined;
  if (operator === "*") {
    return decimalValue({
      negative: a.negative !== b.negative,
      digits: a.digits * b.digits,
      exponent: a.exponent + b.exponent,
    });
  }
  if (operator !== "+" && operator !== "-") return undefined;
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = (decimal: Decimal): bigint =>
    signed(decimal) * 10n ** BigInt(decimal.exponent - exponent);
  const sum = operator === "+" ? scaled(a) + scaled(b) : scaled(a) - scaled(b);
  return decimalValue({ ...fromInteger(sum), exponent });
}

/** `Decimal.quantize(…)` in the default context, which rounds half to even. */
export function quantized(value: Value, places: Value | undefined): Value | undefined {
  const decimal = isCallOf(value, "decimal.Decimal") ? decimalOf(value) : undefined;
  const { exponent } = (places && decimalOf(places)) ?? {};
  if (!decimal || exponent === undefined) return undefined;
  const shift = decimal.exponent - exponent;
  if (Math.abs(shift) > LARGEST_EXPONENT) return undefined;
  if (shift >= 0)
    return decimalValue({ ...decimal, digits: decimal.digits * 10n ** BigInt(shift), exponent });
  const unit = 10n ** BigInt(-shift);
  const quotient = decimal.digits / unit;
  const twice = (decimal.digits % unit) * 2n;
  const isUp = twice > unit || (twice === unit && quotient % 2n === 1n);
  return decimalValue({ ...decimal, digits: quotient + (isUp ? 1n : 0n), exponent });
}

/** A float with so many decimal places, as C's `%.2f` writes it: rounded from all its digits, half to even. */
export function fixedText(value: number, places: number): string | undefined {
  const exact = exactFloat(value);
  if (!exact) return undefined;
  const unit = 10n ** BigInt(Math.max(-exact.exponent - places, 0));
  const digits = exact.digits * 10n ** BigInt(Math.max(places + exact.exponent, 0));
  const quotient = digits / unit;
  const twice = (digits % unit) * 2n;
  const isUp = twice > unit || (twice === unit && quotient % 2n === 1n);
  const text = String(isUp ? quotient + 1n : quotient).padStart(places + 1, "0");
  const cut = text.length - places;
  return (
    (exact.negative ? "-" : "") + text.slice(0, cut) + (places > 0 ? `.${text.slice(cut)}` : "")
  );
}

interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** `str(Fraction(…))`, as `1/2`; `undefined` for what is no `Fraction` or known only by running. */
export function fractionText(value: Value): string | undefined {
  const ratio = ratioOf(value);
  if (!ratio || !isCallOf(value, "fractions.Fraction")) return undefined;
  return ratio.denominator === 1n
    ? String(ratio.numerator)
    : `${ratio.numerator}/${ratio.denominator}`;
}

function ratioOf(value: Value): Ratio | undefined {
  if (value.kind === "int") return { numerator: value.value, denominator: 1n };
  if (value.kind === "float") {
    const exact = exactFloat(value.value);
    return exact && fromDecimal(exact);
  }
  if (isCallOf(value, "decimal.Decimal")) {
    const decimal = decimalOf(value);
    return decimal && fromDecimal(decimal);
  }
  if (!isCallOf(value, "fractions.Fraction")) return undefined;
  const top = argument(value, 0, "numerator");
  const bottom = argument(value, 1, "denominator");
  if (!top) return { numerator: 0n, denominator: 1n };
  if (bottom) {
    const a = ratioOf(top);
    const b = ratioOf(bottom);
    return a && b && b.numerator !== 0n
      ? reduced(a.numerator * b.denominator, a.denominator * b.numerator)
      : undefined;
  }
  if (top.kind !== "str") return ratioOf(top);
  const parts = /^\s*([+-]?\d+)\s*\/\s*(\d+)\s*$/.exec(top.value);
  if (parts) {
    const denominator = BigInt(parts[2]!);
    return denominator === 0n ? undefined : reduced(BigInt(parts[1]!), denominator);
  }
  const decimal = parse(top.value);
  return decimal && fromDecimal(decimal);
}

function fromDecimal(decimal: Decimal): Ratio | undefined {
  if (Math.abs(decimal.exponent) > LARGEST_EXPONENT) return undefined;
  return decimal.exponent >= 0
    ? { numerator: signed(decimal) * 10n ** BigInt(decimal.exponent), denominator: 1n }
    : reduced(signed(decimal), 10n ** BigInt(-decimal.exponent));
}

function reduced(numerator: bigint, denominator: bigint): Ratio {
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator];
  if (b < 0n) return reduced(-numerator, -denominator);
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n
    ? { numerator: 0n, denominator: 1n }
    : { numerator: numerator / a, denominator: denominator / a };
}
