#!/usr/bin/env python3.11
"""Ask FastMCP and the MCP Python SDK what tools they make of functions.

    references.py fixtures FILE.py ...    imports each file and writes the answers beside it, as FILE.json
    references.py slices FILE.py ...      prints one line of JSON for each public function at the top level of each file
    references.py tool                    prints the JSON Schema of MCP's `Tool`, from the SDK's model of its newest revision

The first is for the fixtures here. The second is for files whose imports are not installed or that do things when imported: of
each function only what its signature needs is kept, without bodies, so class bodies and defaults still run. Point both only at
code you trust.

Set-up: python3.11 -m venv DIR && DIR/bin/pip install -r requirements.txt
"""

import ast
import contextlib
import copy
import json
import logging
import math
import sys
import types
import warnings
from pathlib import Path

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")

KEYS = ("name", "title", "description", "inputSchema", "outputSchema")
SDK_OPTIONS = {"name", "title", "description", "structured_output"}
FASTMCP_OPTIONS = {"name", "title", "description", "output_schema", "annotations"}
# Modules that a slice may import; a function that needs another is left out.
INSTALLED = set(
    "typing typing_extensions pydantic dataclasses enum datetime decimal uuid pathlib re collections __future__ ipaddress fractions os "
    "math string numbers types abc annotated_types fastmcp mcp zoneinfo".split()
)


def ask_sdk(function, options):
    from mcp.server.mcpserver.tools import Tool

    tool = Tool.from_function(function, **{k: v for k, v in options.items() if k in SDK_OPTIONS})
    answer = {"name": tool.name, "title": tool.title, "description": tool.description, "inputSchema": tool.parameters}
    return {**answer, "outputSchema": tool.output_schema}


def ask_fastmcp(function, options):
    from fastmcp.tools import Tool
    from mcp_types import ToolAnnotations

    options = {k: v for k, v in options.items() if k in FASTMCP_OPTIONS}
    if isinstance(options.get("annotations"), dict):
        options["annotations"] = ToolAnnotations(**options["annotations"])
    tool = Tool.from_function(function, **options).to_mcp_tool()
    return tool.model_dump(mode="json", by_alias=True, exclude_none=True)


def finite(value):
    """JSON has no infinities: on the wire they are null."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def answers(function, options):
    found = {}
    for profile, ask in (("mcp", ask_sdk), ("fastmcp", ask_fastmcp)):
        try:
            tool = {key: value for key, value in ask(function, options).items() if key in KEYS and value is not None}
            found[profile] = json.loads(json.dumps(finite(tool)))
        except BaseException as error:  # whatever stops the registration is the answer
            found[profile] = {"error": type(error).__name__}
    return found


def run(source, path, name):
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module.__dict__


# Fixtures


def tool_decorator(function):
    """The decorator that makes a tool of a function."""
    for decorator in function.decorator_list:
        callee = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(callee).split(".")[-1] == "tool":
            return decorator
    return None


def options_of(decorator, namespace):
    if not isinstance(decorator, ast.Call):
        return {}
    def value(node):
        return eval(compile(ast.Expression(node), "<decorator>", "eval"), namespace)
    options = {keyword.arg: value(keyword.value) for keyword in decorator.keywords}
    return {"name": value(decorator.args[0]), **options} if decorator.args else options


def offered(tree, namespace):
    """The functions that a module offers as tools: decorated ones, else `__all__`, else the public ones at its top level."""
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    decorated = [node for node in functions if tool_decorator(node)]
    if decorated:
        return decorated
    if "__all__" in namespace:
        return [node for node in functions if node.name in namespace["__all__"]]
    return [node for node in functions if node in tree.body and not node.name.startswith("_")]


def write_fixture(path):
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    namespace = run(source, path, "__main__")
    found = {}
    for node in sorted(offered(tree, namespace), key=lambda node: node.lineno):
        function = namespace[node.name]
        function = getattr(function, "fn", function)
        decorator = tool_decorator(node)
        found[node.name] = {"line": node.lineno, **answers(function, options_of(decorator, namespace) if decorator else {})}
    path.with_suffix(".json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


# Slices


def bound_names(body, found):
    """The statements at module level that bind each name, in order, those under conditions among them."""
    for node in body:
        targets = []
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            targets = [(alias.asname or alias.name).split(".")[0] for alias in node.names]
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            targets = [node.name]
        elif isinstance(node, ast.Assign):
            targets = [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            targets = [node.target.id]
        for target in targets:
            found.setdefault(target, []).append(node)
        for inner in ("body", "orelse", "finalbody") if isinstance(node, (ast.If, ast.Try)) else ():
            bound_names(getattr(node, inner, []), found)
        for handler in getattr(node, "handlers", []):
            bound_names(handler.body, found)
    return found


def names_used(node):
    """The names in an expression, and in strings that may be annotations."""
    used = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            used.add(part.id)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            try:
                used |= {name.id for name in ast.walk(ast.parse(part.value, mode="eval")) if isinstance(name, ast.Name)}
            except (SyntaxError, ValueError):
                pass
    return used


def modules_of(node):
    if isinstance(node, ast.ImportFrom):
        return ["." if node.level else node.module.split(".")[0]]
    return [alias.name.split(".")[0] for alias in node.names] if isinstance(node, ast.Import) else []


def without_code(node):
    node = copy.deepcopy(node)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        node.body, node.decorator_list = [ast.Expr(ast.Constant(...))], []
    elif isinstance(node, ast.ClassDef):
        kept = [part for part in node.body if isinstance(part, (ast.Assign, ast.AnnAssign, ast.Expr, ast.Pass))]
        node.body = kept or [ast.Pass()]
    return node


def slice_of(tree, bound, function):
    """Source with a function and what its signature needs; None if that needs what is not installed."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    roots = [argument.annotation for argument in every if argument] + arguments.defaults + arguments.kw_defaults + [function.returns]
    pending = [name for root in roots if root for name in names_used(root)]
    needed, seen = [], set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        for node in bound.get(name, []):
            if not set(modules_of(node)) <= INSTALLED:
                return None
            if node not in needed:
                needed.append(node)
            if isinstance(node, ast.ClassDef):
                fields = [part for part in node.body if isinstance(part, (ast.Assign, ast.AnnAssign))]
                for part in [*node.bases, *node.keywords, *node.decorator_list, *fields]:
                    pending += names_used(part)
            elif not isinstance(node, (ast.Import, ast.ImportFrom)):
                pending += names_used(node)
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    kept = copy.deepcopy(function)
    docstring = [kept.body[0]] if ast.get_docstring(function) is not None else []
    kept.decorator_list, kept.body = [], [*docstring, ast.Expr(ast.Constant(...))]
    rest = sorted((node for node in needed if node not in futures), key=lambda node: node.lineno)
    module = ast.Module(body=[*futures, *map(without_code, rest), kept], type_ignores=[])
    return ast.unparse(ast.fix_missing_locations(module))


def print_slices(path, count=0):
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (SyntaxError, ValueError):
        return
    bound = bound_names(tree.body, {})
    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.name.startswith("_"):
            continue
        source = slice_of(tree, bound, node)
        if source is None:
            continue
        with contextlib.redirect_stdout(sys.stderr):  # what a slice prints is not an answer
            try:
                function = run(source, path, f"slice_of_{id(node)}")[node.name]
            except BaseException:
                continue
            row = {"file": str(path), "function": node.name, "line": node.lineno, **answers(function, {})}
        print(json.dumps(row))


# MCP


def stripped(schema):
    """Without words, and without the null that the SDK's models take for what is absent."""
    if isinstance(schema, list):
        return [stripped(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    arms = [arm for arm in schema.get("anyOf", []) if arm != {"type": "null"}]
    if len(arms) == 1:
        return stripped(arms[0])
    kept = {key: value for key, value in schema.items() if key not in ("default", "description", "title") or isinstance(value, dict)}
    return {key: stripped(value) for key, value in kept.items()}


def print_tool_schema():
    from mcp_types._v2026_07_28 import Tool

    print(json.dumps(stripped(Tool.model_json_schema()), indent=1, sort_keys=True))


if __name__ == "__main__":
    action, *paths = sys.argv[1:]
    if action == "tool":
        print_tool_schema()
    for each in paths:
        write_fixture(Path(each)) if action == "fixtures" else print_slices(each)
