import { describe, expect, test } from "vitest";
import { resolveUses } from "../../src/capabilities/uses.js";
import { parseModule } from "../../src/structure/parse.js";

async function capabilitiesOf(source: string): Promise<Set<string>> {
  const { uses } = resolveUses(await parseModule(source));
  return new Set(uses.map(({ capability }) => capability));
}

/** Each runs a program or connects by a module, or by a name of a member, that gets there through an object or a container. */
const CARRIED: Readonly<Record<string, string>> = {
  "a list changed by a function": `import os
l = ["path", "sep"]
def f(x):
    l[0] = x
f("system")
for n in l:
    getattr(os, n)("id")`,
  "a list appended to on one way": `import os, random
l = ["path"]
if random.random() < 2:
    l.append("system")
getattr(os, l[-1])("id")`,
  "a list changed by operator.setitem": `import os, operator
names = ["path"]
operator.setitem(names, 0, "system")
for n in names:
    getattr(os, n)("id")`,
  "a list whose slice is assigned": `import os
names = ["path"]
names[:] = ["system"]
for n in names:
    getattr(os, n)("id")`,
  "a bound method under another name": `import os
class C:
    def get(self):
        return os
g = C().get
g().system("id")`,
  "a function in an attribute": `import os
class C: pass
c = C()
c.f = lambda: os
c.f().system("id")`,
  "a list in an attribute": `import os
class C: pass
c = C()
c.l = [os]
c.l[0].system("id")`,
  "a list in a dictionary in an attribute": `import os
class C: pass
c = C()
c.d = {"k": [os]}
c.d["k"][0].system("id")`,
  attrgetter: `import os, operator
class C: pass
c = C()
c.v = os
operator.attrgetter("v")(c).system("id")`,
  "getattr with an attribute's name that is not known": `import os
class C: pass
c = C()
c.v = os
for n in dir(c):
    if not n.startswith("_"):
        getattr(c, n).system("id")`,
  "max with a key": `import os
max([os], key=lambda m: m.system("id"))`,
  "filter with a function": `import os
list(filter(lambda m: m.system("id"), [os]))`,
  "list.sort with a key": `import os
l = [os]
l.sort(key=lambda m: m.system("id"))`,
  "sorted with a key": `import os
sorted((os,), key=lambda m: m.system("id"))`,
  __imatmul__: `import os
class C:
    def __imatmul__(self, o):
        o.system("id")
        return self
c = C()
c @= os`,
  "a slice as a key": `import os
class C:
    def __getitem__(self, k):
        k.start.system("id")
C()[os:1]`,
  "the names of a class given to its metaclass": `import os
class T(type):
    def __new__(m, n, b, d):
        d["v"].system("id")
        return super().__new__(m, n, b, d)
class C(metaclass=T):
    v = os`,
  "an attribute put into another module": `import os, json
json.thing = os
json.thing.system("id")`,
  "a decorator's result": `import os
def d(f):
    return os
@d
def e(): pass
e.system("id")`,
  "a decorator's wrapper": `import os
def d(f):
    def w():
        return f()
    return w
@d
def e():
    return os
e().system("id")`,
  "a cell of a closure": `import os
def d(v):
    return lambda: v
d(os).__closure__[0].cell_contents.system("id")`,
  "a default": `import os
def f(v=os): pass
f.__defaults__[0].system("id")`,
  "vars of an object": `import os
class C:
    def __init__(self):
        self.v = os
vars(C())["v"].system("id")`,
  "the items of vars of an object": `import os
class C:
    def __init__(self):
        self.v = os
for k, v in vars(C()).items():
    v.system("id")`,
  __setattr__: `import os
class C:
    def __setattr__(self, k, v):
        v.system("id")
c = C()
c.x = os`,
  __set__: `import os
class D:
    def __set__(self, o, v):
        v.system("id")
class C:
    d = D()
C().d = os`,
  __contains__: `import os
class C:
    def __contains__(self, v):
        v.system("id")
        return True
os in C()`,
  __eq__: `import os
class C:
    def __eq__(self, v):
        v.system("id")
        return True
C() == os`,
  "a type alias": `import os
type T = os
T.__value__.system("id")`,
  "an annotation": `import os, typing
def f(x: os): pass
typing.get_type_hints(f)["x"].system("id")`,
  "a class pattern by position": `import os
class C:
    __match_args__ = ("v",)
    v = os
match C():
    case C(m):
        m.system("id")`,
  "iter with a sentinel": `import os
next(iter(lambda: os, None)).system("id")`,
  __iter__: `import os
class C:
    def __iter__(self):
        yield os
for m in C():
    m.system("id")`,
  "super()": `import os
class B:
    def get(self):
        return os
class C(B):
    def get(self):
        return super().get()
C().get().system("id")`,
  "a method's list": `import os
class C:
    def mods(self):
        return [os]
C().mods()[0].system("id")`,
  "a method's generator": `import os
class C:
    def mods(self):
        yield os
for m in C().mods():
    m.system("id")`,
  "a coroutine's result": `import os
class C:
    async def get(self):
        return os
import asyncio
async def main():
    m = await C().get()
    m.system("id")
asyncio.run(main())`,
  "a module in a package": `import urllib.request
class C:
    def get(self):
        return urllib.request
C().get().urlopen("http://x")`,
  "a keyword-only default": `import os
f = lambda a, *, k=os: 0
f.__kwdefaults__["k"].system("id")`,
  "an attribute of a function": `import os
def f(): pass
f.l = [os]
f.l[0].system("id")`,
  "a metaclass's method": `import os
class M(type):
    def get(cls):
        return os
class C(metaclass=M): pass
C.get().system("id")`,
  "a tuple in an enumeration":
    "import os, enum\nclass E(enum.Enum):\n  RUN = (os,)\nE.RUN.value[0].system('x')",
  "a function as an annotation":
    "import os\ndef f() -> os.system: pass\nf.__annotations__['return']('x')",
};

/** Each runs a program by a module that objects, functions, generators or patterns of the script hand on. */
const HANDED_ON: readonly string[] = [
  `import os
class Box:
    def __init__(self, v):
        self.__v = v
    def __getattr__(self, n):
        return getattr(self.__v, n)
Box(os).system("id")`,
  `import os
class P:
    def __init__(self, t): self.__dict__["t"] = t
    def __getattr__(self, n): return getattr(self.t, n)
P(os).system("id")`,
  `import os, types
o = types.SimpleNamespace()
o.m = os
getattr(o, "m").system("id")`,
  `import os
from collections import namedtuple
T = namedtuple("T", "m")
t = T(os)
t.m.system("id")`,
  `import os
from typing import NamedTuple
class T(NamedTuple):
    m: object = os
T().m.system("id")`,
  `import os
from dataclasses import dataclass, field
@dataclass
class D:
    m: object = field(default_factory=lambda: os)
D().m.system("id")`,
  `import os
from contextlib import contextmanager
@contextmanager
def c():
    yield os
with c() as m:
    m.system("id")`,
  `import os
from functools import reduce
reduce(lambda a, b: b.system("id"), [0, os])`,
  `import os
from itertools import starmap, accumulate
list(starmap(lambda m: m.system("id"), [(os,)]))`,
  `import os
from functools import lru_cache
class C:
    @lru_cache
    def m(self): return os
C().m().system("id")`,
  `import os
class C:
    @classmethod
    def m(cls): return os
C.m().system("id")`,
  `import os
class C:
    @staticmethod
    def m(): return os
C.m().system("id")`,
  `import os
class E(Exception):
    def __init__(self, m):
        self.m = m
try:
    raise E(os)
except E as e:
    e.m.system("id")`,
  `import os
try:
    raise Exception(os)
except Exception as e:
    e.args[0].system("id")`,
  `import os
def g():
    return os
    yield
try:
    next(g())
except StopIteration as e:
    e.value.system("id")`,
  `import os
def g():
    try:
        yield
    except Exception as e:
        e.m.system("id")
i = g(); next(i)
x = Exception(); x.m = os
i.throw(x)`,
  `import os
class C:
    def __class_getitem__(cls, k): return os
C[1].system("id")`,
  `import os
class C:
    def __init_subclass__(cls, m=None):
        m.system("id")
class D(C, m=os): pass`,
  `import os
class C:
    def __format__(self, s):
        self.m.system("id")
        return ""
c = C(); c.m = os
f"{c}"`,
  `import os
class C:
    def __del__(self):
        self.m.system("id")
c = C(); c.m = os
del c`,
  `import os
class C:
    def __await__(self):
        yield
        return os
async def f():
    (await C()).system("id")`,
  `import os
class C:
    def __enter__(self): return os
    def __exit__(self, *a): pass
with C() as m:
    m.system("id")`,
  `import os
class C:
    async def __aenter__(self): return os
    async def __aexit__(self, *a): pass
async def f():
    async with C() as m:
        m.system("id")`,
  `import os
class C:
    def __aiter__(self): return self
    async def __anext__(self): return os
async def f():
    async for m in C():
        m.system("id")`,
  `import os
class C:
    async def mods(self):
        yield os
async def f():
    async for m in C().mods():
        m.system("id")`,
  `import os
class C:
    def __index__(self):
        self.m.system("id"); return 0
c = C(); c.m = os
[1][c]`,
  `import os
class C:
    def __getitem__(self, k): return os
C()[0].system("id")`,
  `import os
class C:
    def __missing__(self, k): return os
class D(C, dict): pass
D()["x"].system("id")`,
  `import os
def f(): return os
class C:
    m = f
C.m().system("id")`,
  `import os
class C:
    m = lambda self: os
C().m().system("id")`,
  `import os
class C:
    ms = [os]
C().ms[0].system("id")`,
  `import os
class C:
    ms = {"a": lambda: os}
C().ms["a"]().system("id")`,
  `import os
def outer():
    m = os
    class C:
        def get(self): return m
    return C
outer()().get().system("id")`,
  `import os
def dec(arg):
    def d(f):
        return arg
    return d
@dec(os)
def e(): pass
e.system("id")`,
  `import os
def dec(cls):
    cls.m = os
    return cls
@dec
class C: pass
C.m.system("id")`,
  `import os
def dec(cls):
    return os
@dec
class C: pass
C.system("id")`,
  `import os
class D:
    def __init__(self, f): self.f = f
    def __getattr__(self, n): return getattr(os, n)
@D
def e(): pass
e.system("id")`,
  `import os
class D:
    def __get__(self, o, t=None): return os
class C:
    m = D()
C.m.system("id")`,
  `import os
class Stack:
    def __init__(self): self.items = []
    def push(self, x): self.items.append(x)
    def pop(self): return self.items.pop()
s = Stack()
s.push(os)
s.pop().system("id")`,
  `import os
class Reg:
    def __init__(self): self.d = {}
    def add(self, k, v): self.d[k] = v
    def __getitem__(self, k): return self.d[k]
r = Reg()
r.add("a", os)
r["a"].system("id")`,
  `import os
class Node:
    def __init__(self, v, n=None):
        self.v, self.n = v, n
n = Node(1, Node(os))
n.n.v.system("id")`,
  `import os
class Builder:
    def with_(self, m):
        self.m = m
        return self
    def build(self):
        return self.m
Builder().with_(os).build().system("id")`,
  `import os
mods = {}
def register(f):
    mods[f.__name__] = f
    return f
@register
def get(): return os
mods["get"]().system("id")`,
  `import os
class C:
    def __or__(self, f): return f(os)
C() | (lambda m: m.system("id"))`,
  `import os
class C:
    def __rshift__(self, f): return f(os)
C() >> (lambda m: m.system("id"))`,
  `import os
class C:
    def each(self, f):
        for m in [os]: f(m)
C().each(lambda m: m.system("id"))`,
  `import os
def h(m): m.system("id")
class C:
    def each(self, f):
        for m in [os]: f(m)
C().each(h)`,
  `import os
def coro():
    r = yield os
    yield r
c = coro()
m = next(c)
m.system("id")`,
  `import os
def a():
    yield os
def b():
    yield from a()
for m in b(): m.system("id")`,
  `import os
def b():
    x = yield from iter([os])
for m in b(): m.system("id")`,
  `import os
m, *rest = os, 1
d = dict(zip("a", [m]))
d["a"].system("id")`,
  `import os
f = {"a": os}.get
f("a").system("id")`,
  `import os
l = [os]
p = l.pop
p().system("id")`,
  `import os
class C:
    def __init__(self): self.l = [os]
    def get(self): return self.l
C().get()[0].system("id")`,
  `import os
x = [[[[os]]]]
x[0][0][0][0].system("id")`,
  `import os
class C: pass
c = C(); c.x = [[[[os]]]]
c.x[0][0][0][0].system("id")`,
  `import os
class A: pass
class B: pass
a = A(); a.b = B(); a.b.m = os
def run(o): o.b.m.system("id")
run(a)`,
  `import os
f = lambda: (yield os)
for m in f(): m.system("id")`,
  `import os
g = (m for m in [os])
next(g).system("id")`,
  `import os
class C:
    def __new__(cls): return os
C().system("id")`,
  `import os
class M(type):
    def __call__(cls): return os
class C(metaclass=M): pass
C().system("id")`,
  `import os
class M(type):
    def __getattr__(cls, n): return getattr(os, n)
class C(metaclass=M): pass
C.system("id")`,
  `import os
def __getattr__(n): return os
import sys
sys.modules[__name__].x.system("id")`,
  `import os
class M(type):
    def __getitem__(cls, n): return os
class C(metaclass=M): pass
C[0].system("id")`,
  `import os
from functools import singledispatchmethod, cached_property
class C:
    @cached_property
    def m(self): return os
C().m.system("id")`,
  `import os
def f():
    f.m = os
f()
f.m.system("id")`,
  `import os
match {"a": [os]}:
    case {"a": [m]}:
        m.system("id")`,
  `import os
match (os, 1):
    case (m, 1) | (1, m):
        m.system("id")`,
  `import os
def f(*, m): return m
kw = {}
kw["m"] = os
f(**kw).system("id")`,
  `import os
def f(**kw): return kw["m"]
f(m=os).system("id")`,
  `import os
import threading
r = []
t = threading.Thread(target=lambda: r.append(os)); t.start(); t.join()
r[0].system("id")`,
  `import os
from concurrent.futures import ThreadPoolExecutor
ThreadPoolExecutor().submit(lambda: os).result().system("id")`,
  `import os
(lambda m=os: m)().system("id")`,
  `import os
[m := os]
m.system("id")`,
  `import os, json
class E(json.JSONEncoder):
    def default(self, o):
        return os
E().default(1).system("id")`,
  `import os
class C:
    m = None
def s(o, v): o.m = v
s(C, os)
C.m.system("id")`,
  `import os
class C:
    __slots__ = ("m",)
c = C()
C.m.__set__(c, os)
c.m.system("id")`,
  `import os, weakref
class C: pass
c = C(); c.m = os
weakref.ref(c)().m.system("id")`,
  `import os, copy
class C: pass
c = C(); c.m = os
copy.copy(c).m.system("id")`,
  `import os
def f(a):
    return a
f.__wrapped__ = os
f.__wrapped__.system("id")`,
  `import os
class C:
    "doc"
C.__doc__ = os
C.__doc__.system("id")`,
  `import os
def f(): pass
f.__doc__ = os
f.__doc__.system("id")`,
  `import os
def f(): pass
f.__name__, f.__dict__["a"] = "x", os
f.a.system("id")`,
  `import os
class C: pass
C.__name__ = "C"; C.__module__ = os
C.__module__.system("id")`,
  `import os
x = [0]
x[0] = os
x[0].system("id")`,
  `import os
x = [0]
x[0], y = os, 1
x[0].system("id")`,
  `import os
x = {}
for x["a"] in [os]: pass
x["a"].system("id")`,
  `import os, contextlib
x = {}
with contextlib.nullcontext(os) as x["a"]: pass
x["a"].system("id")`,
  `import os
class C: pass
c = C()
for c.m in [os]: pass
c.m.system("id")`,
  `import os
class C: pass
c = C()
c.a, (c.b, c.m) = 1, (2, os)
c.m.system("id")`,
  `import os
class C:
    def f(self):
        self.m = os
        self.g()
    def g(self):
        self.m.system("id")
C().f()`,
  `import os
class A:
    m = os
class B(A):
    def go(self): super().m.system("id")
B().go()`,
];

/** Each takes a member of a module by a name that seems to be another one. */
const REBOUND: readonly string[] = [
  `import os
def f():
    x = "path"
    for i in range(3):
        getattr(os, x)("id")
        x = "system"
f()`,
  `import os
x = "path"
def cb():
    getattr(os, x)("id")
x = "system"
cb()`,
  `import os
x = "path"
def cb():
    getattr(os, x)("id")
for x in ["sep", "system"]:
    pass
cb()`,
  `import os
x = "path"
def cb():
    getattr(os, x)("id")
import json as x
x = "sys"
x += "tem"
cb()`,
  `import os
class C:
    x = "path"
    def __init__(self):
        self.x = "sep"
    def go(self):
        getattr(os, self.x)("id")
c = C()
c.__dict__["x"] = "system"
c.go()`,
  `import os
class C:
    x = "path"
vars(C)
setattr(C, "x", "system")
getattr(os, C.x)("id")`,
  `import os
class C:
    x = "path"
type.__setattr__(C, "x", "system")
getattr(os, C.x)("id")`,
  `import os
x = "path"
vars()["x"] = "system"
getattr(os, x)("id")`,
  `import os
x = "path"
locals().update({"x": "system"})
getattr(os, x)("id")`,
  `import os
x = "path"
g = globals()
g["x"] = "system"
getattr(os, x)("id")`,
  `import os
x = "path"
g = globals()
def put(d, k, v):
    d[k] = v
put(g, "x", "system")
getattr(os, x)("id")`,
  `import os
x = "path"
g = globals
g().__setitem__("x", "system")
getattr(os, x)("id")`,
  `import os
x = "path"
for g in [globals]:
    g()["x"] = "system"
getattr(os, x)("id")`,
  `import os, operator
x = "path"
operator.setitem(globals(), "x", "system")
getattr(os, x)("id")`,
  `import os
x = "path"
def f(): pass
f.__globals__["x"] = "system"
getattr(os, x)("id")`,
  `import os
x = "path"
dict.update(globals(), x="system")
getattr(os, x)("id")`,
  `import os
x = "path"
exec("".join(map(chr, [120,61,39,115,121,115,116,101,109,39])))
getattr(os, x)("id")`,
  `import os
x = "path"
eval("globals().__setitem__('x', 'system')")
getattr(os, x)("id")`,
  `import os, importlib
x = "path"
m = importlib.import_module("__main__")
m.x = "system"
getattr(os, x)("id")`,
  `import os, sys
x = "path"
m = sys.modules[__name__]
m.x = "system"
getattr(os, x)("id")`,
  `import os, sys
x = "path"
sys.modules[__name__].__dict__.update(x="system")
getattr(os, x)("id")`,
  `import os, sys
x = "path"
sys._getframe().f_globals["x"] = "system"
getattr(os, x)("id")`,
  `import os
def f(x="path"):
    getattr(os, x)("id")
f.__defaults__ = ("system",)
f()`,
  `import os
x = "path"
def f():
    getattr(os, x)("id")
import types
types.FunctionType(f.__code__, {"x": "system", "os": os, "getattr": getattr})()`,
  `import os
x = "path"
class A:
    global x
    x = "system"
getattr(os, x)("id")`,
  `import os
def f():
    x = "path"
    class A:
        nonlocal x
        x = "system"
    getattr(os, x)("id")
f()`,
  `import os
l = ["path"]
def f(v=l):
    v.append("system")
f()
getattr(os, l[-1])("id")`,
  `import os
l = ["path"]
m = l
m[0] = "system"
def g():
    getattr(os, l[0])("id")
g()`,
  `import os
d = {"k": ["path"]}
for v in d.values():
    v[0] = "system"
def g():
    getattr(os, d["k"][0])("id")
g()`,
  `import os
d = {"k": ["path"]}
for k, v in d.items():
    v.insert(0, "system")
for x in d["k"]:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
class C:
    pass
c = C()
c.l = l
c.l.append("system")
for x in l[1:]:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
t = (l, 1)
t[0].append("system")
for x in l[1:]:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
def deco(f):
    l.append("system")
    return f
@deco
def g():
    for x in l[1:]:
        getattr(os, x)("id")
g()`,
  `import os, functools
l = ["path"]
functools.partial(list.append, l)("system")
for x in l[1:]:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
list(map(l.append, ["system"]))
for x in l[1:]:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
getattr(l, "append")("system")
for x in l[1:]:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
l.__class__.append(l, "system")
for x in l[1:]:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
for l[0] in ["system"]:
    pass
for x in l:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
with open(__file__) as l[0]:
    pass
l[0], y = "system", 1
for x in l:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
[l.append(x) for x in ["system"]]
for x in l[1:]:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
def g():
    yield l
for v in g():
    v.append("system")
for x in l[1:]:
    getattr(os, x)("id")`,
  `import os
class L(list):
    pass
l = L(["path"])
l.append("system")
for x in l[1:]:
    getattr(os, x)("id")`,
  `import os
l = list(["path"])
l.append("system")
for x in l[1:]:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
k = l.copy()
k.append("system")
for x in k[1:]:
    getattr(os, x)("id")`,
  `import os
l = ["path"]
k = l * 2
k[0] = "system"
for x in k:
    getattr(os, x)("id")`,
  `import os
l = ["path"] + ["sep"]
l[0] = "system"
for x in l:
    getattr(os, x)("id")`,
  `import os
d = dict(a="path")
d["a"] = "system"
for x in d.values():
    getattr(os, x)("id")`,
  `import os
d = {**{"a": "path"}}
d |= {"a": "system"}
for x in d.values():
    getattr(os, x)("id")`,
  `import os
d = {"a": "path"}
d.setdefault("b", "system")
for x in d.values():
    getattr(os, x)("id")`,
  `import os
d = {}
d["system"] = "path"
for x in d:
    getattr(os, x)("id")`,
  `import os
m = {"path": __import__}
l = ["j" + "son"]
l[0] = "os"
for x in l:
    __import__(x).system("id")`,
  `l = ["json"]
def f(v):
    l[0] = v
f("os")
for x in l:
    __import__(x).system("id")`,
  `x = "json"
def f():
    globals()["x"] = "os"
f()
__import__(x).system("id")`,
];

/** Each takes members of a module by names that are all known and harmless. */
const KNOWN: Readonly<Record<string, string>> = {
  "a type as an annotation that is read":
    "def f(x: type): pass\nprint(f.__annotations__)\ndef g(y: type): pass",
  "a list": "import os\nfor n in ['sep', 'linesep']:\n  print(getattr(os, n))",
  "a tuple in a function":
    "import os\nNAMES = ('sep', 'linesep')\ndef f():\n  return {n: getattr(os, n) for n in NAMES}",
  "a list that gets more that is known":
    "import os\nnames = ['sep']\ndef f():\n  names.append('linesep')\nfor n in names:\n  print(getattr(os, n))",
};

describe("what travels through objects and containers", () => {
  test.each(Object.entries(CARRIED))("is known where it is used: %s", async (_, source) => {
    const capabilities = await capabilitiesOf(source);
    expect([...capabilities]).toContain(
      source.includes("urllib") ? "network.client" : "process.spawn",
    );
  });

  test.each(HANDED_ON)("is known where it is handed on to: %s", async (source) => {
    expect([...(await capabilitiesOf(source))]).toContain("process.spawn");
  });

  test.each(REBOUND)("may be another name than the one that is written: %s", async (source) => {
    expect([...(await capabilitiesOf(source))]).toContain("process.spawn");
  });

  test.each(Object.entries(KNOWN))("is not accused when it is known: %s", async (_, source) => {
    expect([...(await capabilitiesOf(source))]).toEqual([]);
  });
});
