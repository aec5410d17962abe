import { describe, expect, test } from "vitest";
import { measureComplexity } from "../src/complexity.js";
import { parseModule } from "../src/structure/parse.js";

const measure = async (text: string) => measureComplexity(await parseModule(text));

describe("of a module", () => {
  test("without anything", async () => {
    expect(await measure("")).toEqual({
      module: {
        lines: 0,
        functions: 0,
        classes: 0,
        max_nesting: 0,
        max_mccabe: 0,
        max_cognitive: 0,
      },
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

describe("cognitive complexity", () => {
  test.each([
    ["nothing", "pass", 0],
    ["branches", "if a: pass\n  elif b: pass\n  else: pass", 3],
    ["what is nested", "if a:\n    for b in c:\n      while d: pass", 1 + 2 + 3],
    ["what is nested in an elif", "if a: pass\n  elif b:\n    if c: pass", 1 + 1 + 2],
    ["an if in an else", "if a: pass\n  else:\n    if b: pass", 1 + 1 + 2],
    ["the else of a loop", "for a in b: pass\n  else:\n    if c: pass", 1 + 1 + 2],
    [
      "handlers, but neither try nor finally",
      "try:\n    if a: pass\n  except B:\n    if c: pass\n  except D: pass\n  else:\n    if e: pass\n  finally: pass",
      1 + (1 + 2) + 1 + 1,
    ],
    ["a match as one", "match a:\n    case 1: pass\n    case 2 if b:\n      if c: pass", 1 + 2],
    ["conditional expressions", "return a if b else c if d else e", 1 + 2],
    ["sequences of operators", "return a and b and c or d or e and not (f and g)", 3 + 1],
    ["operators through parentheses", "return a and (b and c) and (d or e) or f", 1 + 1],
    ["operators after others", "return a or b and c or d", 3],
    ["operators inside operands", "return a and h(b or c, d if e else g)", 1 + 1 + 1],
    [
      "what is inside a level deeper",
      "def g():\n    if a: pass\n  x = lambda: b if c else d",
      2 + 2,
    ],
    ["a decorator as the function inside", "def g():\n    if a: pass\n  return g", 1],
    ["classes inside at the same level", "class A:\n    if a: pass\n  x = 1", 1],
    ["no comprehension", "return [a for a in b if c for d in e]", 0],
    ["a call of itself", "return f(f(f))", 1],
  ])("counts %s", async (_, body, points) => {
    const { module, functions } = await measure(`def f():\n  ${body}\n`);
    expect(functions[0]!.cognitive).toBe(points);
    expect(module.max_cognitive).toBe(points);
  });
});
