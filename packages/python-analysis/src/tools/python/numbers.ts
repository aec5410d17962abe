import { type Value, float, int, unknown } from "./values.js";

/** Longest integer literal that is read; CPython's own limit for converting one to text is 4,300 digits. */
const MOST_DIGITS = 4300;

/** The value of an `integer` or `float` token, imaginary ones included. */
export function numberValue(token: string): Value {
  const text = token.replaceAll("_", "").toLowerCase();
  if (text.length > MOST_DIGITS) return unknown("a very long number");
  if (text.endsWith("j")) return { kind: "complex", real: 0, imaginary: Number(text.slice(0, -1)) };
  if (/^0[xob]/.test(text)) return int(BigInt(text));
  if (/^\d+$/.test(text)) return int(BigInt(text));
  return float(Number(text));
}

/** A float as Python's `repr` writes it. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= 1e16 || magnitude < 1e-4)) {
    const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
    return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  }
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}
