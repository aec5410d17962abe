import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseCoding } from "../src/http/content-coding.js";

describe("chooseCoding", () => {
  it.each([
    [undefined, "zstd", "identity"],
    ["", "zstd", "identity"],
    ["zstd", "zstd", "zstd"],
    ["ZSTD", "zstd", "zstd"],
    ["gzip, deflate, br, zstd", "zstd", "zstd"],
    ["gzip", "zstd", "identity"],
    ["gzip;q=1.0, *;q=0.5", "gzip", "gzip"],
    ["*", "zstd", "zstd"],
    ["*;q=0", "zstd", undefined],
    ["zstd;q=0", "zstd", "identity"],
    ["zstd;q=0.2, identity;q=0.8", "zstd", "identity"],
    ["zstd;q=0.8, identity;q=0.2", "zstd", "zstd"],
    ["identity;q=0", "zstd", undefined],
    ["identity;q=0, zstd", "zstd", "zstd"],
    ["identity;q=0, zstd", "identity", undefined],
    ["gzip", "identity", "identity"],
    ["garbage;;;q=x,,", "zstd", "identity"],
  ] as const)(
    "of Accept-Encoding: %s for what is stored as %s is %s",
    (header, stored, expected) => {
      expect(chooseCoding(header, stored)).toBe(expected);
    },
  );

  it("is the stored one or none, for any header", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom("zstd", "gzip", "identity"), (header, stored) => {
        expect([stored, "identity", undefined]).toContain(chooseCoding(header, stored));
      }),
    );
  });
});
