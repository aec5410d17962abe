import { describe, expect, test } from "vitest";
import { resolveUses } from "../../src/capabilities/uses.js";
import { parseModule } from "../../src/structure/parse.js";

/** What a script can do: `line capability reference`, each once. */
async function usesOf(source: string): Promise<string[]> {
  const parsed = await parseModule(source);
  const { uses } = resolveUses(parsed);
  return [
    ...new Set(
      uses.map(({ capability, reference, node }) => {
        return `${parsed.position(node.startIndex).line} ${capability} ${reference}`;
      }),
    ),
  ];
}

type Case = readonly [title: string, source: string, expected: readonly string[]];

const SPAWNS = "process.spawn os.system";

const REACHED: readonly Case[] = [
  ["a member of a module", "import os\nos.system('x')", [`2 ${SPAWNS}`]],
  ["an alias of a module", "import os as o\no.system('x')", [`2 ${SPAWNS}`]],
  ["a member taken by from", "from os import system as s\ns('x')", [`2 ${SPAWNS}`]],
  ["everything taken by *", "from os import *\nsystem('x')", [`2 ${SPAWNS}`]],
  [
    "a star that hides a builtin",
    "from os import *\nopen(p, m)",
    [
      "2 filesystem.read os.open",
      "2 filesystem.write os.open",
      "2 filesystem.read open",
      "2 filesystem.write open",
    ],
  ],
  [
    "a builtin under another name",
    "e = eval\ne('1')",
    ["1 code.execute eval", "2 code.execute eval"],
  ],
  ["a module under another name", "import os\na = b = os\nb.system('x')", [`3 ${SPAWNS}`]],
  ["a walrus", "import os\nif (o := os): o.system('x')", [`2 ${SPAWNS}`]],
  [
    "a walrus in a comprehension",
    "import os\n[0 for _ in 'a' if (o := os)]\no.system('x')",
    [`3 ${SPAWNS}`],
  ],
  ["a tuple taken apart", "import os\na, (b, c) = 1, (2, os)\nc.system('x')", [`3 ${SPAWNS}`]],
  ["a starred target", "import os\na, *b = 1, os\nb[0].system('x')", [`3 ${SPAWNS}`]],
  ["a list", "import os\nm = [os]\nm[0].system('x')", [`3 ${SPAWNS}`]],
  ["a dictionary", "import os\nd = {'a': os}\nd.get('a').system('x')", [`3 ${SPAWNS}`]],
  [
    "pairs of a dictionary",
    "import os\nfor k, v in {'a': os}.items(): v.system('x')",
    [`2 ${SPAWNS}`],
  ],
  ["a loop", "import os\nfor m in (os,): m.system('x')", [`2 ${SPAWNS}`]],
  ["a comprehension", "import os\n[m.system('x') for m in [os]]", [`2 ${SPAWNS}`]],
  ["next and iter", "import os\nnext(iter([os])).system('x')", [`2 ${SPAWNS}`]],
  ["a conditional expression", "import os\n(os if x else None).system('x')", [`2 ${SPAWNS}`]],
  ["or", "import os\n(None or os).system('x')", [`2 ${SPAWNS}`]],
  ["a function that returns it", "import os\ndef f(): return os\nf().system('x')", [`3 ${SPAWNS}`]],
  ["a lambda that returns it", "import os\nf = lambda: os\nf().system('x')", [`3 ${SPAWNS}`]],
  ["a generator", "import os\ndef g(): yield os\nfor m in g(): m.system('x')", [`3 ${SPAWNS}`]],
  ["an argument", "import os\ndef f(m): m.system('x')\nf(os)", [`2 ${SPAWNS}`]],
  ["a keyword argument", "import os\ndef f(*, m): m.system('x')\nf(m=os)", [`2 ${SPAWNS}`]],
  ["a spread argument", "import os\ndef f(m): m.system('x')\nf(*[os])", [`2 ${SPAWNS}`]],
  [
    "one of many spread arguments",
    "import os\ndef f(m, *n): m.system('x'); n[0].abort()\nf(*[], *{}, *[os])",
    [`2 ${SPAWNS}`, "2 process.signal os.abort"],
  ],
  ["the rest of the arguments", "import os\ndef f(*m): m[0].system('x')\nf(os)", [`2 ${SPAWNS}`]],
  ["a default", "import os\ndef f(m=os): m.system('x')", [`2 ${SPAWNS}`]],
  ["a default of a lambda", "import os\n(lambda m=os: m.system('x'))()", [`2 ${SPAWNS}`]],
  ["a class attribute", "import os\nclass A:\n  m = os\nA.m.system('x')", [`4 ${SPAWNS}`]],
  [
    "an instance attribute",
    "import os\nclass A:\n  def __init__(self): self.m = os\n  def f(self): self.m.system('x')",
    [`4 ${SPAWNS}`],
  ],
  [
    "a constructor's argument",
    "import os\nclass A:\n  def __init__(self, m): m.system('x')\nA(os)",
    [`3 ${SPAWNS}`],
  ],
  [
    "a method's argument",
    "import os\nclass A:\n  def f(self, m): m.system('x')\na.f(os)",
    [`3 ${SPAWNS}`, "4 unresolved os given to a.f"],
  ],
  [
    "global in a function",
    "def f():\n  global o\n  import os as o\no.system('x')",
    [`4 ${SPAWNS}`],
  ],
  [
    "nonlocal",
    "def f():\n  o = None\n  def g():\n    nonlocal o\n    import os as o\n  o.system('x')",
    [`6 ${SPAWNS}`],
  ],
  ["a match capture", "import os\nmatch os:\n  case o: o.system('x')", [`3 ${SPAWNS}`]],
  [
    "one of many subjects",
    `import os\nmatch ${"1, ".repeat(20)}os:\n  case [*a, b]: b.system('x')`,
    [`3 ${SPAWNS}`],
  ],
  ["a class pattern", "import os\nmatch os:\n  case object(system=s): s('x')", [`3 ${SPAWNS}`]],
  ["with", "import os\nwith os as o: o.system('x')", [`2 ${SPAWNS}`]],
  ["a decorator", "import os\n@os.system\ndef f(): pass", [`2 ${SPAWNS}`]],
  ["an annotation that calls", "import os\nx: os.system('x') = 1", [`2 ${SPAWNS}`]],
  ["an f-string", "import os\nf'{os.system(1)}'", [`2 ${SPAWNS}`]],
  ["a format of an f-string", "import os\nf'{1:{os.system(1)}}'", [`2 ${SPAWNS}`]],
  ["a class's base", "import os\nclass A(os.system('x')): pass", [`2 ${SPAWNS}`]],
  ["a full-width name", "ｅｖａｌ('1')", ["1 code.execute eval"]],

  ["getattr", "import os\ngetattr(os, 'system')('x')", [`2 ${SPAWNS}`]],
  [
    "getattr of joined strings",
    "import os\nn = 'sys'\ngetattr(os, n + 'tem')('x')",
    [`3 ${SPAWNS}`],
  ],
  ["getattr of an escaped string", "import os\ngetattr(os, 'sys\\x74em')('x')", [`2 ${SPAWNS}`]],
  ["getattr under another name", "import os\ng = getattr\ng(os, 'system')('x')", [`3 ${SPAWNS}`]],
  ["__import__", "__import__('os').system('x')", [`1 ${SPAWNS}`, "1 code.import __import__"]],
  [
    "import_module",
    "from importlib import import_module as i\ni('os').system('x')",
    [`2 ${SPAWNS}`, "2 code.import importlib.import_module"],
  ],
  ["sys.modules", "import sys\nsys.modules['os'].system('x')", [`2 ${SPAWNS}`]],
  [
    "vars of a module",
    "import os\nvars(os)['system']('x')",
    [`2 ${SPAWNS}`, "2 code.reflect vars"],
  ],
  [
    "__dict__ of a module",
    "import os\nos.__dict__['system']('x')",
    [`2 ${SPAWNS}`, "2 code.reflect __dict__"],
  ],
  ["__builtins__", "__builtins__.eval('1')", ["1 code.execute eval"]],
  ["__builtins__ as a dictionary", "__builtins__['eval']('1')", ["1 code.execute eval"]],
  ["globals", "import os\nglobals()['os'].system('x')", [`2 ${SPAWNS}`, "2 code.reflect globals"]],
  ["a builtin's __self__", "print.__self__.eval('1')", ["1 code.execute eval"]],
  ["a module that another one exposes", "import shutil\nshutil.os.system('x')", [`2 ${SPAWNS}`]],
  [
    "a module exposed under an underscore",
    "import random\nrandom._os.system('x')",
    [`2 ${SPAWNS}`],
  ],
  ["a module's other name", "import posix\nposix.system('x')", ["2 process.spawn posix.system"]],
  ["subclasses", "().__class__.__base__.__subclasses__()", ["1 code.reflect __subclasses__"]],
  ["a builtin shadowed only later", "eval('1')\ndef eval(x): pass", ["1 code.execute eval"]],
  ["a builtin shadowed only perhaps", "if x:\n  eval = 1\neval('1')", ["3 code.execute eval"]],
  [
    "a builtin shadowed by a loop that may not run",
    "for eval in x: eval('1')\neval('1')",
    ["2 code.execute eval"],
  ],
  [
    "a builtin shadowed in one block only",
    "if x:\n  eval = 1\n  eval('1')\nelse:\n  eval('1')",
    ["5 code.execute eval"],
  ],
  [
    "a function under another name, called and handed on",
    "o = open\no('a')\nmap(o, x)",
    ["1 filesystem.read open", "1 filesystem.write open", "2 filesystem.read open"],
  ],
  [
    "a function under a name that may be many",
    `${Array.from({ length: 40 }, (_, i) => `def f${i}(): pass\no = f${i}\n`).join("")}o = open\no('a')`,
    ["81 filesystem.read open", "81 filesystem.write open"],
  ],
  ["a builtin no longer shadowed", "eval = 1\ndel eval\neval('1')", ["3 code.execute eval"]],
  [
    "a builtin shadowed in a class only",
    "class A:\n  eval = 1\n  def f(self): eval('1')",
    ["3 code.execute eval"],
  ],
  [
    "a function handed on",
    "import os, threading\nthreading.Thread(target=os.system)",
    ["2 concurrency threading.Thread", `2 ${SPAWNS}`],
  ],
  [
    "importing what acts when imported",
    "import antigravity",
    ["1 process.spawn antigravity", "1 network.client antigravity"],
  ],

  [
    "environment",
    "import os\nos.environ['A'] = 'b'\nos.environ['A']\nos.environ.get('A')\ndel os.environ['A']",
    [
      "2 environment.write os.environ",
      "3 environment.read os.environ",
      "4 environment.read os.environ.get",
      "5 environment.write os.environ",
    ],
  ],
  [
    "a replaced member",
    "import sys\nsys.stdout = f\nsys.excepthook = g",
    ["2 system.modify sys.stdout", "3 code.reflect sys.excepthook"],
  ],
  [
    "a function that more than looks may get",
    "import os\nx == os.fork\nrepr(os.system('x'))\ndir = f\ndir(os.system)",
    ["2 process.spawn os.fork", `3 ${SPAWNS}`, `5 ${SPAWNS}`],
  ],
  ["setattr on a module", "import sys\nsetattr(sys, n, 1)", ["2 system.modify setattr"]],
  [
    "a path's methods",
    "from pathlib import Path\np = Path('a') / 'b'\np.write_text('')\np.parent.joinpath('x').unlink()",
    ["3 filesystem.write pathlib.Path.write_text", "4 filesystem.delete pathlib.Path.unlink"],
  ],
  [
    "an annotated path",
    "from pathlib import Path\ndef f(p: Path | None): p.read_text()",
    ["2 filesystem.read pathlib.Path.read_text"],
  ],
  [
    "a path of unknown origin",
    "import pathlib\nfor p in sorted(x): p.read_bytes()",
    ["2 filesystem.read pathlib.*.read_bytes"],
  ],
  [
    "a socket's methods",
    "import socket\ns = socket.socket()\ns.bind(a)",
    ["2 network.client socket.socket", "3 network.server socket.socket.bind"],
  ],
  ["the packages of others", "import requests\nrequests.get(u)", ["2 network.client requests.get"]],
];

const CONDITIONAL: readonly Case[] = [
  [
    "open to read",
    "open('a')\nopen('a', 'rb')\nopen('a', mode='r')",
    ["1", "2", "3"].map((l) => `${l} filesystem.read open`),
  ],
  [
    "open to write",
    "open('a', 'w')\nopen('a', mode='ab')\nopen('a', 'x')",
    ["1", "2", "3"].map((l) => `${l} filesystem.write open`),
  ],
  [
    "open to read and write",
    "open('a', 'r+')",
    ["1 filesystem.read open", "1 filesystem.write open"],
  ],
  [
    "open in a mode that cannot be told",
    "open('a', m)",
    ["1 filesystem.read open", "1 filesystem.write open"],
  ],
  [
    "open with arguments that cannot be told",
    "open(*a)",
    ["1 filesystem.read open", "1 filesystem.write open"],
  ],
  [
    "open in one of two modes",
    "m = 'r' if x else 'w'\nopen('a', m)",
    ["2 filesystem.read open", "2 filesystem.write open"],
  ],
  [
    "os.open to read",
    "import os\nos.open('a', os.O_RDONLY | os.O_CLOEXEC)",
    ["2 filesystem.read os.open"],
  ],
  [
    "os.open to write",
    "import os\nos.open('a', os.O_WRONLY | os.O_CREAT)",
    ["2 filesystem.write os.open"],
  ],
  [
    "a path's open",
    "from pathlib import Path\nPath('a').open('w')",
    ["2 filesystem.write pathlib.Path.open"],
  ],
  [
    "a class's open",
    "from pathlib import Path\nPath.open(p, 'w')",
    ["2 filesystem.write pathlib.Path.open"],
  ],
  ["type with three arguments", "type('A', (), {})", ["1 code.reflect type"]],
  ["vars without arguments", "vars()", ["1 code.reflect vars"]],
  ["yaml.load", "import yaml\nyaml.load(x)", ["2 data.deserialize yaml.load"]],
  ["timeit of a string", "import timeit\ntimeit.timeit('x')", ["2 code.execute timeit.timeit"]],
  [
    "a table read from somewhere",
    "import pandas\npandas.read_csv(x)",
    ["2 filesystem.read pandas.read_csv", "2 network.client pandas.read_csv"],
  ],
  [
    "a file handler by basicConfig",
    "import logging\nlogging.basicConfig(filename='x')",
    ["2 filesystem.write logging.basicConfig"],
  ],
  [
    "attributes by a computed name",
    "import operator\noperator.attrgetter(n)",
    ["2 code.reflect operator.attrgetter"],
  ],
];

const UNRESOLVED: readonly Case[] = [
  ["getattr of a computed name", "import os\ngetattr(os, n)", ["2 unresolved getattr(os, n)"]],
  [
    "getattr of a perhaps computed name",
    "import os\nn = 'path'\nn = f()\ngetattr(os, n)",
    ["4 unresolved getattr(os, n)"],
  ],
  ["a module handed to something unknown", "import os\nf(os)", ["2 unresolved os given to f"]],
  [
    "a module handed to a class with more initialisers than are followed",
    `import os\nclass A:\n${" def __init__(self, m): pass\n".repeat(51)}A(os)`,
    ["54 unresolved os given to A"],
  ],
  ["modules handed on in a list", "import os\nf([os])", ["2 unresolved [os] given to f"]],
  [
    "a module put into a list",
    "import os\nx = []\nx.append(os)",
    ["3 unresolved os given to x.append"],
  ],
  [
    "globals by a computed name",
    "globals()[n]",
    ["1 unresolved globals()[n]", "1 code.reflect globals"],
  ],
  [
    "a class without a constructor of its own",
    "import os\nclass A(B): pass\nA(os)",
    ["3 unresolved os given to A"],
  ],
  [
    "a module returned by an operator",
    "import os\nclass A:\n  def __getitem__(self, k): return os",
    ["3 unresolved os returned by __getitem__"],
  ],
  [
    "a module returned by a property",
    "import os\nclass A:\n  @property\n  def m(self): return os",
    ["4 unresolved os returned by m"],
  ],
  [
    "a function that returns a module, handed on",
    "import os\ndef f(): return os\nmap(f, x)",
    ["3 unresolved f given to map"],
  ],
  [
    "a module put somewhere",
    "import os\nx['m'] = os\nsetattr(x, 'n', os)\ndict(a=os)\nx[os]",
    [
      "2 unresolved os put into x['m']",
      "3 unresolved os given to setattr",
      "4 unresolved os given to dict",
      "5 unresolved os used as a key of x",
    ],
  ],
  [
    "a module given to an operator or a class",
    "import os\nx @ os\nclass A(B, m=os): pass",
    ["2 unresolved os used in an operation", "3 unresolved os given to the bases of a class"],
  ],
  [
    "methods by constant names",
    "import operator, os\noperator.attrgetter('system')(os)",
    [`2 ${SPAWNS}`, "2 unresolved os given to operator.attrgetter('system')"],
  ],
];

const HARMLESS: readonly Case[] = [
  ["a module that is only imported", "import os, subprocess as s\nfrom os import system", []],
  ["os.path.join", "import os\nos.path.join('a', 'b')\nos.sep", []],
  ["the same names in text", "x = 'os.system(1)'  # eval('x')\n'''exec'''", []],
  ["a local function of the same name", "def eval(x): return x\neval('1')", []],
  ["a parameter of the same name", "def f(open): open('a', 'w')", []],
  ["a variable of a function", "def f():\n  eval = g\n  eval('1')", []],
  ["a comprehension's variable", "[eval(1) for eval in x]", []],
  ["a keyword of the same name", "f(eval=1, open=2)", []],
  ["a method of the same name", "x.eval()\nx.system('a')\nself.open('w')", []],
  ["a module of the same name from elsewhere", "from . import os\nos.system('x')", []],
  ["another module's member of the same name", "import re\nre.compile('x')", []],
  [
    "a name of a loop, a with or an except",
    "for eval in x: eval('1')\nwith y as exec: exec('1')\ntry: f()\nexcept E as open: open('a')",
    [],
  ],
  [
    "a function that is only called under another name",
    "o = open\no('a')\ndef f(p, w=open): w(p, 'w')",
    ["2 filesystem.read open", "3 filesystem.write open"],
  ],
  [
    "what passes through names is told where it arose",
    "import sys\ndef f(s):\n  if s == '-': s = g(s)\n  return s.readline()\nf(sys.stdin)",
    ["5 device sys.stdin"],
  ],
  ["a class's own method", "class A:\n  def open(self): pass\n  def f(self): self.open()", []],
  [
    "types in annotations",
    "import subprocess, socket\ndef f(p: subprocess.Popen, s: list[socket.socket]) -> subprocess.Popen: ...",
    [],
  ],
  [
    "types in isinstance",
    "import subprocess, types\nisinstance(x, (subprocess.Popen, types.FunctionType))",
    [],
  ],
  [
    "exceptions",
    "import subprocess, socket\ntry: f()\nexcept (subprocess.CalledProcessError, socket.error) as e: print(e.errno)",
    [],
  ],
  ["constants", "import os, signal, socket\nos.O_RDONLY, signal.SIGINT, socket.AF_INET", []],
  ["getattr of an object", "getattr(x, n)\ngetattr(self, 'a', None)\nsetattr(self, n, 1)", []],
  ["a member of a harmless module by any name", "import math\ngetattr(math, n)(2)", []],
  ["type of one argument", "type(x)\nclass M(type): pass", []],
  [
    "functions that are only looked at",
    "import os\nif os.fork is not None and callable(os.fork): print(dir(open))\nif not os.fork: pass",
    [],
  ],
  ["names put into a text", "def f(): return '%(a)s' % locals() + '{a}' % (globals())", []],
  ["a module's docstring", "import os\nos.__doc__ = 'x'", []],
  [
    "a path's own methods",
    "import pathlib\nclass P:\n  def iterdir(self): pass\n  def f(self): return self.iterdir()",
    [],
  ],
  ["asking a module", "import os\nhasattr(os, 'fork')\nprint(os)", []],
  ["a safe loader", "import yaml\nyaml.load(x, Loader=yaml.SafeLoader)\nyaml.safe_load(x)", []],
  ["a path that is only made", "from pathlib import Path\nPath('a').with_suffix('.b').name", []],
  [
    "a copy of the environment",
    "import os\ne = os.environ.copy()\ne['A'] = 'b'",
    ["2 environment.read os.environ.copy"],
  ],
  [
    "attributes by constant names",
    "import operator\nsorted(x, key=operator.attrgetter('a.b'))",
    [],
  ],
  [
    "logging to the console",
    "import logging\nlogging.basicConfig(level=1)\nlogging.getLogger(__name__).info('x')",
    [],
  ],
  [
    "names of the module itself",
    "x = [n for n in globals() if n[:1] != '_']\ny = [globals()[n] for n in x]",
    ["2 code.reflect globals", "2 unresolved globals()[n]"],
  ],
  ["parsing JSON and dates", "import json, datetime\njson.loads(x)\ndatetime.datetime.now()", []],
];

describe.each([
  ["what is reached through", REACHED],
  ["what depends on arguments:", CONDITIONAL],
  ["what cannot be told:", UNRESOLVED],
  ["what is harmless:", HARMLESS],
])("%s", (_, cases) => {
  test.each(cases)("%s", async (_, source, expected) => {
    expect((await usesOf(source)).toSorted()).toEqual(expected.toSorted());
  });
});

test("the chain leads from the reference to what bound it", async () => {
  const parsed = await parseModule("import os as o\nrun = o.system\nrun('x')\n");
  const { uses, chain } = resolveUses(parsed);
  expect(uses.map(({ node }) => chain(node).join(" ← "))).toEqual([
    "o.system ← import os as o",
    "run ← run = o.system ← import os as o",
  ]);
});

test("columns count code points", async () => {
  const parsed = await parseModule("x = '😀'; eval(x)\n");
  const [use] = resolveUses(parsed).uses;
  expect(parsed.position(use!.node.startIndex)).toEqual({ line: 1, column: 10 });
});
