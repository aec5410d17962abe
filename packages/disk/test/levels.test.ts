import fc from "fast-check";
import { expect, test } from "vitest";
import { levelsOf, nextState, thresholdsOf } from "../src/levels.js";
import type { Room } from "../src/room.js";

const GB = 1_000_000_000;
const TOTAL = 100 * GB;
const room = (freeBytes: number, rest: Partial<Room> = {}): Room => ({
  freeBytes,
  totalBytes: TOTAL,
  freeInodes: 1_000_000,
  totalInodes: 1_000_000,
  ...rest,
});

const level = fc.record({
  percent: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
  bytes: fc.option(fc.integer({ min: 0, max: TOTAL * 2 }), { nil: undefined }),
});
const levels = fc
  .record({
    diskLow: level,
    diskLowUntil: fc.option(level, { nil: undefined }),
    diskFull: level,
    diskFullUntil: fc.option(level, { nil: undefined }),
  })
  .map(levelsOf);
const rooms = fc.record({
  freeBytes: fc.integer({ min: 0, max: TOTAL }),
  totalBytes: fc.constant(TOTAL),
  freeInodes: fc.integer({ min: 0, max: 1_000_000 }),
  totalInodes: fc.constantFrom(0, 1_000_000),
});
const states = fc.constantFrom("ok", "low", "full");
const ORDER = ["ok", "low", "full"];

test("levels are in order, whatever the settings and the disk are", () => {
  fc.assert(
    fc.property(levels, rooms, (of, some) => {
      for (const steps of Object.values(thresholdsOf(of, some))) {
        expect(steps.full).toBeLessThanOrEqual(steps.low);
        expect(steps.full).toBeLessThanOrEqual(steps.fullUntil);
        expect(steps.low).toBeLessThanOrEqual(steps.lowUntil);
      }
    }),
  );
});

test("below the level it is full, above all levels it is not; where nothing changes, it stays", () => {
  fc.assert(
    fc.property(levels, rooms, states, (of, some, before) => {
      const thresholds = thresholdsOf(of, some);
      const { bytes, inodes } = thresholds;
      const scarce = some.totalInodes > 0;
      const next = nextState(before, some, thresholds);
      if (some.freeBytes < bytes.full || (scarce && some.freeInodes < inodes.full)) {
        expect(next).toBe("full");
      }
      const plenty =
        some.freeBytes >= Math.max(bytes.lowUntil, bytes.fullUntil) &&
        (!scarce || some.freeInodes >= Math.max(inodes.lowUntil, inodes.fullUntil));
      if (plenty) expect(next).toBe("ok");
      expect(nextState(next, some, thresholds)).toBe(next);
    }),
  );
});

test("more room never makes it worse, and a better state before never either", () => {
  fc.assert(
    fc.property(levels, rooms, rooms, states, states, (of, one, two, before, other) => {
      const [less, more] = one.freeBytes < two.freeBytes ? [one, two] : [two, one];
      const thresholds = thresholdsOf(of, less);
      const withMore = { ...less, freeBytes: more.freeBytes };
      const order = (state: string): number => ORDER.indexOf(state);
      expect(order(nextState(before, withMore, thresholds))).toBeLessThanOrEqual(
        order(nextState(before, less, thresholds)),
      );
      const [better, worse] = order(before) < order(other) ? [before, other] : [other, before];
      expect(order(nextState(better, less, thresholds))).toBeLessThanOrEqual(
        order(nextState(worse, less, thresholds)),
      );
    }),
  );
});

test("between a level and where it ends, the state before decides: it cannot flap", () => {
  const of = levelsOf({
    diskLow: { percent: 10, bytes: undefined },
    diskLowUntil: undefined,
    diskFull: { percent: 3, bytes: undefined },
    diskFullUntil: undefined,
  });
  const thresholds = thresholdsOf(of, room(0));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 3 * GB, max: 4.5 * GB - 1 })), (frees) => {
      for (const before of ["low", "full"] as const) {
        let state: "ok" | "low" | "full" = before;
        for (const free of frees) state = nextState(state, room(free), thresholds);
        expect(state).toBe(before);
      }
    }),
  );
});

test("of a share and a size the lesser holds, and a size is not taken for inodes", () => {
  const of = levelsOf({
    diskLow: { percent: 10, bytes: 5 * GB },
    diskLowUntil: undefined,
    diskFull: { percent: undefined, bytes: GB },
    diskFullUntil: { percent: undefined, bytes: 3 * GB },
  });
  expect(thresholdsOf(of, room(0))).toEqual({
    bytes: { low: 5 * GB, lowUntil: 7.5 * GB, full: GB, fullUntil: 3 * GB },
    inodes: { low: 100_000, lowUntil: 150_000, full: 30_000, fullUntil: 45_000 },
  });
  expect(thresholdsOf(of, room(0, { totalBytes: 20 * GB })).bytes).toMatchObject({ low: 2 * GB });
});

test("a level of nothing is never reached", () => {
  const of = levelsOf({
    diskLow: { percent: 0, bytes: undefined },
    diskLowUntil: undefined,
    diskFull: { percent: 0, bytes: undefined },
    diskFullUntil: undefined,
  });
  expect(nextState("ok", room(0, { freeInodes: 0 }), thresholdsOf(of, room(0)))).toBe("ok");
});
