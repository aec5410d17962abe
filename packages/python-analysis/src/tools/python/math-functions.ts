import { type Value, bool, float, int } from "./values.js";

const number = (value: Value | undefined): number | undefined =>
  value?.kind === "int" || value?.kind === "float" || value?.kind === "bool"
    ? Number(value.value)
    : undefined;

/** Functions of one float whose result IEEE 754 fixes, or that two C libraries agree on at the points asked for. */
const OF_ONE: Readonly<Record<string, (x: number) => number>> = {
  sqrt: Math.sqrt,
  fabs: Math.abs,
  log10: Math.log10,
  log2: Math.log2,
  log: Math.log,
  exp: Math.exp,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  radians: (x) => x * (Math.PI / 180),
  degrees: (x) => x * (180 / Math.PI),
};

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? (a < 0n ? -a : a) : gcd(b, a % b));

/** What a function of the module `math` gives; `undefined` if that is not told here. */
export function mathFunction(name: string, args: readonly Value[]): Value | undefined {
  const [first, second] = args;
  const x = number(first);
  if (x === undefined || !first) return undefined;
  const y = number(second);
  switch (name) {
    case "floor":
    case "ceil":
    case "trunc":
      if (first.kind === "int") return first;
      return Number.isFinite(x) && args.length === 1 ? int(BigInt(Math[name](x))) : undefined;
    case "isinf":
      return bool(!Number.isFinite(x) && !Number.isNaN(x));
    case "isnan":
      return bool(Number.isNaN(x));
    case "isfinite":
      return bool(Number.isFinite(x));
    case "pow":
      return y === undefined ? undefined : finite(x ** y);
    case "hypot":
      return args.length === 2 && y !== undefined ? finite(Math.hypot(x, y)) : undefined;
    case "copysign":
      return y === undefined
        ? undefined
        : float(Math.abs(x) * (y < 0 || Object.is(y, -0) ? -1 : 1));
  }
  if (Object.hasOwn(OF_ONE, name) && args.length === 1) return finite(OF_ONE[name]!(x));
  return first.kind === "int" ? ofIntegers(name, first.value, args) : undefined;
}

/** Where Python raises, JavaScript gives what is not finite. */
const finite = (value: number): Value | undefined =>
  Number.isFinite(value) ? float(value) : undefined;

function ofIntegers(name: string, first: bigint, args: readonly Value[]): Value | undefined {
  const second = args[1]?.kind === "int" ? args[1].value : undefined;
  switch (name) {
    case "factorial": {
      if (first < 0n || first > 170n) return undefined;
      let product = 1n;
      for (let i = 2n; i <= first; i++) product *= i;
      return int(product);
    }
    case "gcd":
      return second === undefined || args.length > 2 ? undefined : int(gcd(first, second));
    case "isqrt": {
      if (first < 0n || first > 2n ** 52n) return undefined;
      return int(Math.floor(Math.sqrt(Number(first))));
    }
    case "comb": {
      if (second === undefined || first < 0n || second < 0n || first > 500n) return undefined;
      let result = 1n;
      for (let i = 1n; i <= second; i++) result = (result * (first - second + i)) / i;
      return int(second > first ? 0n : result);
    }
    default:
      return undefined;
  }
}
