import { measureComplexity } from "../complexity.js";
import { quoted } from "../findings/finding.js";
import type { ParsedModule } from "../structure/types.js";
import { type ComplexityFacts, FACT_LIMITS, type Piece } from "./script-facts.js";

/** The measures of every function and block that a policy may limit. */
export function complexityFacts(parsed: ParsedModule): ComplexityFacts {
  const { module, functions, blocks } = measureComplexity(parsed);
  const all = [
    ...functions.map(({ definition, position, mccabe, cognitive, maxNesting }): Piece => {
      const { line, column } = position;
      return [quoted(definition.qualifiedName), line, column, mccabe, cognitive, maxNesting];
    }),
    ...blocks.map(({ position, mccabe }): Piece => {
      return [null, position.line, position.column, mccabe, 0, 0];
    }),
  ].toSorted(byPlace);
  const most = all.length > FACT_LIMITS.pieces ? all.toSorted(mostComplexFirst) : all;
  const rest = most.slice(FACT_LIMITS.pieces);
  return {
    module,
    pieces: most.slice(0, FACT_LIMITS.pieces).toSorted(byPlace),
    rest: {
      mccabe: counts(rest.map((piece) => piece[3])),
      cognitive: counts(rest.map((piece) => piece[4])),
      nesting: counts(rest.map((piece) => piece[5])),
    },
  };
}

function byPlace(a: Piece, b: Piece): number {
  return a[1] - b[1] || a[2] - b[2];
}

function mostComplexFirst(a: Piece, b: Piece): number {
  return b[3] + b[4] + b[5] - (a[3] + a[4] + a[5]) || byPlace(a, b);
}

function counts(values: readonly number[]): (readonly [value: number, count: number])[] {
  const found = new Map<number, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return [...found].toSorted(([a], [b]) => a - b);
}
