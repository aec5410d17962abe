import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergePatch } from "../src/merge-patch.js";

/** RFC 7396, Appendix A: target, patch, result. */
const VECTORS: readonly (readonly [string, string, string])[] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', "{}"],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', "null", "null"],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
  ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
];

describe("a JSON merge patch", () => {
  it.each(VECTORS)("makes of %s with %s what RFC 7396 says", (target, patch, result) => {
    expect(mergePatch(JSON.parse(target), JSON.parse(patch))).toEqual(JSON.parse(result));
  });

  it("applied twice is as applied once, writes to neither and leaves what it does not name", () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (targetText, patchText) => {
        const [target, patch] = [JSON.parse(targetText), JSON.parse(patchText)] as [
          unknown,
          unknown,
        ];
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
        expect([target, patch]).toEqual([JSON.parse(targetText), JSON.parse(patchText)]);
        expect(mergePatch(target, {})).toEqual(
          typeof target === "object" && target !== null && !Array.isArray(target) ? target : {},
        );
      }),
    );
  });

  it("takes `__proto__` for a member like any other", () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}')) as object;
    expect(Object.keys(merged)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect("polluted" in {}).toBe(false);
  });
});
