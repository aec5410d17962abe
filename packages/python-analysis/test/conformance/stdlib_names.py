"""The public names of the standard library, as a running Python (3.8 or later) or typeshed's stubs have them.

Prints JSON: module -> name -> public methods and other attributes of a class, `null` for what is no class.

    PYTHON stdlib_names.py                  the library of the Python that runs this
    PYTHON stdlib_names.py TYPESHED/stdlib  the stubs of every platform and version; needs a Python that can parse them
"""

import ast
import contextlib
import importlib
import inspect
import io
import json
import os
import pkgutil
import sys
import sysconfig
import types
import warnings

# Tests and demonstrations are no interface; `antigravity` and `this` act when imported.
LEFT_OUT = {"antigravity", "idlelib", "lib2to3", "pydoc_data", "test", "this", "turtledemo", "ensurepip._bundled"}
PARTS_LEFT_OUT = {"__main__", "tests", "test"}
# Where a thousand methods of widgets would say nothing more.
WITHOUT_MEMBERS = {"ast", "email", "lib2to3", "tkinter", "turtle"}
# What a class has from these says nothing about it.
ORDINARY = (object, type, int, str, bytes, dict, list, tuple, set, frozenset, BaseException)


def is_left_out(module):
    parts = module.split(".")
    return (
        parts[0] in LEFT_OUT
        or module in LEFT_OUT
        or parts[0].startswith(("_test", "_typeshed", "_xx", "__", "_sysconfigdata", "_ctypes_test", "_pyrepl"))
        or any(part in PARTS_LEFT_OUT or part.startswith("__") for part in parts[1:])
    )


def is_public(name):
    return not name.startswith("_")


def is_constant(name, value=None):
    """Constants are left out: they are told by their form, and there are thousands. Functions may be called alike."""
    return name.isupper() and not callable(value)


def has_members(module):
    return not module.startswith("_") and module.split(".")[0] not in WITHOUT_MEMBERS


# Of a running Python


def top_modules():
    if hasattr(sys, "stdlib_module_names"):
        return set(sys.stdlib_module_names)
    library = sysconfig.get_paths()["stdlib"]
    folders = [library, os.path.join(library, "lib-dynload")]
    return {module.name for module in pkgutil.iter_modules(folders)} | set(sys.builtin_module_names)


def load(module):
    try:
        return importlib.import_module(module)
    except BaseException:  # of another platform, or not built
        return None


KNOWN = top_modules() | {"nt"}


def modules_below(name):
    if is_left_out(name):
        return
    module = load(name)
    if module is None:
        return
    yield name, module
    for part in pkgutil.iter_modules(getattr(module, "__path__", [])):
        yield from modules_below(name + "." + part.name)


def is_own(module, name, value):
    """Whether a name of a module without `__all__` is meant to be had from it: not what it imports for itself."""
    if isinstance(value, types.ModuleType) or (value is None and name in KNOWN):
        return False
    home = getattr(value, "__module__", None)
    if not isinstance(home, str) or not isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return True
    return home == module or home.startswith("_") or home == "builtins" or home.startswith(module + ".")


def members_of_class(module, value):
    if not isinstance(value, type) or not has_members(module):
        return None
    found = []
    ordinary = {name for each in ORDINARY if issubclass(value, each) for name in dir(each)}
    for name in dir(value):
        if is_public(name) and not is_constant(name) and name not in ordinary and inspect.getattr_static(value, name, None) is not None:
            found.append(name)
    return found


def names_at_run_time():
    found = {}
    for top in sorted(top_modules()):
        for name, module in modules_below(top):
            listed = getattr(module, "__all__", None)
            public = set(listed or ()) | {
                each for each in dir(module) if is_public(each) and is_own(name, each, getattr(module, each, None))
            }
            found[name] = {
                each: members_of_class(name, value)
                for each in sorted(public)
                if not is_constant(each, value := getattr(module, each, None))
            }
    return found


# Of stubs


def is_of_later_python(test):
    """Whether a condition is `sys.version_info >= (3, later)`."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.GtE):
        return False
    version = test.comparators[0]
    return isinstance(version, ast.Tuple) and ast.literal_eval(version) > sys.version_info


def statements(body):
    """With those of every branch: stubs branch by platform and version."""
    for statement in body:
        if isinstance(statement, ast.If):
            if not is_of_later_python(statement.test):
                yield from statements(statement.body)
            yield from statements(statement.orelse)
        elif isinstance(statement, ast.Try):
            yield from statements(statement.body)
        else:
            yield statement


def strings(node):
    return [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def defined(statement):
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        names = [statement.target.id]
    else:
        return []
    return [name for name in names if not is_constant(name)]


def members_of_stub(module, statement):
    if not isinstance(statement, ast.ClassDef) or not has_members(module):
        return None
    return sorted({name for each in statements(statement.body) for name in defined(each) if is_public(name)})


class Stubs:
    def __init__(self, folder):
        self.folder = folder
        self.names = {}

    def path(self, module):
        base = os.path.join(self.folder, *module.split("."))
        package = os.path.join(base, "__init__.pyi")
        return package if os.path.exists(package) else base + ".pyi"

    def of(self, module):
        if module in self.names:
            return self.names[module]
        found = self.names[module] = {}
        path = self.path(module)
        if not os.path.exists(path):
            return found
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
        package = module if path.endswith("__init__.pyi") else module.rpartition(".")[0]
        exported = set()
        for statement in statements(tree.body):
            if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and "__all__" in ast.dump(statement):
                exported.update(strings(statement.value))
            elif isinstance(statement, ast.ImportFrom):
                self.take_imported(statement, package, found)
            else:
                for name in defined(statement):
                    if is_public(name):
                        found[name] = merged(found.get(name), members_of_stub(module, statement))
        for name in exported:
            if not is_constant(name):
                found.setdefault(name, None)
        return found

    def take_imported(self, statement, package, found):
        source = statement.module or ""
        if statement.level:
            parts = package.split(".")
            source = ".".join(parts[: len(parts) - statement.level + 1] + ([source] if source else []))
        for alias in statement.names:
            if alias.name == "*":
                found.update(self.of(source))
            elif alias.asname == alias.name and is_public(alias.name):
                known = self.of(source)
                if alias.name in known or not is_constant(alias.name):
                    found[alias.name] = known.get(alias.name)

    def every_module(self):
        for folder, folders, files in os.walk(self.folder):
            folders.sort()
            relative = os.path.relpath(folder, self.folder)
            for file in sorted(files):
                if file.endswith(".pyi"):
                    parts = [] if relative == "." else relative.split(os.sep)
                    if file != "__init__.pyi":
                        parts = parts + [file[:-4]]
                    yield ".".join(parts)


def merged(first, second):
    return sorted(set(first or ()) | set(second)) if second is not None else first


def later_modules(folder):
    """Those that `VERSIONS` says are new in a Python later than this: `module: 3.15-`."""
    with open(os.path.join(folder, "VERSIONS"), encoding="utf-8") as file:
        lines = [line.partition("#")[0].partition(":") for line in file]
    since = {module.strip(): range_.strip().partition("-")[0] for module, _, range_ in lines if range_.strip()}
    return {module for module, first in since.items() if tuple(map(int, first.split("."))) > sys.version_info}


def names_of_stubs(folder):
    stubs = Stubs(folder)
    later = later_modules(folder)
    found = {}
    for module in stubs.every_module():
        parts = module.split(".")
        is_later = any(".".join(parts[:end]) in later for end in range(1, len(parts) + 1))
        if not is_later and not is_left_out(module):
            found[module] = stubs.of(module)
    # The stubs' own helper for what functions are.
    found["builtins"].pop("function", None)
    return found


def names(folder=None):
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return names_of_stubs(folder) if folder else names_at_run_time()


if __name__ == "__main__":
    print(json.dumps(names(*sys.argv[1:2])))
