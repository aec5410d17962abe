"""Prints what Python itself knows about the structure of scripts.

Reads file names from standard input and prints one JSON object a line for each: its decoded text, and either the error
with which it does not compile, or its functions, classes and imports as `ast` has them. Where the packages `mccabe` and
`griffelib` are installed, also the complexity of its functions, and its docstrings as FastMCP takes them apart.
"""

import ast
import inspect
import io
import json
import sys
import tokenize
import warnings

try:
    import mccabe
except ImportError:
    mccabe = None
try:
    from griffe import Docstring, DocstringSectionKind
except ImportError:
    Docstring = None

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
IGNORED_TOKENS = {
    tokenize.ENCODING,
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


class Source:
    """Cuts the source text of nodes, with the parentheses around them, which `ast` does not keep."""

    def __init__(self, text):
        self.lines = text.split("\n")
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        self.tokens = [token for token in tokens if token.type not in IGNORED_TOKENS]
        self.starts = {token.start: index for index, token in enumerate(self.tokens)}
        self.ends = {token.end: index for index, token in enumerate(self.tokens)}

    def place(self, line, column):
        return line, len(self.lines[line - 1].encode()[:column].decode())

    def cut(self, start, end):
        lines = self.lines[start[0] - 1 : end[0]]
        lines[-1] = lines[-1][: end[1]]
        lines[0] = lines[0][start[1] :]
        return "\n".join(lines)

    def of(self, node, barrier=-1):
        """The text of a node; parentheses count up to the one that is the token `barrier`."""
        start = self.place(node.lineno, node.col_offset)
        end = self.place(node.end_lineno, node.end_col_offset)
        first, last = self.starts.get(start), self.ends.get(end)
        while (
            first is not None
            and last is not None
            and 0 < first
            and first - 1 > barrier
            and last + 1 < len(self.tokens)
            and self.tokens[first - 1].string == "("
            and self.tokens[last + 1].string == ")"
        ):
            first, last = first - 1, last + 1
            start, end = self.tokens[first].start, self.tokens[last].end
        return self.cut(start, end)

    def parenthesis_after_name(self, node):
        """The token that opens the arguments of a class statement."""
        index = self.starts[self.place(node.lineno, node.col_offset)] + 2
        depth = 0
        while self.tokens[index].string != "(" or depth:
            depth += (self.tokens[index].string == "[") - (self.tokens[index].string == "]")
            index += 1
        return index


def docstring(node):
    raw = ast.get_docstring(node, clean=False)
    return None if raw is None else inspect.cleandoc(raw)


def parameters(source, arguments):
    found = []

    def add(argument, kind, default=None, required=False):
        found.append(
            {
                "name": argument.arg,
                "kind": kind,
                "annotation": source.of(argument.annotation) if argument.annotation else None,
                "default": source.of(default) if default else None,
                "required": required,
            }
        )

    positional = arguments.posonlyargs + arguments.args
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    for index, (argument, default) in enumerate(zip(positional, defaults)):
        kind = "positional_only" if index < len(arguments.posonlyargs) else "positional_or_keyword"
        add(argument, kind, default, default is None)
    if arguments.vararg:
        add(arguments.vararg, "var_positional")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults):
        add(argument, "keyword_only", default, default is None)
    if arguments.kwarg:
        add(arguments.kwarg, "var_keyword")
    return found


class Definitions(ast.NodeVisitor):
    def __init__(self, source):
        self.source = source
        self.functions = []
        self.classes = []
        self.scopes = []

    def qualified_name(self, node):
        if not self.scopes:
            return node.name
        kind, prefix, declared_global = self.scopes[-1]
        if node.name in declared_global:
            return node.name
        return f"{prefix}.<locals>.{node.name}" if kind == "function" else f"{prefix}.{node.name}"

    def visit_Global(self, node):
        if self.scopes:
            self.scopes[-1][2].update(node.names)

    def visit_function(self, node):
        qualified_name = self.qualified_name(node)
        self.functions.append(
            {
                "name": node.name,
                "qualified_name": qualified_name,
                "docstring": docstring(node),
                "is_async": isinstance(node, ast.AsyncFunctionDef),
                "decorators": [self.source.of(decorator) for decorator in node.decorator_list],
                "parameters": parameters(self.source, node.args),
                "return_type": self.source.of(node.returns) if node.returns else None,
                "line_number": node.lineno,
                "end_line_number": node.end_lineno,
            }
        )
        self.enter("function", qualified_name, node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_function

    def visit_ClassDef(self, node):
        qualified_name = self.qualified_name(node)
        arguments = sorted(node.bases + node.keywords, key=lambda base: (base.lineno, base.col_offset))
        barrier = self.source.parenthesis_after_name(node) if arguments else -1
        self.classes.append(
            {
                "name": node.name,
                "qualified_name": qualified_name,
                "bases": [self.source.of(argument, barrier) for argument in arguments],
                "docstring": docstring(node),
                "line_number": node.lineno,
                "end_line_number": node.end_lineno,
            }
        )
        self.enter("class", qualified_name, node)

    def enter(self, kind, qualified_name, node):
        self.scopes.append((kind, qualified_name, set()))
        for statement in node.body:
            self.visit(statement)
        self.scopes.pop()


def check_qualified_names(code, functions):
    """Compares with what the compiler itself says, where it kept the function and no other is on its line."""
    said = {}
    pending = [code]
    while pending:
        inner = pending.pop()
        said.setdefault((inner.co_name, inner.co_firstlineno), set()).add(inner.co_qualname)
        pending += [constant for constant in inner.co_consts if inspect.iscode(constant)]
    for function in functions:
        names = said.get((function["name"], function["line_number"]), set())
        if not function["decorators"] and len(names) == 1 and function["qualified_name"] not in names:
            raise AssertionError(f"{function['qualified_name']} is {names}")


def imports(tree):
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.lineno, alias.col_offset, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.lineno, node.col_offset, "." * node.level + (node.module or "")))
    return list(dict.fromkeys(name for _, _, name in sorted(found)))


def complexities(tree):
    visitor = mccabe.PathGraphingAstVisitor()
    visitor.preorder(tree, visitor)
    return [
        {"name": name, "line": graph.lineno, "column": graph.column, "mccabe": graph.complexity()}
        for name, graph in visitor.graphs.items()
    ]


def sections(doc):
    """FastMCP 4.1's `parse_docstring`, of which this is the gist."""
    for parser in ("google", "numpy", "sphinx"):
        description, named, structured = None, {}, False
        for section in Docstring(doc, lineno=1, parser=parser).parse(warnings=False):
            if section.kind == DocstringSectionKind.text:
                description = section.value if description is None else description
                continue
            structured = True
            if section.kind == DocstringSectionKind.parameters:
                named.update((parameter.name, parameter.description) for parameter in section.value)
        if structured:
            return {"style": parser, "description": description, "parameters": named}
    return {"style": None, "description": doc, "parameters": {}}


def dump(path):
    with open(path, "rb") as file:
        raw = file.read()
    try:
        compile(raw, path, "exec", dont_inherit=True)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        text = io.TextIOWrapper(io.BytesIO(raw), encoding).read()
        tree = ast.parse(text)
        source = Source(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    definitions = Definitions(source)
    definitions.visit(tree)
    if sys.version_info >= (3, 11):
        check_qualified_names(compile(tree, path, "exec", dont_inherit=True), definitions.functions)
    facts = {
        "text": text,
        "docstring": docstring(tree),
        "functions": definitions.functions,
        "classes": definitions.classes,
        "imports": imports(tree),
    }
    if mccabe:
        facts["complexities"] = complexities(tree)
    if Docstring:
        docs = [each["docstring"] for each in [facts, *facts["functions"], *facts["classes"]]]
        facts["docstrings"] = [{"docstring": doc, **sections(doc)} for doc in docs if doc]
    return facts


def main():
    sys.setrecursionlimit(10000)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        path = line.rstrip("\n")
        print(json.dumps({"file": path, **dump(path)}), flush=True)


if __name__ == "__main__":
    main()
