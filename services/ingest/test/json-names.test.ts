import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findNameFault } from "../src/http/json-names.js";

describe("names in JSON", () => {
  it.each([
    ['{"a":1,"a":2}', "a"],
    ['{"a":{"b":1,"c":[{"d":1,"d":2}]}}', "d"],
    ['{"a":1,"\\u0061":2}', "a"],
    ['{"x":[1,2],"y":{"a":1},"x":0}', "x"],
    ['{"labels":{"__proto__":"x"}}', "__proto__"],
    ['{"\\u005f_proto__":1}', "__proto__"],
    ['{"a,b":1,"a,b":2}', "a,b"],
    ['{"\\"":1,"\\"":2}', '"'],
  ])("in %s are found to be wrong", (json, name) => {
    expect(findNameFault(json)?.name).toBe(name);
  });

  it.each(['{"a":"a","b":"a"}', '["a","a"]', '{"a":{"a":{"a":[{"a":1},{"a":1}]}}}', '"a"', "1"])(
    "in %s are as they must be",
    (json) => expect(findNameFault(json)).toBeUndefined(),
  );

  it("are right in whatever JSON.stringify makes", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        fc.pre(!json.includes("__proto__"));
        expect(findNameFault(JSON.stringify(JSON.parse(json)))).toBeUndefined();
      }),
    );
  });

  it("are read however long and deep the text is", () => {
    expect(findNameFault("[".repeat(130_000) + "]".repeat(130_000))).toBeUndefined();
    expect(findNameFault(`{"a":"${"\\n".repeat(130_000)}","a":1}`)?.name).toBe("a");
  });
});
