import { templates } from "./templates.js";

/** Ways to get hold of a module. */
export const BINDINGS = [
  ...templates({
    "+import": "import $M\n$M",
    "+import as": "import $M as m$_\nm$_",
    __import__: "__import__($P)",
    "assigned __import__": "m$_ = __import__($P)\nm$_",
    "__import__ under another name": "i$_ = __import__\ni$_($P)",
    import_module: "import importlib\nimportlib.import_module($P)",
    "import_module as": "from importlib import import_module as i$_\ni$_($P)",
    "sys.modules": "import sys, $M as z$_\nsys.modules[$P]",
    "sys.modules.get": "import sys, $M as z$_\nsys.modules.get($P)",
    "sys.modules under another name": "from sys import modules as s$_\nimport $M as z$_\ns$_[$P]",
    "loop over sys.modules":
      "import sys, $M as z$_\nfor k$_, m$_ in list(sys.modules.items()):\n    if k$_ == $P: break\nm$_",
    "+import in a function": "def i$_():\n    import $M as m\n    return m\ni$_()",
    "import in a class": "class I$_:\n    import $M as m\nI$_.m",
    "import in a class, of an instance": "class I$_:\n    import $M as m\nI$_().m",
    "+global": "def i$_():\n    global m$_\n    import $M as m$_\ni$_()\nm$_",
    nonlocal:
      "def i$_():\n    m = None\n    def j():\n        nonlocal m\n        import $M as m\n    j()\n    return m\ni$_()",
    "+try": "try:\n    import $M as m$_\nexcept ImportError:\n    m$_ = None\nm$_",
    "+if": "if 1:\n    import $M as m$_\nelse:\n    m$_ = None\nm$_",
    "globals()": "import $M as m$_\nglobals()['m$_']",
    "globals().get": "import $M as m$_\nglobals().get('m$_')",
    "vars()": "import $M as m$_\nvars()['m$_']",
    "locals()": "import $M as m$_\nlocals()['m$_']",
    "loop over globals":
      "import $M as m$_\n[v for k, v in list(globals().items()) if k == 'm$_'][0]",
    "builtins.__import__": "import builtins\nbuiltins.__import__($P)",
    "__builtins__.__import__": "__builtins__.__import__($P)",
    "__builtins__.__dict__": "__builtins__.__dict__['__import__']($P)",
    "getattr of __builtins__": "getattr(__builtins__, '__imp' + 'ort__')($P)",
    "its own module": "import sys, $M as m$_\nsys.modules[__name__].m$_",
    "its own module by getattr": "import sys, $M as m$_\ngetattr(sys.modules[__name__], 'm$_')",
    __main__: "import __main__, $M as m$_\n__main__.m$_",
    resolve_name: "import pkgutil\npkgutil.resolve_name($P)",
    find_spec:
      "import importlib.util\ns$_ = importlib.util.find_spec($P)\nm$_ = importlib.util.module_from_spec(s$_)\ns$_.loader.exec_module(m$_)\nm$_",
    load_module: "import importlib.util\nimportlib.util.find_spec($P).loader.load_module($P)",
    reload: "import importlib\nimportlib.reload(__import__($P))",
    "lambda: __import__": "(lambda: __import__($P))()",
    "map(__import__)": "list(map(__import__, [$P]))[0]",
    "gc.get_objects":
      "import gc, $M as z$_\n[o for o in gc.get_objects() if type(o) is type(gc) and o.__name__ == $P][0]",
    "exec of an import": "exec('import $M as m$_')\nm$_",
    "eval of an import": "eval('__import__(\"$M\")')",
    __globals__: "import $M as m$_\n(lambda: 0).__globals__['m$_']",
    f_globals: "import sys, $M as m$_\nsys._getframe().f_globals['m$_']",
    "f_globals by getattr": "import sys, $M as m$_\ngetattr(sys._getframe(), 'f_globals')['m$_']",
    f_locals:
      "import sys\ndef i$_():\n    import $M as m\n    return sys._getframe().f_locals['m']\ni$_()",
    f_back:
      "import sys, $M as m$_\ndef i$_():\n    return sys._getframe().f_back.f_globals['m$_']\ni$_()",
    currentframe: "import inspect, $M as m$_\ninspect.currentframe().f_globals['m$_']",
    f_builtins: "import sys\nsys._getframe().f_builtins['__import__']($P)",
    gi_frame: "import $M as m$_\ndef i$_():\n    yield\ni$_().gi_frame.f_globals['m$_']",
    tb_frame:
      "import $M as m$_\ntry:\n    1/0\nexcept Exception as e$_:\n    g$_ = e$_.__traceback__.tb_frame.f_globals\ng$_['m$_']",
    "module globals of a function":
      "import $M as m$_, textwrap\ntextwrap.dedent.__globals__['__builtins__']['__import__']($P)",
    "print.__self__": "print.__self__.__import__($P)",
    subclasses:
      "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'BuiltinImporter'][0]().load_module('sys').modules[$P]",
    "subclasses' __globals__":
      "[c for c in object.__subclasses__() if c.__name__ == '_wrap_close'][0].__init__.__globals__['sys'].modules[$P]",
  }),
  ...templates(
    {
      "shutil.os": "import shutil\nshutil.os",
      "pathlib.os": "import pathlib as p$_\np$_.os",
      "tempfile._os": "import tempfile\ntempfile._os",
      "from shutil import os": "from shutil import os as o$_\no$_",
      posix: "import posix\nposix",
      BuiltinImporter:
        "import importlib.machinery as i$_\ni$_.BuiltinImporter.load_module('posix')",
      "sys.__loader__": "import sys\nsys.__loader__.load_module('posix')",
      "os.path.os": "import os.path as p$_\np$_.os",
      "from glob import os": "from glob import *\nimport glob\nglob.os",
      "subclasses' __globals__ itself":
        "[c for c in ().__class__.__mro__[-1].__subclasses__() if c.__name__ == '_wrap_close'][0].__init__.__globals__['sys'].modules['os']",
      "inspect.os": "import inspect\ngetattr(inspect, 'o' + 's')",
    },
    ["os"],
  ),
  ...templates(
    {
      __builtins__: "__builtins__",
      "__self__ of a builtin": "len.__self__",
      "sys.modules of builtins": "import sys\nsys.modules['builtins']",
      "f_builtins as an object":
        "import sys, types\ntypes.SimpleNamespace(**sys._getframe().f_builtins)",
      "help.__class__":
        "import types\ntypes.SimpleNamespace(**help.__class__.__call__.__globals__['__builtins__'])",
    },
    ["builtins"],
  ),
];

/** Ways to get hold of a function without taking it from its module. */
export const FUNCTION_BINDINGS = templates({
  "+from": "from $M import $F\n$F",
  "+from as": "from $M import $F as f$_\nf$_",
  "from *": "from $M import *\n$F",
  "+from in a function": "def i$_():\n    from $M import $F\n    return $F\ni$_()",
  "from in a class": "class I$_:\n    from $M import $F as f\nI$_.f",
  "from, of globals()": "from $M import $F as f$_\nglobals()['f$_']",
  "from, of its own module": "import sys\nfrom $M import $F as f$_\nsys.modules[__name__].f$_",
  "resolve_name of both": "import pkgutil\npkgutil.resolve_name($P + ':' + $N)",
  "from, by vars": "from $M import $F as f$_\nvars().get('f$_')",
  "from, by eval": "from $M import $F as f$_\neval('f$_')",
  "from in a class, by an instance":
    "class I$_:\n    from $M import $F as f\n    f = staticmethod(f)\nI$_().f",
  "resolve_name from itself": "from pkgutil import resolve_name as r$_\nr$_('%s:%s' % ($P, $N))",
});
