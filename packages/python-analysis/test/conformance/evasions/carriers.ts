import { templates } from "./templates.js";

/** Ways for a value to get from one place to another. */
export const CARRIERS = templates({
  "+nothing": "$X",
  "+assignment": "v$_ = $X\nv$_",
  "+chained assignment": "v$_ = w$_ = $X\nw$_",
  "+unpacking": "u$_, v$_ = 1, $X\nv$_",
  "+nested unpacking": "u$_, (v$_, w$_) = 1, ($X, 2)\nv$_",
  "+star unpacking": "u$_, *v$_ = 1, $X\nv$_[0]",
  "unpacking of a name": "t$_ = (1, $X)\nu$_, v$_ = t$_\nv$_",
  "+list": "[0, $X][1]",
  "a list's slice": "[0, $X][1:][0]",
  "+dictionary": "{'k': $X}['k']",
  "+dict.get": "d$_ = {'k': $X}\nd$_.get('k')",
  "dict.pop": "{'k': $X}.pop('k')",
  "dict.items": "[v for k, v in {'k': $X}.items()][0]",
  "dict.values": "list({'k': $X}.values())[0]",
  "dict()": "dict(k=$X)['k']",
  "dict.update": "d$_ = {}\nd$_.update(k=$X)\nd$_['k']",
  "dict.setdefault": "{}.setdefault('k', $X)",
  "dict item": "d$_ = {}\nd$_['k'] = $X\nd$_['k']",
  "dict |=": "d$_ = {}\nd$_ |= {'k': $X}\nd$_['k']",
  "set.pop": "{$X}.pop()",
  "list.append": "l$_ = []\nl$_.append($X)\nl$_[0]",
  "list.insert": "l$_ = []\nl$_.insert(0, $X)\nl$_.pop()",
  "list.extend": "l$_ = []\nl$_.extend([$X])\nl$_[0]",
  "list +=": "l$_ = []\nl$_ += [$X]\nl$_[0]",
  "list *": "([$X] * 2)[1]",
  "+walrus": "(v$_ := $X)",
  "walrus in a comprehension": "[v$_ := $X for _ in 'a']\nv$_",
  "+for": "for v$_ in [$X]:\n    pass\nv$_",
  "for with enumerate": "for i$_, v$_ in enumerate([$X]):\n    pass\nv$_",
  "for with zip": "for i$_, v$_ in zip('a', [$X]):\n    pass\nv$_",
  nullcontext: "import contextlib\nwith contextlib.nullcontext($X) as v$_:\n    pass\nv$_",
  __enter__:
    "class C$_:\n    def __enter__(self):\n        return $X\n    def __exit__(self, *a):\n        pass\nwith C$_() as v$_:\n    pass\nv$_",
  contextmanager:
    "import contextlib\n@contextlib.contextmanager\ndef c$_():\n    yield $X\nwith c$_() as v$_:\n    pass\nv$_",
  "+comprehension": "[c for c in [$X]][0]",
  "dictionary comprehension": "{k: v for k, v in [('k', $X)]}['k']",
  "generator expression": "next(c for c in [$X])",
  "+default": "def d$_(v=$X):\n    return v\nd$_()",
  "default of a lambda": "(lambda v=$X: v)()",
  "keyword-only default": "def d$_(*, v=$X):\n    return v\nd$_()",
  "+argument": "def d$_(v):\n    return v\nd$_($X)",
  "+keyword": "def d$_(*, v):\n    return v\nd$_(v=$X)",
  "*args": "def d$_(*a):\n    return a[0]\nd$_($X)",
  "**kwargs": "def d$_(**a):\n    return a['v']\nd$_(v=$X)",
  "spread *": "def d$_(v):\n    return v\nd$_(*[$X])",
  "spread **": "def d$_(v):\n    return v\nd$_(**{'v': $X})",
  "*args handed on":
    "def e$_(v):\n    return v\ndef d$_(*a, **k):\n    return e$_(*a, **k)\nd$_($X)",
  "+lambda": "(lambda v: v)($X)",
  "lambda without arguments": "(lambda: $X)()",
  "+closure": "def d$_(v):\n    def e():\n        return v\n    return e\nd$_($X)()",
  "+return": "def d$_():\n    return $X\nd$_()",
  "return of a tuple": "def d$_():\n    return 1, $X\nu$_, v$_ = d$_()\nv$_",
  "+yield": "def d$_():\n    yield $X\nfor v$_ in d$_():\n    pass\nv$_",
  "next of yield": "def d$_():\n    yield $X\nnext(d$_())",
  "yield from": "def d$_():\n    yield from [$X]\nlist(d$_())[0]",
  send: "def d$_():\n    v = yield\n    yield v\ni$_ = d$_()\nnext(i$_)\ni$_.send($X)",
  "generator's return":
    "def d$_():\n    yield\n    return $X\ndef e$_():\n    v = yield from d$_()\n    yield v\nlist(e$_())[1]",
  "StopIteration.value":
    "def d$_():\n    return $X\n    yield\ntry:\n    next(d$_())\nexcept StopIteration as e$_:\n    v$_ = e$_.value\nv$_",
  async: "import asyncio\nasync def d$_():\n    return $X\nasyncio.run(d$_())",
  await:
    "import asyncio\nasync def d$_():\n    return $X\nasync def e$_():\n    return await d$_()\nasyncio.run(e$_())",
  "async for":
    "import asyncio\nasync def d$_():\n    yield $X\nasync def e$_():\n    return [v async for v in d$_()][0]\nasyncio.run(e$_())",
  "+class attribute": "class C$_:\n    v = $X\nC$_.v",
  "class attribute, of an instance": "class C$_:\n    v = $X\nC$_().v",
  "+instance attribute":
    "class C$_:\n    def __init__(self):\n        self.v = $X\n    def get(self):\n        return self.v\nC$_().get()",
  "instance attribute from outside": "class C$_:\n    pass\nc$_ = C$_()\nc$_.v = $X\nc$_.v",
  "setattr of an instance": "class C$_:\n    pass\nc$_ = C$_()\nsetattr(c$_, 'v', $X)\nc$_.v",
  "getattr of an instance": "class C$_:\n    v = $X\ngetattr(C$_(), 'v')",
  "__dict__ of an instance": "class C$_:\n    pass\nc$_ = C$_()\nc$_.__dict__['v'] = $X\nc$_.v",
  "vars of an instance":
    "class C$_:\n    def __init__(self):\n        self.v = $X\nvars(C$_())['v']",
  "+__init__'s argument": "class C$_:\n    def __init__(self, v):\n        self.v = v\nC$_($X).v",
  __new__:
    "class C$_:\n    def __new__(cls, v):\n        self = super().__new__(cls)\n        self.v = v\n        return self\nC$_($X).v",
  "__new__ that returns it": "class C$_:\n    def __new__(cls):\n        return $X\nC$_()",
  "+inheritance": "class B$_:\n    v = $X\nclass C$_(B$_):\n    pass\nC$_.v",
  "super()":
    "class B$_:\n    def get(self):\n        return $X\nclass C$_(B$_):\n    def get(self):\n        return super().get()\nC$_().get()",
  "super().__init__":
    "class B$_:\n    def __init__(self, v):\n        self.v = v\nclass C$_(B$_):\n    def __init__(self):\n        super().__init__($X)\nC$_().v",
  "+method": "class C$_:\n    def get(self):\n        return $X\nC$_().get()",
  "method's argument": "class C$_:\n    def get(self, v):\n        return v\nC$_().get($X)",
  staticmethod: "class C$_:\n    @staticmethod\n    def get(v):\n        return v\nC$_.get($X)",
  classmethod:
    "class C$_:\n    v = $X\n    @classmethod\n    def get(cls):\n        return cls.v\nC$_.get()",
  property: "class C$_:\n    @property\n    def v(self):\n        return $X\nC$_().v",
  "property()": "class C$_:\n    v = property(lambda self: $X)\nC$_().v",
  cached_property:
    "import functools\nclass C$_:\n    @functools.cached_property\n    def v(self):\n        return $X\nC$_().v",
  __get__:
    "class D$_:\n    def __get__(self, o, t):\n        return $X\nclass C$_:\n    v = D$_()\nC$_().v",
  __getattr__: "class C$_:\n    def __getattr__(self, n):\n        return $X\nC$_().v",
  __getattribute__: "class C$_:\n    def __getattribute__(self, n):\n        return $X\nC$_().v",
  "__getattr__ of the module":
    "import sys\ndef __getattr__(n):\n    if n == 'v$_': return $X\n    raise AttributeError\nsys.modules[__name__].v$_",
  "+__call__": "class C$_:\n    def __call__(self):\n        return $X\nC$_()()",
  "__call__ with an argument":
    "class C$_:\n    def __call__(self, v):\n        return v\nC$_()($X)",
  __getitem__: "class C$_:\n    def __getitem__(self, k):\n        return $X\nC$_()[0]",
  __iter__:
    "class C$_:\n    def __iter__(self):\n        yield $X\nfor v$_ in C$_():\n    pass\nv$_",
  __next__:
    "class C$_:\n    def __iter__(self):\n        return self\n    def __next__(self):\n        return $X\nnext(iter(C$_()))",
  __missing__: "class C$_(dict):\n    def __missing__(self, k):\n        return $X\nC$_()['v']",
  __add__: "class C$_:\n    def __add__(self, o):\n        return $X\nC$_() + 1",
  __neg__: "class C$_:\n    def __neg__(self):\n        return $X\n(-C$_())",
  __matmul__: "class C$_:\n    def __matmul__(self, o):\n        return o\n(C$_() @ $X)",
  __lt__: "class C$_:\n    def __lt__(self, o):\n        return $X\n(C$_() < 1)",
  __contains__:
    "class C$_:\n    def __contains__(self, o):\n        self.o = o\n        return True\nc$_ = C$_()\n$X in c$_\nc$_.o",
  __setitem__:
    "class C$_:\n    def __setitem__(self, k, v):\n        self.v = v\nc$_ = C$_()\nc$_[0] = $X\nc$_.v",
  __setattr__:
    "class C$_:\n    def __setattr__(self, k, v):\n        self.__dict__['w'] = v\nc$_ = C$_()\nc$_.v = $X\nc$_.w",
  metaclass: "class T$_(type):\n    v = $X\nclass C$_(metaclass=T$_):\n    pass\nC$_.v",
  "metaclass's __new__":
    "class T$_(type):\n    def __new__(m, n, b, d):\n        d['v'] = $X\n        return super().__new__(m, n, b, d)\nclass C$_(metaclass=T$_):\n    pass\nC$_.v",
  __prepare__:
    "class T$_(type):\n    @classmethod\n    def __prepare__(m, n, b):\n        return {'v': $X}\nclass C$_(metaclass=T$_):\n    pass\nC$_.v",
  __init_subclass__:
    "class B$_:\n    def __init_subclass__(cls, v):\n        cls.v = v\nclass C$_(B$_, v=$X):\n    pass\nC$_.v",
  __class_getitem__: "class C$_:\n    def __class_getitem__(cls, k):\n        return $X\nC$_[0]",
  __set_name__:
    "class D$_:\n    def __set_name__(self, o, n):\n        setattr(o, n, $X)\nclass C$_:\n    v = D$_()\nC$_.v",
  decorator: "def d$_(f):\n    return $X\n@d$_\ndef e$_():\n    pass\ne$_",
  "decorator's wrapper":
    "def d$_(f):\n    def w():\n        return f()\n    return w\n@d$_\ndef e$_():\n    return $X\ne$_()",
  "decorator with wraps":
    "import functools\ndef d$_(f):\n    @functools.wraps(f)\n    def w(*a):\n        return f(*a)\n    return w\n@d$_\ndef e$_(v):\n    return v\ne$_($X)",
  "class decorator": "def d$_(c):\n    c.v = $X\n    return c\n@d$_\nclass C$_:\n    pass\nC$_.v",
  "class as a decorator":
    "class D$_:\n    def __init__(self, f):\n        self.f = f\n    def __call__(self):\n        return self.f()\n@D$_\ndef e$_():\n    return $X\ne$_()",
  dataclass:
    "import dataclasses\n@dataclasses.dataclass\nclass C$_:\n    v: object = None\nC$_($X).v",
  default_factory:
    "from dataclasses import dataclass, field\n@dataclass\nclass C$_:\n    v: object = field(default_factory=lambda: $X)\nC$_().v",
  namedtuple: "import collections\nN$_ = collections.namedtuple('N', 'v')\nN$_($X).v",
  NamedTuple: "import typing\nclass N$_(typing.NamedTuple):\n    v: object\nN$_($X).v",
  SimpleNamespace: "import types\ntypes.SimpleNamespace(v=$X).v",
  ModuleType: "import types\nt$_ = types.ModuleType('t')\nt$_.v = $X\nt$_.v",
  "type()": "type('T', (), {'v': $X}).v",
  "function attribute": "def d$_():\n    pass\nd$_.v = $X\nd$_.v",
  __defaults__: "def d$_(v=$X):\n    pass\nd$_.__defaults__[0]",
  __kwdefaults__: "def d$_(*, v=$X):\n    pass\nd$_.__kwdefaults__['v']",
  __closure__: "def d$_(v):\n    return lambda: v\nd$_($X).__closure__[0].cell_contents",
  __annotations__: "def d$_(v: $X):\n    pass\nd$_.__annotations__['v']",
  "__annotations__ of a class": "class C$_:\n    v: $X\nC$_.__annotations__['v']",
  get_type_hints: "import typing\ndef d$_() -> $X:\n    pass\ntyping.get_type_hints(d$_)['return']",
  partial: "import functools\nfunctools.partial(lambda v: v, $X)()",
  "partial.args": "import functools\nfunctools.partial(print, $X).args[0]",
  reduce: "import functools\nfunctools.reduce(lambda a, b: b, [1, $X])",
  lru_cache: "import functools\n@functools.lru_cache\ndef d$_():\n    return $X\nd$_()",
  singledispatch: "import functools\n@functools.singledispatch\ndef d$_(v):\n    return v\nd$_($X)",
  partialmethod:
    "import functools\nclass C$_:\n    def get(self, v):\n        return v\n    g = functools.partialmethod(get, $X)\nC$_().g()",
  "+match capture": "match $X:\n    case v$_:\n        pass\nv$_",
  "match as": "match $X:\n    case object() as v$_:\n        pass\nv$_",
  "match sequence": "match [1, $X]:\n    case [_, v$_]:\n        pass\nv$_",
  "match star": "match [1, $X]:\n    case [_, *v$_]:\n        pass\nv$_[0]",
  "match mapping": "match {'k': $X}:\n    case {'k': v$_}:\n        pass\nv$_",
  "match class":
    "class C$_:\n    __match_args__ = ('v',)\n    v = $X\nmatch C$_():\n    case C$_(v$_):\n        pass\nv$_",
  "match class keyword":
    "class C$_:\n    v = $X\nmatch C$_():\n    case C$_(v=v$_):\n        pass\nv$_",
  "+conditional": "($X if 1 else None)",
  "+or": "(None or $X)",
  and: "(1 and $X)",
  raised: "try:\n    raise Exception($X)\nexcept Exception as e$_:\n    v$_ = e$_.args[0]\nv$_",
  "raised with an attribute":
    "class E$_(Exception):\n    def __init__(self, v):\n        self.v = v\ntry:\n    raise E$_($X)\nexcept E$_ as e$_:\n    v$_ = e$_.v\nv$_",
  "set by a function": "v$_ = None\ndef d$_():\n    global v$_\n    v$_ = $X\nd$_()\nv$_",
  "globals()[] =": "globals()['v$_'] = $X\nv$_",
  "globals().update": "globals().update(v$_=$X)\nv$_",
  "its own module": "import sys\nsetattr(sys.modules[__name__], 'v$_', $X)\nv$_",
  "builtins.v =": "import builtins\nbuiltins.v$_ = $X\nv$_",
  "sys.modules[] =": "import sys\nsys.modules['v$_'] = $X\nimport v$_\nv$_",
  deque: "import collections\ncollections.deque([$X]).pop()",
  Queue: "import queue\nq$_ = queue.Queue()\nq$_.put($X)\nq$_.get()",
  ChainMap: "import collections\ncollections.ChainMap({'v': $X})['v']",
  defaultdict: "import collections\ncollections.defaultdict(lambda: $X)['v']",
  UserDict: "import collections\ncollections.UserDict(v=$X)['v']",
  MappingProxyType: "import types\ntypes.MappingProxyType({'v': $X})['v']",
  "copy.copy": "import copy\ncopy.copy([$X])[0]",
  "itertools.chain": "import itertools\nnext(itertools.chain([$X]))",
  "itertools.repeat": "import itertools\nnext(itertools.repeat($X))",
  "map of a lambda": "next(map(lambda v: v, [$X]))",
  filter: "next(filter(None, [$X]))",
  sorted: "sorted([$X])[0]",
  max: "max([$X])",
  reversed: "list(reversed([$X]))[0]",
  "iter with a sentinel": "next(iter(lambda: $X, None))",
  ContextVar: "import contextvars\nc$_ = contextvars.ContextVar('c')\nc$_.set($X)\nc$_.get()",
  "threading.local": "import threading\nt$_ = threading.local()\nt$_.v = $X\nt$_.v",
  Future:
    "import concurrent.futures\nf$_ = concurrent.futures.Future()\nf$_.set_result($X)\nf$_.result()",
  "operator.itemgetter": "import operator\noperator.itemgetter(0)([$X])",
  "ExitStack.enter_context":
    "import contextlib\ncontextlib.ExitStack().enter_context(contextlib.nullcontext($X))",
  Enum: "import enum\nclass E$_(enum.Enum):\n    v = enum.nonmember($X)\nE$_.v",
  "a table of functions": "t$_ = {'k': lambda: $X}\nt$_['k']()",
  recursion: "def d$_(n, v):\n    return d$_(n - 1, v) if n else v\nd$_(3, $X)",
  "+annotated assignment": "v$_: object = $X\nv$_",
});
