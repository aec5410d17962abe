import type { Value } from "./values.js";

/** The heaviest value that is worked with: as many parts, or sixteen times as many characters. */
export const HEAVIEST = 20_000;

/** Longest text, and longest sequence, that folding makes. */
export const LONGEST = 100_000;

const CHARACTERS_A_PART = 16;
const weights = new WeakMap<object, number>();

/**
 * How many parts a value has, those that it holds several times counted as often: a list of two lists of two lists … is small to
 * make and without end to look through. A value is weighed when it is made, so its parts have been.
 */
export function weightOf(value: Value): number {
  if (value.kind === "str" || value.kind === "bytes")
    return 1 + value.value.length / CHARACTERS_A_PART;
  const parts = partsOf(value);
  if (!parts) return 1;
  let weight = weights.get(value);
  if (weight === undefined) {
    weight = 1;
    for (const part of parts) if (weight <= HEAVIEST) weight += weightOf(part);
    weights.set(value, weight);
  }
  return weight;
}

function partsOf(value: Value): readonly Value[] | null {
  switch (value.kind) {
    case "tuple":
    case "list":
    case "set":
    case "frozenset":
      return value.items;
    case "dict":
      return value.entries.flat();
    case "alias":
      return value.args;
    case "union":
      return value.members;
    case "annotated":
      return [value.type, ...value.metadata];
    case "literal":
      return value.values;
    case "call":
      return [...value.args, ...value.kwargs.values()];
    default:
      return null;
  }
}
