import { describe, expect, test } from "vitest";
import { entryPoint, exportedNames } from "../../src/structure/module.js";
import { parseModule } from "../../src/structure/parse.js";

describe("`__all__`", () => {
  test.each<[text: string, names: string[] | null]>([
    ["", null],
    ["x = '__all__'", null],
    ['__all__ = ["a", "b"]', ["a", "b"]],
    ['__all__ = "a", "b"', ["a", "b"]],
    ['__all__: tuple[str, ...] = ("a",)', ["a"]],
    ['x = __all__ = ["a"]', ["a"]],
    ["__all__ = []\n__all__ = ()", []],
    ['__all__ = make()\n__all__ = ["a"]', ["a"]],
    ['__all__ = (["a"] + # c\n ["b"] + ("c",)) + []', ["a", "b", "c"]],
    ['__all__ = ["a"]\n__all__ += ["b"]\n__all__.extend(("c",))\n__all__.append("d")', [..."abcd"]],
    ['__all__ = ["a", "b"]\n__all__.remove("a")', ["b"]],
    ['__all__ = ["a"]\nprint(__all__, __all__.index("a"))\nfor x in __all__: pass', ["a"]],
    ['__all__ = ["a"]\ndef f(): __all__ = []\nclass A: __all__ = []', ["a"]],
    ["__all__ += ['a']", null],
    ['__all__ = ["a"]\n__all__ += other.__all__', null],
    ['__all__ = ["a", b"b"]', null],
    ['__all__ = ["a", *other]', null],
    ["__all__ = [name for name in dir()]", null],
    ['__all__ = ["a"]\nif x: __all__.append("b")', null],
    ['if x: __all__ = ["a"]', null],
    ['__all__ = ["a"]\nfrom b import __all__', null],
    ['__all__ = ["a"]\nimport b as __all__', null],
    ['__all__ = ["a"]\ndef f():\n  global __all__', null],
    ['__all__ = ["a"]\n__all__.sort()', null],
    ['__all__ = ["a"]\n__all__.remove("b")', null],
    ['__all__ = ["a"]\n__all__.append()', null],
    ['__all__ = ["a"]\n__all__ *= 2', null],
    ['__all__ = ["a"]\n__all__[0] = "b"', null],
    ['__all__ = ["a"]\nprint(__all__ := [])', null],
    ['__all__ = ["a"]\nfor __all__ in x: pass', null],
    ['__all__ = ["a"]\nwith x as __all__: pass', null],
    ['__all__ = ["a"]\nmatch x:\n  case __all__: pass', null],
    ['__all__ = ["a"]\n(x, __all__) = y', null],
    ['__all__ = ["a"]\ndel __all__', null],
  ])("%j", async (text, names) => {
    expect(exportedNames(await parseModule(text))).toEqual(names);
  });
});

test.each([
  ["statements", `__all__ = []\n${"__all__ += ['a', 'b']\n".repeat(10_000)}`],
  ["sums", `__all__ = []\n${"__all__ = __all__ + ['a']\n".repeat(10_000)}`],
  ["doublings", `__all__ = ['a']\n${"__all__ += __all__\n".repeat(1_000)}`],
  ["summands", `__all__ = ${"['a'] + ".repeat(20_000)}[]`],
  ["names", `__all__ = [${"'a', ".repeat(10_000)}]`],
])("thousands of %s end in no list", async (_, text) => {
  expect(exportedNames(await parseModule(text))).toBeNull();
});

describe("the entry point", () => {
  test.each<[text: string, lines: [from: number, to: number] | null]>([
    ['if __name__ == "__main__": pass', [1, 1]],
    ["x\nif '__main__' == (__name__):\n  pass\n  # c\nelse:\n  pass\n", [2, 6]],
    ['try:\n  if (__name__ == "__main__"): pass\nfinally: pass', [2, 2]],
    ['if __name__ == "__main__": a\nif __name__ == "__main__": b', [1, 1]],
    ["'if __name__ == \"__main__\": pass'", null],
    ['if __name__ != "__main__": pass', null],
    ['if __name__ == "__main__" and x: pass', null],
    ['if __name__ == "__main__" == x: pass', null],
    ['if __name__ == b"__main__": pass', null],
    ['if x.__name__ == "__main__": pass', null],
    ['def f():\n  if __name__ == "__main__": pass', null],
    ['class A:\n  if __name__ == "__main__": pass', null],
  ])("%j", async (text, lines) => {
    const found = entryPoint(await parseModule(text));
    expect(found && [found.line_number, found.end_line_number]).toEqual(lines);
  });
});
