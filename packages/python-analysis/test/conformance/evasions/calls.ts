import { templates } from "./templates.js";

/** Ways to call a function with one argument. */
export const CALLS = templates({
  "+call": "$X($A)",
  "+lambda": "(lambda f: f($A))($X)",
  "+a function": "def c$_(f, a):\n    return f(a)\nc$_($X, $A)",
  "+map": "list(map($X, [$A]))",
  "map, starred": "[*map($X, [$A])]",
  "+filter": "list(filter($X, [$A]))",
  "+sorted": "sorted([$A], key=$X)",
  max: "max([$A, $A], key=$X)",
  min: "min([$A, $A], key=$X)",
  any: "any(map($X, [$A]))",
  sum: "sum(map($X, [$A]))",
  join: "''.join(map($X, [$A]))",
  for: "for r$_ in map($X, [$A]):\n    pass\nNone",
  starmap: "import itertools\nlist(itertools.starmap($X, [($A,)]))",
  takewhile: "import itertools\nlist(itertools.takewhile($X, [$A]))",
  "+partial": "import functools\nfunctools.partial($X, $A)()",
  reduce: "import functools\nfunctools.reduce(lambda a, b: $X(b), [$A], 0)",
  "operator.call": "import operator\noperator.call($X, $A)",
  methodcaller: "import operator\noperator.methodcaller('__call__', $A)($X)",
  __call__: "$X.__call__($A)",
  "__call__ by getattr": "getattr($X, '__call__')($A)",
  "type().__call__": "type($X).__call__($X, $A)",
  spread: "$X(*[$A])",
  Thread:
    "import threading\nt$_ = threading.Thread(target=$X, args=($A,))\nt$_.start()\nt$_.join()",
  "Thread's subclass":
    "import threading\nclass T$_(threading.Thread):\n    def run(self):\n        $X($A)\nt$_ = T$_()\nt$_.start()\nt$_.join()",
  Timer: "import threading\nt$_ = threading.Timer(0, $X, [$A])\nt$_.start()\nt$_.join()",
  submit: "import concurrent.futures as c$_\nc$_.ThreadPoolExecutor().submit($X, $A).result()",
  "executor.map": "import concurrent.futures as c$_\nlist(c$_.ThreadPoolExecutor().map($X, [$A]))",
  "atexit.register": "import atexit\natexit.register($X, $A)",
  "signal handler":
    "import signal\nsignal.signal(signal.SIGUSR1, lambda *a: $X($A))\nsignal.raise_signal(signal.SIGUSR1)",
  to_thread: "import asyncio\nasyncio.run(asyncio.to_thread($X, $A))",
  call_soon:
    "import asyncio\nl$_ = asyncio.new_event_loop()\nl$_.call_soon($X, $A)\nl$_.call_soon(l$_.stop)\nl$_.run_forever()",
  run_in_executor:
    "import asyncio\nl$_ = asyncio.new_event_loop()\nl$_.run_until_complete(l$_.run_in_executor(None, $X, $A))",
  coroutine: "import asyncio\nasync def c$_():\n    $X($A)\nasyncio.run(c$_())",
  "ExitStack.callback":
    "import contextlib\nwith contextlib.ExitStack() as s$_:\n    s$_.callback($X, $A)\nNone",
  finalize: "import weakref\nclass C$_:\n    pass\nc$_ = C$_()\nweakref.finalize(c$_, $X, $A)()",
  sched: "import sched\ns$_ = sched.scheduler()\ns$_.enter(0, 0, $X, ($A,))\ns$_.run()",
  decorator: "@lambda f: $X($A)\ndef d$_():\n    pass\nNone",
  "itself the decorator":
    "class D$_(str):\n    pass\nimport functools\n@functools.partial(lambda f, _: f($A), $X)\ndef d$_():\n    pass\nNone",
  staticmethod: "class C$_:\n    f = staticmethod($X)\nC$_.f($A)",
  "an attribute of itself":
    "class C$_:\n    def __init__(self, f):\n        self.f = f\n    def go(self):\n        self.f($A)\nC$_($X).go()",
  __class_getitem__: "class C$_:\n    __class_getitem__ = staticmethod($X)\nC$_[$A]",
  __getitem__: "class C$_:\n    def __getitem__(self, k):\n        return $X(k)\nC$_()[$A]",
  __del__: "class C$_:\n    def __del__(self):\n        $X($A)\nc$_ = C$_()\ndel c$_",
  __enter__:
    "class C$_:\n    def __enter__(self):\n        $X($A)\n    def __exit__(self, *a):\n        pass\nwith C$_():\n    pass\nNone",
  __format__: "class C$_:\n    def __format__(self, s):\n        return $X($A)\nf'{C$_()}'",
  __eq__: "class C$_:\n    def __eq__(self, o):\n        return $X(o)\nC$_() == $A",
  __hash__: "class C$_:\n    def __hash__(self):\n        return $X($A)\n{C$_(): 1}",
  __bool__: "class C$_:\n    def __bool__(self):\n        return $X($A)\nnot C$_()",
  __init_subclass__:
    "class B$_:\n    def __init_subclass__(cls):\n        $X($A)\nclass C$_(B$_):\n    pass\nNone",
  __set_name__:
    "class D$_:\n    def __set_name__(self, o, n):\n        $X($A)\nclass C$_:\n    d = D$_()\nNone",
  property: "class C$_:\n    @property\n    def v(self):\n        return $X($A)\nC$_().v",
  "property()": "class C$_:\n    v = property(lambda s: $X($A))\nC$_().v",
  "type()": "type('T', (), {'f': staticmethod($X)}).f($A)",
  default_factory:
    "from dataclasses import dataclass, field\n@dataclass\nclass C$_:\n    v: object = field(default_factory=lambda: $X($A))\nC$_()",
  __post_init__:
    "from dataclasses import dataclass\n@dataclass\nclass C$_:\n    v: str\n    def __post_init__(self):\n        $X(self.v)\nC$_($A)",
  defaultdict: "import collections\ncollections.defaultdict(lambda: $X($A))['k']",
  "iter with a sentinel": "next(iter(lambda: $X($A), 0))",
  "print =": "print = $X\nprint($A)",
  "builtins.print =": "import builtins\nbuiltins.print = $X\nprint($A)",
  "json.loads =": "import json\njson.loads = $X\njson.loads($A)",
  "re.sub": "import re\nre.sub('a', lambda m: $X($A), 'a')",
  singledispatch: "import functools\nfunctools.singledispatch($X)($A)",
  lru_cache: "import functools\nfunctools.lru_cache()(lambda a: $X(a))($A)",
  cached_property:
    "import functools\nclass C$_:\n    v = functools.cached_property(lambda s: $X($A))\n    v.__set_name__(None, 'v')\nC$_().v",
  excepthook: "import sys\nsys.excepthook = lambda *a: $X($A)\nsys.excepthook(1, 2, 3)",
  settrace: "import sys\nsys.settrace(lambda *a: $X($A))\n(lambda: 0)()",
  __reduce__:
    "import copy\nclass C$_:\n    def __reduce__(self):\n        return $X, ($A,)\ncopy.copy(C$_())",
  "argparse type":
    "import argparse\np$_ = argparse.ArgumentParser()\np$_.add_argument('a', type=$X)\np$_.parse_args([$A])",
  metaclass: "class C$_(metaclass=lambda n, b, d: $X($A)):\n    pass\nNone",
  "types.new_class": "import types\ntypes.new_class('C', (), {}, lambda d: $X($A))",
  FunctionType: "import types\ntypes.FunctionType((lambda f, a: f(a)).__code__, {})($X, $A)",
  "unittest.mock": "import unittest.mock\nunittest.mock.Mock(side_effect=$X)($A)",
  "logging filter":
    "import logging\nlogging.getLogger('x').addFilter(lambda r: $X($A))\nlogging.getLogger('x').error('x')",
  "a loop over functions": "for f$_ in [$X]:\n    f$_($A)\nNone",
  generator: "def g$_():\n    yield $X($A)\nnext(g$_())",
});
