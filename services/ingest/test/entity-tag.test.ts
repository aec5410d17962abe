import { describe, expect, it } from "vitest";
import { entityTag, isKnown } from "../src/http/entity-tag.js";
import { namesRevision, revisionTag } from "../src/revision.js";

describe("isKnown", () => {
  it.each([
    [undefined, false],
    ["", false],
    ['"a"', true],
    ['W/"a"', true],
    ['"b"', false],
    ['"b", "a"', true],
    ['"b","a"', true],
    [' , "b" ,, W/"a" ', true],
    ["*", true],
    ["a", false],
    ['"b, "a"', false],
    ['"a', false],
  ])("with If-None-Match: %s is %s", (header, expected) => {
    expect(isKnown(header, '"a"')).toBe(expected);
  });

  it("takes any amount of nonsense in linear time", () => {
    expect(isKnown('"'.repeat(100_000), '"a"')).toBe(false);
    expect(isKnown(" ,".repeat(50_000), '"a"')).toBe(false);
  });
});

describe("a revision's tag", () => {
  it("differs with the body, and names its revision", () => {
    const tag = revisionTag(12)("body");
    expect(tag).not.toBe(revisionTag(12)("other"));
    expect(tag).not.toBe(entityTag("body"));
    expect(namesRevision(tag, 12)).toBe(true);
    expect(namesRevision(tag, 1)).toBe(false);
    expect(namesRevision(tag, 121)).toBe(false);
    expect(namesRevision(`"x", ${tag}`, 12)).toBe(true);
    expect(namesRevision("*", 12)).toBe(true);
    expect(namesRevision(`W/${tag}`, 12)).toBe(false);
    expect(namesRevision("r12.", 12)).toBe(false);
  });
});
