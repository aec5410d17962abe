import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseRange, rangeHolds } from "../src/http/byte-range.js";

describe("chooseRange", () => {
  it.each([
    ["bytes=0-0", 10, { start: 0, end: 0 }],
    ["bytes=0-9", 10, { start: 0, end: 9 }],
    ["bytes=3-", 10, { start: 3, end: 9 }],
    ["bytes=3-1000", 10, { start: 3, end: 9 }],
    ["bytes=-3", 10, { start: 7, end: 9 }],
    ["bytes=-1000", 10, { start: 0, end: 9 }],
    ["BYTES = 1 - 2 ", 10, { start: 1, end: 2 }],
    ["bytes=10-", 10, "unsatisfiable"],
    ["bytes=99999999999999999999-", 10, "unsatisfiable"],
    ["bytes=-0", 10, "unsatisfiable"],
    ["bytes=0-", 0, "unsatisfiable"],
    ["bytes=-1", 0, "unsatisfiable"],
    [undefined, 10, undefined],
    ["", 10, undefined],
    ["bytes", 10, undefined],
    ["bytes=", 10, undefined],
    ["bytes=-", 10, undefined],
    ["bytes=5-2", 10, undefined],
    ["bytes=a-b", 10, undefined],
    ["bytes=1-2,4-5", 10, undefined],
    ["lines=1-2", 10, undefined],
  ])("of %j in %i bytes is %j", (header, size, expected) => {
    expect(chooseRange(header, size)).toEqual(expected);
  });

  it("lies within the whole, for any header", () => {
    const part = fc.oneof(fc.constant(""), fc.nat(50).map(String), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(part, part, fc.nat(40), (first, last, size) => {
        const range = chooseRange(`bytes=${first}-${last}`, size);
        if (typeof range !== "object") return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeLessThan(size);
        expect(range.start).toBeLessThanOrEqual(range.end);
      }),
    );
  });
});

describe("rangeHolds", () => {
  it.each([
    [undefined, true],
    ['"a"', true],
    [' "a" ', true],
    ['W/"a"', false],
    ['"b"', false],
    ["Mon, 23 Nov 2026 12:00:00 GMT", false],
  ])("with If-Range: %s is %s", (header, expected) => {
    expect(rangeHolds(header, '"a"')).toBe(expected);
  });
});
