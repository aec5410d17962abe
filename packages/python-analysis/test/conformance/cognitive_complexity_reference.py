"""Cognitive complexity as its white paper defines it, and as the package `cognitive_complexity` 1.3.0 counts it.

The package differs from the paper in a few places. Each is a flag here, so that with all of them this module has to give what
the package gives, with none what the paper says, and each difference has its reasons.
"""

import ast

try:
    from cognitive_complexity.api import get_cognitive_complexity
except ImportError:
    get_cognitive_complexity = None

DEVIATIONS = {
    "elif": "an `if` with an `elif` does not nest what is in it; an `elif` pays for nesting; `else:` with but an `if` is an `elif`",
    "heads": "conditions, iterables and exception types are nested like bodies",
    "headers": "decorators, defaults and annotations of functions inside are nested like their bodies",
    "async-for": "`async for` does not count",
    "match": "`match` does not count",
    "operators": "logical operators count by nodes of the tree, not by sequences, and what is inside them does not count",
    "recursion": "a method that calls a function of its own name counts as recursive; so do calls in decorators and defaults",
}

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Counter:
    def __init__(self, is_elif, deviations=()):
        self.is_elif = is_elif
        self.deviations = frozenset(deviations)

    def function(self, node, is_method):
        if (
            isinstance(node, ast.FunctionDef)
            and len(node.body) == 2
            and isinstance(node.body[0], ast.FunctionDef)
            and isinstance(node.body[1], ast.Return)
        ):
            return self.function(node.body[0], False)
        return self.all(node.body, 0) + self.recursion(node, is_method)

    def recursion(self, node, is_method):
        lenient = "recursion" in self.deviations
        if is_method and not lenient:
            return 0
        roots = [node] if lenient else node.body
        calls = (each for root in roots for each in ast.walk(root) if isinstance(each, ast.Call))
        return int(any(isinstance(call.func, ast.Name) and call.func.id == node.name for call in calls))

    def all(self, nodes, nesting):
        return sum(self.visit(node, nesting) for node in nodes if node is not None)

    def visit(self, node, nesting):
        method = getattr(self, "visit_" + type(node).__name__, None)
        return method(node, nesting) if method else self.all(ast.iter_child_nodes(node), nesting)

    def structure(self, node, heads, body, nesting):
        orelse = getattr(node, "orelse", None) or []
        total = 1 + nesting + self.all(heads, nesting + ("heads" in self.deviations)) + self.all(body, nesting + 1)
        return total + (1 + self.all(orelse, nesting + 1) if orelse else 0)

    def visit_If(self, node, nesting):
        if "elif" in self.deviations:
            if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
                # What else it does with its head is part of this deviation.
                return max(1, nesting) + self.all(ast.iter_child_nodes(node), nesting)
            return self.structure(node, [node.test], node.body, nesting)
        own = 1 if self.is_elif(node) else 1 + nesting
        total = own + self.all([node.test], nesting + ("heads" in self.deviations)) + self.all(node.body, nesting + 1)
        if len(node.orelse) == 1 and self.is_elif(node.orelse[0]):
            return total + self.visit(node.orelse[0], nesting)
        return total + (1 + self.all(node.orelse, nesting + 1) if node.orelse else 0)

    def visit_For(self, node, nesting):
        return self.structure(node, [node.target, node.iter], node.body, nesting)

    def visit_AsyncFor(self, node, nesting):
        if "async-for" in self.deviations:
            return self.all(ast.iter_child_nodes(node), nesting)
        return self.visit_For(node, nesting)

    def visit_While(self, node, nesting):
        return self.structure(node, [node.test], node.body, nesting)

    def visit_ExceptHandler(self, node, nesting):
        return self.structure(node, [node.type], node.body, nesting)

    def visit_Match(self, node, nesting):
        if "match" in self.deviations:
            return self.all(ast.iter_child_nodes(node), nesting)
        return self.structure(node, [node.subject], node.cases, nesting)

    def visit_IfExp(self, node, nesting):
        return 1 + nesting + self.all(ast.iter_child_nodes(node), nesting + 1)

    def visit_FunctionDef(self, node, nesting):
        body = set(node.body)
        header = [each for each in ast.iter_child_nodes(node) if each not in body]
        return self.all(header, nesting + ("headers" in self.deviations)) + self.all(node.body, nesting + 1)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node, nesting):
        return self.all([node.args], nesting + ("headers" in self.deviations)) + self.visit(node.body, nesting + 1)

    def visit_BoolOp(self, node, nesting):
        if "operators" in self.deviations:
            return sum(isinstance(each, ast.BoolOp) for each in ast.walk(node))
        operators, operands = [], []
        self.flatten(node, operators, operands)
        sequences = sum(a is not b for a, b in zip(operators, [None, *operators]))
        return sequences + self.all(operands, nesting)

    def flatten(self, node, operators, operands):
        for index, value in enumerate(node.values):
            if index:
                operators.append(type(node.op))
            if isinstance(value, ast.BoolOp):
                self.flatten(value, operators, operands)
            else:
                operands.append(value)


def measure(node, is_method, is_elif):
    """What the paper says; and where the package is there and says something else, that, and why."""
    paper = Counter(is_elif).function(node, is_method)
    if get_cognitive_complexity is None:
        return paper, None
    package = get_cognitive_complexity(node)
    explained = Counter(is_elif, DEVIATIONS).function(node, is_method)
    if explained != package:
        raise AssertionError(f"{node.name}, line {node.lineno}: {package} is not explained, which gives {explained}")
    if package == paper:
        return paper, None
    # What makes a difference alone, or is missed alone.
    reasons = [
        name
        for name in DEVIATIONS
        if Counter(is_elif, [name]).function(node, is_method) != paper
        or Counter(is_elif, set(DEVIATIONS) - {name}).function(node, is_method) != package
    ]
    return paper, {"line": node.lineno, "name": node.name, "paper": paper, "package": package, "reasons": reasons}
