import { expect, test } from "vitest";
import { resolveUses } from "../../src/capabilities/uses.js";
import { parseModule } from "../../src/structure/parse.js";

async function capabilitiesOf(source: string): Promise<string[]> {
  const { uses } = resolveUses(await parseModule(source));
  return [...new Set(uses.map(({ capability }) => capability))];
}

test.each([
  ["a copy of its names", "import os\nvars(os).copy()['system']('x')"],
  ["a dictionary of its names", "import os\n{**vars(os), 'a': 1}['system']('x')"],
  ["dict of its names", "import os\ndict(os.__dict__).get('system')('x')"],
  ["an object with its names", "import os, types\ntypes.SimpleNamespace(**vars(os)).system('x')"],
  [
    "its spec",
    "from importlib.util import find_spec, module_from_spec\nmodule_from_spec(find_spec('os')).system('x')",
  ],
  ["map", "list(map(__import__, ['os']))[0].system('x')"],
  ["its own script", "import __main__, os\n__main__.os.system('x')"],
  ["runpy", "import runpy\nrunpy.run_module('os')['system']('x')"],
  ["a library", "import ctypes\nctypes.CDLL(None).system(b'x')"],
])("a module is followed through %s", async (_, source) => {
  const found = await capabilitiesOf(source);
  expect(found).toContain("process.spawn");
  expect(found).not.toContain("unresolved");
});

test("a package is what importing a module in it gives", async () => {
  const source = "__import__('urllib.request').request.urlopen('http://a')";
  expect(await capabilitiesOf(source)).toContain("network.client");
});

test.each([
  ["all modules", "import sys\nfor n, m in sys.modules.items():\n  if n == s: m.system('x')"],
  ["all objects", "import gc\n[o for o in gc.get_objects() if f(o)][0].system('x')"],
  [
    "all classes",
    "[c for c in object.__subclasses__() if f(c)][0].__init__.__globals__['os'].system('x')",
  ],
  ["local names of a frame", "import sys\nsys._getframe(1).f_locals['m'].system('x')"],
  ["a module of an unknown name", "import importlib\nimportlib.import_module(n).system('x')"],
])("a member of one of %s is unresolved and named", async (_, source) => {
  expect(await capabilitiesOf(source)).toEqual(
    expect.arrayContaining(["unresolved", "process.spawn"]),
  );
});

test("a member that may be any of a known module is unresolved", async () => {
  const source = "import os\n[v for k, v in vars(os).items() if f(k)][0]('x')";
  expect(await capabilitiesOf(source)).toContain("unresolved");
});

test("a member of any name of any module is unresolved", async () => {
  expect(await capabilitiesOf("import sys\nsys.modules[input()].x()")).toContain("unresolved");
});

test.each([
  [
    "the name of a module of the caller",
    "import sys\nn = sys._getframe(1).f_globals.get('__name__', '')\nn.split('.')",
  ],
  [
    "names of modules",
    "import sys\nfor n, m in sys.modules.items():\n  if n.startswith('a'): print(m.__file__)",
  ],
  ["whether there is a module", "from importlib.util import find_spec\nfind_spec('os') is None"],
])("%s is not unresolved", async (_, source) => {
  expect(await capabilitiesOf(source)).not.toContain("unresolved");
});
