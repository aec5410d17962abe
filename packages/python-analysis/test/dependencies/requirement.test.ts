import { describe, expect, test } from "vitest";
import { canonicalName } from "../../src/dependencies/canonical-name.js";
import { RequirementError } from "../../src/dependencies/requirement-scanner.js";
import { parseRequirement, parseVersionSpecifier } from "../../src/dependencies/requirement.js";

test("a requirement is taken apart", () => {
  const raw =
    " Foo.Bar__baz [B_c, a,b-C] >= 2.0 , <3 ; python_version<\"3.12\" or ( os.name == 'nt')";
  expect(parseRequirement(raw)).toEqual({
    raw,
    name: "foo-bar-baz",
    extras: ["b-c", "a"],
    specifier: ">=2.0,<3",
    url: null,
    marker: 'python_version < "3.12" or os_name == "nt"',
    normalised: 'foo-bar-baz[b-c,a]>=2.0,<3; python_version < "3.12" or os_name == "nt"',
  });
});

test.each([
  ["requests", "requests"],
  ["Requests[]", "requests"],
  ["requests ==2.*", "requests==2.*"],
  ["requests (>=1,<2)", "requests>=1,<2"],
  ["requests>=1,<2,", "requests>=1,<2"],
  ["requests ~=1.4.2", "requests~=1.4.2"],
  ["a==1!2.0.post1.dev3+local.1", "a==1!2.0.post1.dev3+local.1"],
  ["a===what ever".replace(" ", "-"), "a===what-ever"],
  ["a @ https://x.y/z.zip#sha256=0", "a @ https://x.y/z.zip#sha256=0"],
  ["a[b]@file:///c ;extra=='d'", 'a[b] @ file:///c ; extra == "d"'],
  ["a;'3' not  in python_version", 'a; "3" not in python_version'],
  ["a; os_name=='\"'", "a; os_name == '\"'"],
  ["a; ((os_name=='x')and(os_name!='y'))", 'a; os_name == "x" and os_name != "y"'],
])("%s", (raw, normalised) => {
  expect(parseRequirement(raw).normalised).toBe(normalised);
  expect(parseRequirement(normalised).normalised).toBe(normalised);
});

describe("is refused with a reason", () => {
  test.each([
    ["", "the name of a distribution at character 1"],
    ["-e .", "the name of a distribution"],
    ["_a", "the name of a distribution"],
    ["a-", "the name of a distribution"],
    ["a b", "a version, `;` or the end at character 3"],
    ["a=1", "a version, `;` or the end"],
    ["a>=", "a version at character 4"],
    ["a>=1.x", "a version at character 4"],
    ["a~=1", "at least two numbers"],
    ["a>=1.*", "`==` and `!=`"],
    ["a>=1+b", "local version"],
    ["a(>=1", "`)`"],
    ["a[b", "`]`"],
    ["a[,]", "the name of an extra"],
    ["a @", "a URL"],
    ["a @ b c", "a version, `;` or the end"],
    ["a;", "a variable of the environment"],
    ["a; b=='c'", "a variable of the environment"],
    ["a; os_name", "a comparison"],
    ["a; os_name=='x' and", "a variable of the environment"],
    ["a; (os_name=='x'", "`)`"],
    ["a; os_name=='x')", "`and`, `or` or the end"],
    ["a".repeat(3000), "3000 characters"],
    [`a; ${"(".repeat(1500)}`, "a variable of the environment"],
  ])("%s", (raw, reason) => {
    expect(() => parseRequirement(raw)).toThrow(RequirementError);
    expect(() => parseRequirement(raw)).toThrow(reason);
  });
});

test("names are compared in canonical form", () => {
  expect(canonicalName("Foo.-_.Bar__1")).toBe("foo-bar-1");
});

test("a version specifier loses its spaces", () => {
  expect(parseVersionSpecifier(" >= 3.8 , != 3.9.* ")).toBe(">=3.8,!=3.9.*");
  expect(() => parseVersionSpecifier("3.8")).toThrow(RequirementError);
});
