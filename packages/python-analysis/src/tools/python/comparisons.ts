import { itemsOf } from "./iteration.js";
import { momentOf, microsOf } from "./dates.js";
import { type Value, bool, equalityKey, plainOf, unknown } from "./values.js";

type Comparable = bigint | number | string;

function numberOf(value: Value): bigint | number | undefined {
  if (value.kind === "int" || value.kind === "float") return value.value;
  return value.kind === "bool" ? BigInt(value.value) : undefined;
}

const isAtom = (value: Value): boolean =>
  ["none", "ellipsis", "str", "bytes", "library-class", "class", "form"].includes(value.kind);

/** Whether two values are equal; `undefined` if only running tells. */
export function areEqual(left: Value, right: Value): boolean | undefined {
  if (left.kind === "member" && right.kind === "member" && left.class === right.class)
    return left.name === right.name || areEqual(left.value, right.value);
  const [a, b] = [plainOf(left), plainOf(right)];
  const [x, y] = [numberOf(a), numberOf(b)];
  // JavaScript, too, compares integers with floats exactly.
  // oxlint-disable-next-line eqeqeq
  if (x !== undefined && y !== undefined) return x == y;
  if (a.kind === "member" || b.kind === "member")
    return isAtom(a) || isAtom(b) || x !== undefined || y !== undefined ? false : undefined;
  if ((a.kind === "list" || a.kind === "tuple") && a.kind === b.kind) {
    if (a.items.length !== b.items.length) return false;
    const each = a.items.map((item, i) => areEqual(item, b.items[i]!));
    return each.includes(false) ? false : each.includes(undefined) ? undefined : true;
  }
  const isSimple = (value: Value): boolean => isAtom(value) || numberOf(value) !== undefined;
  if (isSimple(a) && isSimple(b)) return equalityKey(a) === equalityKey(b);
  const [m, n] = [orderOf(a), orderOf(b)];
  return m !== undefined && n !== undefined ? m === n : undefined;
}

/** What points in time and spans of it are compared by. */
function orderOf(value: Value): bigint | undefined {
  const moment = momentOf(value);
  return moment && moment.offset === null ? moment.micros : microsOf(value);
}

/** Whether one value sorts before another; `undefined` if only running tells, or it raises. */
export function isLess(left: Value, right: Value): boolean | undefined {
  const [a, b] = [plainOf(left), plainOf(right)];
  const x: Comparable | undefined = numberOf(a) ?? orderOf(a);
  const y: Comparable | undefined = numberOf(b) ?? orderOf(b);
  if (x !== undefined && y !== undefined) return x < y;
  if ((a.kind === "str" || a.kind === "bytes") && a.kind === b.kind)
    return compareText(a.value, b.value) < 0;
  if ((a.kind === "list" || a.kind === "tuple") && a.kind === b.kind) {
    for (const [i, item] of a.items.entries()) {
      const other = b.items[i];
      if (!other) return false;
      const equal = areEqual(item, other);
      if (!equal) return equal === undefined ? undefined : isLess(item, other);
    }
    return a.items.length < b.items.length;
  }
  return undefined;
}

/** By code point, as Python compares strings. */
export function compareText(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** The items in order; `undefined` where some cannot be compared. */
export function sorted(
  items: readonly Value[],
  keys: readonly Value[] = items,
): Value[] | undefined {
  let isKnown = true;
  const order = items.map((_, i) => i);
  order.sort((a, b) => {
    const less = isLess(keys[a]!, keys[b]!);
    const more = isLess(keys[b]!, keys[a]!);
    if (less === undefined || more === undefined) isKnown = false;
    return less ? -1 : more ? 1 : 0;
  });
  return isKnown ? order.map((i) => items[i]!) : undefined;
}

function isIn(item: Value, container: Value): boolean | undefined {
  if (container.kind === "str")
    return item.kind === "str" ? container.value.includes(item.value) : undefined;
  const items = itemsOf(container);
  if (!items) return undefined;
  const each = items.map((candidate) => areEqual(candidate, item));
  return each.includes(true) ? true : each.includes(undefined) ? undefined : false;
}

const SINGLETONS: ReadonlySet<string> = new Set(["none", "ellipsis", "bool", "member", "class"]);

function isSame(left: Value, right: Value): boolean | undefined {
  if (!SINGLETONS.has(left.kind) && !SINGLETONS.has(right.kind)) return undefined;
  return left.kind === right.kind && areEqual(left, right);
}

function decide(operator: string, left: Value, right: Value): boolean | undefined {
  const not = (known: boolean | undefined): boolean | undefined =>
    known === undefined ? undefined : !known;
  switch (operator) {
    case "==":
      return areEqual(left, right);
    case "!=":
      return not(areEqual(left, right));
    case "is":
      return isSame(left, right);
    case "is not":
      return not(isSame(left, right));
    case "in":
      return isIn(left, right);
    case "not in":
      return not(isIn(left, right));
    case "<":
      return isLess(left, right);
    case ">":
      return isLess(right, left);
    case "<=":
      return areEqual(left, right) || isLess(left, right);
    case ">=":
      return areEqual(left, right) || isLess(right, left);
    default:
      return undefined;
  }
}

export function compare(operator: string, left: Value, right: Value): Value {
  if (left.kind === "unknown") return left;
  if (right.kind === "unknown") return right;
  const known = decide(operator, left, right);
  return known === undefined ? unknown("a comparison") : bool(known);
}
