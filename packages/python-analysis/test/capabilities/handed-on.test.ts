import { expect, test } from "vitest";
import { capabilitiesOf } from "./capabilities-of.js";

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

test.each(HANDED_ON)("a module is known where it is handed on to: %s", async (source) => {
  expect([...(await capabilitiesOf(source))]).toContain("process.spawn");
});
