import { describe, expect, test } from "vitest";
import { capabilitiesOf } from "./capabilities-of.js";

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

  test.each(Object.entries(KNOWN))("is not accused when it is known: %s", async (_, source) => {
    expect([...(await capabilitiesOf(source))]).toEqual([]);
  });
});
