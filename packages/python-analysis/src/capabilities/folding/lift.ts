import { type Constant, either, optionsOf, UNKNOWN, type Unknown, type Value } from "./value.js";

/** More combinations of alternatives are not gone through. */
const MOST_COMBINATIONS = 16;

/** What a function gives of every combination of what its arguments may be. */
export function lift(
  values: readonly Value[],
  apply: (values: readonly (Constant | Unknown)[]) => Value,
): Value {
  if (!hasChoice(values)) return apply(values as (Constant | Unknown)[]);
  let combinations: (Constant | Unknown)[][] = [[]];
  for (const value of values) {
    const options = optionsOf(value);
    if (combinations.length * options.length > MOST_COMBINATIONS) return UNKNOWN;
    combinations = combinations.flatMap((before) => options.map((option) => [...before, option]));
  }
  return combinations.map(apply).reduce(either);
}

function hasChoice(values: readonly Value[]): boolean {
  for (const value of values) if (value.type === "choice") return true;
  return false;
}
