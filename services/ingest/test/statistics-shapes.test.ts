import fc from "fast-check";
import { expect, it } from "vitest";
import { toMeasures, toTimes } from "../src/routes/statistics-shapes.js";

it("tells a percentile of times to within a fifth", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 10_000_000_000 }), { minLength: 1, maxLength: 200 }),
      (all) => {
        const counts = new Map<number, number>();
        for (const time of all) {
          const n = Math.ceil(4 * Math.log2(time) - 1e-9);
          counts.set(n, (counts.get(n) ?? 0) + 1);
        }
        const sorted = all.toSorted((a, b) => a - b);
        const times = toTimes({
          stage: "validate",
          what: "work",
          count: all.length,
          sumMicroseconds: all.reduce((a, b) => a + b, 0),
          buckets: [...counts].map(([n, count]) => ({ n, count })).toSorted((a, b) => a.n - b.n),
        });
        for (const [share, told] of [
          [0.5, times?.p50_ms],
          [0.95, times?.p95_ms],
          [0.99, times?.p99_ms],
        ] as const) {
          const real = (sorted[Math.ceil(share * all.length) - 1] as number) / 1_000;
          // Three digits are shown.
          expect(told).toBeGreaterThanOrEqual(real * 0.995);
          expect(told).toBeLessThanOrEqual(real * 1.2);
        }
      },
    ),
  );
});

it("has no percentile of nothing", () => {
  expect(toTimes(undefined)).toBeNull();
});

it("names every measure by its path", () => {
  expect(
    toMeasures({
      a: { b: 1, none: null },
      failures: [{ stage: "dedup", code: "x", tries: 2 }],
      stages: [{ stage: "validate", work: { p50_ms: 3 }, wait: null }],
    }),
  ).toEqual([
    ["a.b", 1],
    ["failures.dedup.x.tries", 2],
    ["stages.validate.work.p50_ms", 3],
  ]);
});
