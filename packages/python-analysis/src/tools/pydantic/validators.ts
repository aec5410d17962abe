import { momentOf, microsOf } from "../python/dates.js";
import { decimalText, fractionText } from "../python/decimals.js";
import { type Value, isCallOf, plainOf } from "../python/values.js";
import { type Core, SchemaError } from "./core.js";
import { isRustRegex } from "./regex.js";

const LENGTHS = new Set(["min_length", "max_length", "max_digits", "decimal_places"]);
const BOUNDS = new Set(["gt", "ge", "lt", "le", "multiple_of"]);

/**
 * Refuses a constraint that pydantic-core raises for when it builds the validator of a type, such as a fraction as the bound of
 * integers or a regular expression that Rust does not read. The rules are those of `pydantic-core/src/validators/*.rs`.
 *
 * @throws SchemaError
 */
export function refuseConstraint(type: Core["type"], name: string, given: Value): void {
  const value = plainOf(given);
  if (value.kind === "unknown" || value.kind === "none") return;
  const problem = LENGTHS.has(name)
    ? lengthProblem(value)
    : BOUNDS.has(name)
      ? boundProblem(type, name, value)
      : name === "pattern"
        ? patternProblem(value)
        : null;
  if (problem !== null)
    throw new SchemaError("PydanticUserError", `the constraint \`${name}\` ${problem}`);
}

function lengthProblem(value: Value): string | null {
  if (value.kind === "int") return value.value < 0n ? "is negative" : null;
  return value.kind === "bool" ? null : "is no integer";
}

function patternProblem(value: Value): string | null {
  if (value.kind !== "str" || isRustRegex(value.value)) return null;
  return "is no regular expression that Rust's `regex` reads, which knows no look-around and no back-references";
}

function numberOf(value: Value): number | null {
  return value.kind === "int" || value.kind === "float" || value.kind === "bool"
    ? Number(value.value)
    : null;
}

const isDecimal = (value: Value): boolean =>
  isCallOf(value, "decimal.Decimal") || isCallOf(value, "fractions.Fraction");

const COERCION: Readonly<Record<string, readonly [(value: Value) => boolean, string]>> = {
  int: [isIntegral, "is no integer"],
  float: [(value) => numberOf(value) !== null || isDecimal(value), "is no number"],
  decimal: [isDecimalText, "is no decimal number"],
  fraction: [isFractionText, "is no fraction"],
  date: [isDate, "is no date"],
  datetime: [isDatetime, "is no point in time"],
  time: [isTime, "is no time of day"],
  timedelta: [isSpan, "is no span of time"],
};

function boundProblem(type: Core["type"], name: string, value: Value): string | null {
  const rule = COERCION[type];
  if (!rule) return null;
  if (!rule[0](value)) return rule[1];
  const number = numberOf(value) ?? Number(decimalText(value) ?? NaN);
  return name === "multiple_of" && number <= 0 ? "is not greater than zero" : null;
}

function isIntegral(value: Value): boolean {
  if (value.kind === "str") return /^\s*[+-]?\d+(_\d+)*(\.0*)?\s*$/.test(value.value);
  const number = numberOf(value);
  if (number !== null) return Number.isInteger(number);
  const decimal = decimalText(value) ?? fractionText(value);
  return decimal !== undefined && Number.isInteger(Number(decimal));
}

function isDecimalText(value: Value): boolean {
  if (value.kind === "str") return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value.value);
  return value.kind !== "bool" && (numberOf(value) !== null || isDecimal(value));
}

function isFractionText(value: Value): boolean {
  if (value.kind === "str")
    return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$|^\s*[+-]?\d+\/\d+\s*$/i.test(value.value);
  const number = numberOf(value);
  return number === null ? isDecimal(value) : Number.isFinite(number);
}

const classOf = (value: Value): string | undefined => momentOf(value)?.class;

function isDate(value: Value): boolean {
  if (value.kind === "str") return /^\d{4}-\d\d-\d\d$/.test(value.value);
  return classOf(value) === "date" || isUntold(value);
}

/** Numbers are seconds since 1970. */
function isDatetime(value: Value): boolean {
  if (value.kind === "str") return /^\d{4}-\d\d-\d\d|^[+-]?\d+(\.\d+)?$/.test(value.value);
  if (value.kind === "bool") return false;
  const number = numberOf(value);
  if (number !== null) return Math.abs(number) <= 2e13;
  return isDecimal(value) || /^date(time)?$/.test(classOf(value) ?? "") || isUntold(value);
}

/** Numbers are seconds since midnight. */
function isTime(value: Value): boolean {
  if (value.kind === "str") return /^\d\d:\d\d/.test(value.value);
  if (value.kind === "bool") return false;
  const number = numberOf(value);
  if (number !== null) return number >= 0 && number < 86_400;
  return isDecimal(value) || classOf(value) === "time" || isUntold(value);
}

function isSpan(value: Value): boolean {
  if (value.kind === "str") return /^[+-]?P|:/.test(value.value);
  const number = numberOf(value);
  if (number !== null) return Math.abs(number) <= 86_399_999_999_999;
  return isDecimal(value) || microsOf(value) !== undefined || isUntold(value);
}

/** A call of `datetime`'s whose result only running tells. */
function isUntold(value: Value): boolean {
  return (
    value.kind === "call" &&
    value.callee.kind === "library-class" &&
    value.callee.id.startsWith("datetime.") &&
    momentOf(value) === undefined &&
    microsOf(value) === undefined
  );
}
