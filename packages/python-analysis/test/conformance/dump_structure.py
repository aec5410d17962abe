"""Prints what Python itself knows about the structure of scripts.

Reads file names from standard input and prints one JSON object a line for each: its decoded text, and either the error
with which it does not compile, or its functions, classes and imports as `ast` has them. Where the packages `mccabe` and
`griffelib` are installed, also McCabe's complexity of its functions, and its docstrings as FastMCP takes them apart.
"""

import ast
import collections
import inspect
import io
import json
import sys
import tokenize
import warnings

import cognitive_complexity_reference as cognitive

try:
    import mccabe
except ImportError:
    mccabe = None
try:
    from griffe import Docstring, DocstringSectionKind
except ImportError:
    Docstring = None

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
TRIES = (ast.Try, ast.TryStar) if hasattr(ast, "TryStar") else (ast.Try,)
CONDITIONS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Match, *TRIES)
NESTS = (*CONDITIONS, ast.With, ast.AsyncWith)
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

    def is_elif(self, node):
        if not isinstance(node, ast.If):
            return False
        line, column = self.place(node.lineno, node.col_offset)
        return self.lines[line - 1].startswith("elif", column)

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


def type_parameters(source, node):
    kinds = {"TypeVar": "type_var", "TypeVarTuple": "type_var_tuple", "ParamSpec": "param_spec"}
    found = []
    for parameter in getattr(node, "type_params", []):
        bound, default = getattr(parameter, "bound", None), getattr(parameter, "default_value", None)
        found.append(
            {
                "name": parameter.name,
                "kind": kinds[type(parameter).__name__],
                "bound": source.of(bound) if bound else None,
                "default": source.of(default) if default else None,
            }
        )
    return found


def set_parents(tree):
    tree.parent = None
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node


def ancestors(node):
    """Pairs of a node and its parent, from a node up."""
    while node.parent is not None:
        yield node, node.parent
        node = node.parent


def scope_of(node):
    """The function, class or module in whose body a statement stands."""
    return next(outer for _, outer in ancestors(node) if isinstance(outer, (*FUNCTIONS, ast.ClassDef, ast.Module)))


def is_conditional(node):
    for _, outer in ancestors(node):
        if isinstance(outer, (*FUNCTIONS, ast.ClassDef)):
            return False
        if isinstance(outer, CONDITIONS):
            return True
    return False


def own_parts(function):
    """The nodes that a function itself runs, in order."""
    pending = collections.deque(function.body)
    while pending:
        node = pending.popleft()
        yield node
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            children = [*getattr(node, "decorator_list", []), node.args]
        else:
            children = list(ast.iter_child_nodes(node))
        pending.extendleft(reversed(children))


def max_nesting(source, nodes, depth=0):
    """How deep blocks nest in nodes, without functions and classes inside."""
    deepest = depth
    for node in nodes:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            continue
        deeper = depth + (isinstance(node, NESTS) and not source.is_elif(node))
        parts = [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.expr)]
        deepest = max(deepest, deeper, max_nesting(source, parts, deeper))
    return deepest


class Definitions(ast.NodeVisitor):
    def __init__(self, source):
        self.source = source
        self.functions = []
        self.classes = []
        self.scopes = []
        self.cognitive_differences = []

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
                "is_generator": any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in own_parts(node)),
                "is_method": isinstance(scope_of(node), ast.ClassDef),
                "is_conditional": is_conditional(node),
                "decorators": [self.source.of(decorator) for decorator in node.decorator_list],
                "parameters": parameters(self.source, node.args),
                "return_type": self.source.of(node.returns) if node.returns else None,
                "type_parameters": type_parameters(self.source, node),
                "raises": list(
                    dict.fromkeys(
                        self.source.of(part.exc)
                        for part in own_parts(node)
                        if isinstance(part, ast.Raise) and part.exc
                    )
                ),
                "lines": node.end_lineno - node.lineno + 1,
                "max_nesting": max_nesting(self.source, node.body),
                "cognitive": self.cognitive_complexity(node),
                "line_number": node.lineno,
                "end_line_number": node.end_lineno,
            }
        )
        self.enter("function", qualified_name, node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_function

    def cognitive_complexity(self, node):
        is_method = isinstance(scope_of(node), ast.ClassDef)
        value, difference = cognitive.measure(node, is_method, self.source.is_elif)
        if difference:
            self.cognitive_differences.append(difference)
        return value

    def visit_ClassDef(self, node):
        qualified_name = self.qualified_name(node)
        arguments = sorted(node.bases + node.keywords, key=lambda base: (base.lineno, base.col_offset))
        barrier = self.source.parenthesis_after_name(node) if arguments else -1
        self.classes.append(
            {
                "name": node.name,
                "qualified_name": qualified_name,
                "bases": [self.source.of(argument, barrier) for argument in arguments],
                "decorators": [self.source.of(decorator) for decorator in node.decorator_list],
                "type_parameters": type_parameters(self.source, node),
                "is_conditional": is_conditional(node),
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


def imports(source, tree):
    """Every import, with the place at which its module is named."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                place = source.place(alias.lineno, alias.col_offset)
                found.append((place, {"module": alias.name, "level": 0, "names": None, "alias": alias.asname}, node))
        elif isinstance(node, ast.ImportFrom):
            statement = source.starts[source.place(node.lineno, node.col_offset)]
            names = [{"name": alias.name, "alias": alias.asname} for alias in node.names]
            details = {"module": node.module or "", "level": node.level, "names": names, "alias": None}
            found.append((source.tokens[statement + 1].start, details, node))
    return [
        {**details, "line": line, "column": column + 1, **import_context(node)}
        for (line, column), details, node in sorted(found, key=lambda each: each[0])
    ]


def import_context(node):
    scopes = [outer for _, outer in ancestors(node) if isinstance(outer, (*FUNCTIONS, ast.ClassDef))]
    in_function = any(isinstance(scope, FUNCTIONS) for scope in scopes)
    return {
        "scope": "function" if in_function else "class" if scopes else "module",
        "is_conditional": any(isinstance(outer, CONDITIONS) for _, outer in ancestors(node)),
        "is_type_checking": any(
            isinstance(outer, ast.If) and inner in outer.body and is_type_checking(outer.test)
            for inner, outer in ancestors(node)
        ),
    }


def is_type_checking(test):
    return getattr(test, "attr", getattr(test, "id", None)) == "TYPE_CHECKING"


def is_all(node):
    return isinstance(node, ast.Name) and node.id == "__all__"


def names_in(node, before):
    if is_all(node):
        return before
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = names_in(node.left, before), names_in(node.right, before)
        return None if left is None or right is None else left + right
    if not isinstance(node, (ast.List, ast.Tuple)):
        return None
    values = [element.value if isinstance(element, ast.Constant) else None for element in node.elts]
    return values if all(isinstance(value, str) for value in values) else None


def exports_after(statement, before):
    """`__all__` after a statement at the top level; NotImplemented where it is none of those that are followed."""
    if isinstance(statement, ast.Assign) and any(map(is_all, statement.targets)):
        return names_in(statement.value, before)
    if isinstance(statement, ast.AnnAssign) and is_all(statement.target):
        return names_in(statement.value, before) if statement.value else before
    if isinstance(statement, ast.AugAssign) and is_all(statement.target) and isinstance(statement.op, ast.Add):
        more = names_in(statement.value, before)
        return None if before is None or more is None else before + more
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and is_all(call.func.value):
        method, arguments = call.func.attr, call.args
        if method in ("copy", "count", "index"):
            return before
        more = names_in(arguments[0] if method == "extend" else ast.List(arguments), before) if len(arguments) == 1 else None
        if before is None or more is None:
            return None
        if method in ("append", "extend"):
            return before + more
        if method == "remove" and more[0] in before:
            index = before.index(more[0])
            return before[:index] + before[index + 1 :]
        return None
    return NotImplemented


def exports(tree):
    names = None
    uses = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Global) and "__all__" in node.names:
            return None
        bound = [getattr(node, "asname", None) or getattr(node, "name", None)]
        if is_all(node) or (isinstance(node, (ast.alias, ast.MatchAs, ast.ExceptHandler)) and "__all__" in bound):
            if not any(isinstance(outer, (*FUNCTIONS, ast.Lambda, ast.ClassDef)) for _, outer in ancestors(node)):
                uses.append(node)
    done = set()
    for node in sorted(uses, key=lambda each: (each.lineno, each.col_offset)):
        chain = [node, *(outer for _, outer in ancestors(node))]
        top = chain[-2]
        after = NotImplemented if top in done else exports_after(top, names)
        if after is not NotImplemented:
            done.add(top)
            names = after
        elif top not in done and changes_exports(node):
            names = None
    return names


def changes_exports(node):
    outer = node.parent
    if isinstance(outer, ast.Attribute) and isinstance(outer.parent, ast.Call) and outer.parent.func is outer:
        return outer.attr not in ("copy", "count", "index")
    while isinstance(outer, (ast.Subscript, ast.Attribute)) and isinstance(outer.ctx, ast.Load):
        outer = outer.parent
    return not isinstance(getattr(node, "ctx", None), ast.Load) or not isinstance(getattr(outer, "ctx", ast.Load()), ast.Load)


def entry_point(source, tree):
    found = []
    for node in ast.walk(tree):
        test = getattr(node, "test", None)
        if not isinstance(node, ast.If) or source.is_elif(node) or not isinstance(test, ast.Compare):
            continue
        parts = [test.left, *test.comparators]
        is_main = sorted(
            part.id if isinstance(part, ast.Name) else str(getattr(part, "value", "")) if isinstance(part, ast.Constant) else ""
            for part in parts
        ) == ["__main__", "__name__"]
        if is_main and isinstance(test.ops[0], ast.Eq) and any(isinstance(part, ast.Name) for part in parts):
            if not any(isinstance(outer, (*FUNCTIONS, ast.ClassDef)) for _, outer in ancestors(node)):
                found.append({"line_number": node.lineno, "end_line_number": node.end_lineno})
    return min(found, key=lambda each: each["line_number"], default=None)


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


def dump(raw, path):
    try:
        code = compile(raw, path, "exec", dont_inherit=True)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        text = io.TextIOWrapper(io.BytesIO(raw), encoding).read()
        tree = ast.parse(text)
        source = Source(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    set_parents(tree)
    definitions = Definitions(source)
    definitions.visit(tree)
    if sys.version_info >= (3, 11):
        check_qualified_names(code, definitions.functions)
    details = imports(source, tree)
    facts = {
        "text": text,
        "docstring": docstring(tree),
        "exports": exports(tree),
        "entry_point": entry_point(source, tree),
        "functions": definitions.functions,
        "classes": definitions.classes,
        "imports": list(dict.fromkeys("." * each["level"] + each["module"] for each in details)),
        "import_details": details,
    }
    if mccabe:
        facts["complexities"] = complexities(tree)
    if cognitive.get_cognitive_complexity:
        facts["cognitive_differences"] = definitions.cognitive_differences
    if Docstring:
        docs = [each["docstring"] for each in [facts, *facts["functions"], *facts["classes"]]]
        facts["docstrings"] = [{"docstring": doc, **sections(doc)} for doc in docs if doc]
    return facts


def main():
    sys.setrecursionlimit(10000)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        path = line.rstrip("\n")
        with open(path, "rb") as file:
            raw = file.read()
        print(json.dumps({"file": path, **dump(raw, path)}), flush=True)


if __name__ == "__main__":
    main()
