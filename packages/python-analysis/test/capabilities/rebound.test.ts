import { expect, test } from "vitest";
import { capabilitiesOf } from "./capabilities-of.js";

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

test.each(REBOUND)("a name may be another than the one that is written: %s", async (source) => {
  expect([...(await capabilitiesOf(source))]).toContain("process.spawn");
});
