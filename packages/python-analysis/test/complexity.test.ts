import { describe, expect, test } from "vitest";
import { measureComplexity } from "../src/complexity.js";
import { parseModule } from "../src/structure/parse.js";

const measure = async (text: string) => measureComplexity(await parseModule(text));

describe("of a module", () => {
  test("without anything", async () => {
    expect(await measure("")).toEqual({
      module: { lines: 0, functions: 0, classes: 0, max_nesting: 0, max_mccabe: 0 },
      functions: [],
      blocks: [],
    });
  });

  test("counts lines, functions and classes", async () => {
    const { module } = await measure("class A:\n  def f(self):\n    def g(): pass\n\n# end");
    expect(module).toMatchObject({ lines: 5, functions: 2, classes: 1 });
  });

  test("takes blocks outside of functions into account, as mccabe does", async () => {
    const { module, blocks } = await measure("def f(): pass\nif a:\n  if b: pass\nelif c: pass\n");
    expect(blocks).toEqual([{ position: { line: 2, column: 1 }, mccabe: 4 }]);
    expect(module.max_mccabe).toBe(4);
  });
});

test("of a function, with its place and length", async () => {
  const { functions } = await measure("@d\nasync def f():\n  if a:\n    pass\n  # c\n\nx = 1\n");
  expect(functions).toMatchObject([
    { position: { line: 2, column: 1 }, lines: 3, mccabe: 2, maxNesting: 1 },
  ]);
});

describe("nesting", () => {
  test.each([
    ["pass", 0],
    ["if a: pass", 1],
    ["if a: pass\n  elif b:\n    while c: pass\n  else: pass", 2],
    [
      "for a in b:\n    with c:\n      try:\n        pass\n      finally:\n        match d:\n          case 1: pass",
      4,
    ],
    ["if a:\n    def g():\n      if b:\n        if c: pass", 1],
    ["if a:\n    class B:\n      if b:\n        if c: pass", 1],
    ["x = [a for a in b if c]", 0],
  ])("of %j", async (body, depth) => {
    const { functions } = await measure(`def f():\n  ${body}\n`);
    expect(functions[0]!.maxNesting).toBe(depth);
  });

  test("of a module is the deepest anywhere", async () => {
    const { module } = await measure("if a:\n  pass\ndef f():\n  if a:\n    if b: pass\n");
    expect(module.max_nesting).toBe(2);
  });
});
