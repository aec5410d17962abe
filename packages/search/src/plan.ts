/** How candidates for a query are looked up, best ones first. */
import { parseGlob } from "./glob.js";
import { keysOfTerm, keysOfText, type TermField } from "./keys.js";
import { keysOfPattern } from "./pattern.js";
import { leadingText, type Rank, type SearchSpec, toDistribution } from "./verify.js";

/** Alternatives, each of keys that must all be there; `undefined` where any will do. */
export type KeyFilter = readonly (readonly number[])[] | undefined;

/** One look through the index, from the newest document to the oldest. */
export interface Pass {
  /** What is found by other passes, too, counts only in the one of its rank; `undefined` where there is only one. */
  readonly rank: Rank | undefined;
  readonly documents: KeyFilter;
  readonly scripts: KeyFilter;
}

/** More say hardly more. */
const MAX_KEYS = 24;

/** Each script for which the query holds is a candidate in the pass of its rank. */
export function planPasses(spec: SearchSpec): Pass[] {
  const { texts, options, places } = spec;
  const scripts = scriptKeys(spec);
  const documents = documentKeys(spec);
  const alone: Pass = {
    rank: undefined,
    documents: and(undefined, documents),
    scripts: and(undefined, scripts),
  };

  const leading = texts[leadingText(spec)];
  if (leading === undefined) return [alone];
  const keys = keysOfPattern(leading.text, options);
  if (keys === undefined) return [alone];
  const inName = places?.includes("name") ?? true;
  const inDocument = places === undefined || places.some((place) => place !== "name");
  const positive = texts.filter(({ negated }) => !negated);
  const all = positive.map(({ text }) => keysOfPattern(text, options));

  const passes: Pass[] = [];
  if (inName) {
    const named = all.every((each) => each?.length === 1)
      ? [all.flatMap((each) => each![0]!)]
      : keys;
    passes.push({
      rank: "name",
      documents: and(undefined, documents),
      scripts: and(named, scripts),
    });
  }
  if (places === undefined && positive.length === 1 && !options.regex) {
    const symbols = SYMBOLS.map((field) => keysOfTerm(field, leading.text));
    passes.push({
      rank: "symbol",
      documents: and(symbols, documents),
      scripts: and(undefined, scripts),
    });
  }
  if (inDocument)
    passes.push({
      rank: "content",
      documents: and(keys, documents),
      scripts: and(undefined, scripts),
    });
  if (inName && inDocument && positive.length > 1)
    passes.push({
      rank: "mixed",
      documents: and(undefined, documents),
      scripts: and(keys, scripts),
    });
  return passes;
}

const SYMBOLS: readonly TermField[] = ["function", "class", "tool", "import", "dependency"];

function and(alternatives: KeyFilter, keys: readonly number[]): KeyFilter {
  if (alternatives === undefined) return keys.length === 0 ? undefined : [some(keys)];
  return alternatives.map((each) => [...some(each), ...some(keys)]);
}

/** Spread over all of them: neighbours say much the same. */
function some(keys: readonly number[]): readonly number[] {
  if (keys.length <= MAX_KEYS) return keys;
  return Array.from(
    { length: MAX_KEYS },
    (_, index) => keys[Math.floor((index * keys.length) / MAX_KEYS)]!,
  );
}

function scriptKeys({ fields }: SearchSpec): number[] {
  return fields.flatMap(({ field, value, negated }) => {
    if (negated) return [];
    if (field === "name") return value.split("*").flatMap(keysOfText);
    if (field !== "namespace") return [];
    const below = /^([^*]+)\/\*$/.exec(value)?.[1];
    if (below !== undefined) return keysOfTerm("below", below);
    return value.includes("*") ? [] : keysOfTerm("namespace", value);
  });
}

function documentKeys({ fields }: SearchSpec): number[] {
  return fields.flatMap(({ field, value, negated }) => {
    if (negated) return [];
    switch (field) {
      case "docstring":
        return keysOfText(value);
      case "function":
      case "class":
      case "tool":
      case "import":
      case "capability":
        return keysOfName(field, value);
      case "dependency":
        return keysOfName(field, toDistribution(value));
      default:
        return [];
    }
  });
}

function keysOfName(field: TermField, value: string): number[] {
  const { isWhole, literals } = parseGlob(value, false);
  return isWhole ? keysOfTerm(field, value) : literals.flatMap(keysOfText);
}
