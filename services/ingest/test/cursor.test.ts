import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { decodeCursor, encodeCursor } from "../src/http/cursor.js";
import { ProblemError } from "../src/http/problem-error.js";

const position = z.strictObject({ value: z.string(), scriptId: z.uuid() });
const query = fc.record(
  { name: fc.string(), sort: fc.string(), since: fc.date() },
  { requiredKeys: [] },
);

describe("a cursor", () => {
  it("brings its place back, in the same list", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary-ascii" }),
        fc.uuid(),
        query,
        (value, scriptId, asked) => {
          const place = { value, scriptId };
          expect(decodeCursor(encodeCursor(place, asked), asked, position)).toEqual(place);
          const reordered = Object.fromEntries(Object.entries(asked).toReversed());
          expect(
            decodeCursor(encodeCursor(place, asked), { ...reordered, name2: undefined }, position),
          ).toEqual(place);
        },
      ),
    );
  });

  it("is refused in another list", () => {
    const place = { value: "x", scriptId: "0190a0b0-0000-7000-8000-000000000000" };
    fc.assert(
      fc.property(query, query, (asked, other) => {
        fc.pre(JSON.stringify(asked) !== JSON.stringify(other));
        const canonical = (of: object): string =>
          JSON.stringify(Object.entries(of).toSorted(([a], [b]) => (a < b ? -1 : 1)));
        const sameEntries = canonical(asked) === canonical(other);
        fc.pre(!sameEntries);
        expect(() => decodeCursor(encodeCursor(place, asked), other, position)).toThrow(
          ProblemError,
        );
      }),
    );
  });

  it("that is anything else is refused", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.json().map(toBase64)), (cursor) => {
        expect(() => decodeCursor(cursor, {}, position)).toThrow(ProblemError);
      }),
    );
  });

  it("with a place of another shape is refused", () => {
    for (const place of [
      null,
      1,
      "x",
      {},
      { value: 1, scriptId: "x" },
      { value: "x", scriptId: "no uuid" },
    ]) {
      expect(() => decodeCursor(encodeCursor(place, {}), {}, position)).toThrow(ProblemError);
    }
  });
});

function toBase64(text: string): string {
  return Buffer.from(text).toString("base64url");
}
