import { describe, expect, test } from "vitest";
import { resolveUses } from "../../../src/capabilities/uses.js";
import { parseModule } from "../../../src/structure/parse.js";

/** What a script that has `os` reaches by names that it works out: the references, or `unresolved`. */
async function reached(source: string): Promise<string[]> {
  const { uses } = resolveUses(await parseModule(`import os\n${source}`));
  const found = uses
    .filter(({ capability }) => capability === "process.spawn" || capability === "unresolved")
    .map(({ capability, reference }) => (capability === "unresolved" ? capability : reference));
  return [...new Set(found)];
}

describe("names are worked out", () => {
  test.each([
    [
      "a loop over numbers",
      "n = ''\nfor c in [115, 121, 115, 116, 101, 109]: n += chr(c)\ngetattr(os, n)(1)",
    ],
    [
      "a while loop",
      "s, n, i = 'metsys', '', 5\nwhile i >= 0:\n  n += s[i]\n  i -= 1\ngetattr(os, n)(1)",
    ],
    [
      "a loop that skips",
      "l = []\nfor c in 'sxyxsxtxexm':\n  if c == 'x': continue\n  l.append(c)\ngetattr(os, ''.join(l))(1)",
    ],
    [
      "a function",
      "def d(t, k): return ''.join(chr(ord(c) ^ k) for c in t)\ngetattr(os, d('pzpwfn', 3))(1)",
    ],
    ["a recursive function", "def r(s): return s and r(s[1:]) + s[0]\ngetattr(os, r('metsys'))(1)"],
    [
      "a closure",
      "def f():\n  k = 'sys'\n  def g(): return k + 'tem'\n  return g\ngetattr(os, f()())(1)",
    ],
    ["a lambda", "d = lambda s: s[::-1]\ngetattr(os, d('metsys'))(1)"],
    ["in a function", "def f():\n  n = 'sys'\n  n += 'tem'\n  getattr(os, n)(1)"],
    ["a class's name", "class C:\n  a = 'sys'\n  b = a + 'tem'\ngetattr(os, C.b)(1)"],
    ["a list that changes", "l = list('metsys')\nl.reverse()\ngetattr(os, ''.join(l))(1)"],
    ["an array of bytes", "b = bytearray(b'sys')\nb += b'tem'\ngetattr(os, b.decode())(1)"],
    [
      "a dictionary",
      "d = {}\nd['a'] = 'sys'\nd.update(b='tem')\ngetattr(os, ''.join(d.values()))(1)",
    ],
    ["a name that is bound again", "n = 'path'\nn = 'sys'\nn = n + 'tem'\ngetattr(os, n)(1)"],
    ["one of two", "n = 'metsys' if u else 'htap'\ngetattr(os, n[::-1])(1)"],
    ["a module's constants", "import string as s\ngetattr(os, s.ascii_lowercase[18] + 'ystem')(1)"],
    ["what a star imports", "from base64 import *\ngetattr(os, b64decode('c3lzdGVt').decode())(1)"],
    [
      "a function by its name",
      "f = getattr(__import__('base64'), 'b64' + 'decode')\ngetattr(os, f('c3lzdGVt').decode())(1)",
    ],
    ["a type's name", "getattr(os, (lambda: 'sys')() + type('x').__name__[1] + 'em')(1)"],
    ["after an exception", "try:\n  n = 'metsys'[::-1]\nfinally:\n  pass\ngetattr(os, n)(1)"],
    ["a docstring", "def f(): 'system'\ngetattr(os, f.__doc__)(1)"],
    ["a function's own name", "def system(): pass\ngetattr(os, system.__name__)(1)"],
    ["methodcaller", "import operator as o\ngetattr(os, o.methodcaller('lower')('SYSTEM'))(1)"],
  ])("through %s", async (_, source) => {
    expect(await reached(source)).toEqual(["os.system"]);
  });
});

describe("what cannot be known for certain is unresolved", () => {
  const harmless = "'htap'[::-1]";

  test.each([
    [
      "a name that a function binds",
      `n = ${harmless}\ndef f():\n  global n\n  n = input()\ng(f)\ngetattr(os, n)`,
    ],
    ["a name that a namespace binds", `n = ${harmless}\nglobals()['n'] = u\ngetattr(os, n)`],
    ["a name that unknown code may bind", `n = ${harmless}\nexec(u)\ngetattr(os, n)`],
    [
      "a list that a function changes",
      `l = [${harmless}]\ndef f(): l.insert(0, u)\ng(f)\ngetattr(os, l[0][::1])`,
    ],
    ["a list that is handed on", `l = [${harmless}]\nf(l)\ngetattr(os, l[0][::1])`],
    ["a list under another name", `l = [${harmless}]\nm = l\nm[0] = u\ngetattr(os, l[0][::1])`],
    ["what only some rounds bind", `n = ${harmless}\nfor x in u:\n  getattr(os, n)\n  n = x[::-1]`],
    [
      "what an exception may leave out",
      `n = u\ntry:\n  n = ${harmless}\nexcept E: pass\ngetattr(os, n)`,
    ],
    [
      "what a break may leave out",
      `n = u\nfor x in 'ab':\n  if v: break\n  n = ${harmless}\ngetattr(os, n)`,
    ],
    [
      "a function that is replaced",
      `import base64\nbase64.b64decode = u\ngetattr(os, base64.b64decode('cGF0aA==').decode())`,
    ],
    ["an argument", `def f(n): getattr(os, n[::-1])\nf('htap')`],
    ["something decoded of unknown", "import base64\ngetattr(os, base64.b64decode(u).decode())"],
    [
      "more alternatives than are followed",
      `n = ''\n${"n += 'a' if u else 'b'\n".repeat(10)}getattr(os, n)`,
    ],
  ])("%s", async (_, source) => {
    expect(await reached(source)).toContain("unresolved");
  });
});

test.each([
  ["joined text", "x = ''.join(['sys', 'tem'])\nprint(x)"],
  ["formats", "print('%s system' % n, f'{n} system', 'system {}'.format(n))"],
  ["names of what is harmless", "getattr(os, ''.join(['get', 'cwd']))()"],
  ["names of objects", "getattr(self, 'sys' + 'tem')()"],
])("%s do nothing", async (_, source) => {
  expect(await reached(source)).toEqual([]);
});
