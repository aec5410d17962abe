import type { Finding } from "@sluice/contracts";

/** How many findings are listed at most, so that a hostile script cannot make its report larger than itself. */
export const FINDING_LIMITS = { all: 500, perRule: 100 } as const;

type Listable = Pick<Finding, "rule" | "severity" | "message" | "line" | "column">;

/**
 * In order of place, the first ones of each rule, and no more of them than are listed; what is worse is not cut off by what is
 * not so bad.
 *
 * Listing what is listed of a part, together with all the rest, is the same as listing everything at once, as long as no rule is in
 * both.
 */
export function listed<F extends Listable>(
  findings: readonly F[],
): { readonly kept: readonly F[]; readonly omitted: number } {
  const sorted = findings.toSorted(
    (a, b) =>
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      compare(a.rule, b.rule) ||
      compare(a.message, b.message),
  );
  const counts = new Map<string, number>();
  const shown = sorted.filter(({ rule }) => {
    const count = (counts.get(rule) ?? 0) + 1;
    counts.set(rule, count);
    return count <= FINDING_LIMITS.perRule;
  });
  if (shown.length <= FINDING_LIMITS.all)
    return { kept: shown, omitted: sorted.length - shown.length };
  const told = new Set(worstFirst(shown).slice(0, FINDING_LIMITS.all));
  return {
    kept: sorted.filter((each) => told.has(each)),
    omitted: sorted.length - told.size,
  };
}

const RANKS = { error: 0, warning: 1, info: 2 } as const;

function worstFirst<F extends Listable>(findings: readonly F[]): F[] {
  return findings.toSorted((a, b) => RANKS[a.severity] - RANKS[b.severity]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
