import { expect, test } from "vitest";
import { collectImports, moduleName } from "../../src/structure/imports.js";
import { parseModule } from "../../src/structure/parse.js";

const importsOf = async (text: string) => collectImports(await parseModule(text));

test("an import says what it binds, and where it is", async () => {
  expect(await importsOf("import a.b, c as d; from ..e import f as g, h\nfrom . import *")).toEqual(
    [
      {
        module: "a.b",
        level: 0,
        names: null,
        alias: null,
        position: { line: 1, column: 8 },
        isConditional: false,
        isForTypeChecking: false,
        scope: "module",
      },
      expect.objectContaining({ module: "c", alias: "d", position: { line: 1, column: 13 } }),
      expect.objectContaining({
        module: "e",
        level: 2,
        names: [
          { name: "f", alias: "g", position: { line: 1, column: 37 } },
          { name: "h", alias: null, position: { line: 1, column: 45 } },
        ],
        position: { line: 1, column: 26 },
      }),
      expect.objectContaining({
        module: "",
        level: 1,
        names: [{ name: "*", alias: null, position: { line: 2, column: 15 } }],
      }),
    ],
  );
});

test("a module is named without what is written between its parts", async () => {
  const imports = await importsOf(
    "import a . b . \\\n  c\nfrom . . ｄ import e\nfrom __future__ import x\n",
  );
  expect(imports.map(moduleName)).toEqual(["a.b.c", "..d", "__future__"]);
});

test.each([
  ["import x", false, false, "module"],
  ["if a:\n  import x", true, false, "module"],
  ["if a: pass\nelif b:\n  import x", true, false, "module"],
  ["try:\n  import x\nexcept ImportError: pass", true, false, "module"],
  ["try: pass\nexcept ImportError:\n  import x", true, false, "module"],
  ["with a:\n  import x", false, false, "module"],
  ["match a:\n  case 1:\n    import x", true, false, "module"],
  ["if TYPE_CHECKING:\n  import x", true, true, "module"],
  ["if typing.TYPE_CHECKING:\n  if b:\n    import x", true, true, "module"],
  ["if TYPE_CHECKING: pass\nelse:\n  import x", true, false, "module"],
  ["if not TYPE_CHECKING:\n  import x", true, false, "module"],
  ["def f():\n  import x", false, false, "function"],
  ["class A:\n  import x", false, false, "class"],
  ["class A:\n  def f(self):\n    import x", false, false, "function"],
  ["def f():\n  class A:\n    import x", false, false, "function"],
])("%j", async (text, isConditional, isForTypeChecking, scope) => {
  expect(await importsOf(text)).toEqual([
    expect.objectContaining({ module: "x", isConditional, isForTypeChecking, scope }),
  ]);
});

test("text is no import", async () => {
  expect(await importsOf("'import a'\n'''\nimport b\n'''\n# import c\nimportant = 1\n")).toEqual(
    [],
  );
});
