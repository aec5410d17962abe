"""Prints every source that CPython's own tests compile, and what this CPython says of it.

    collect_snippets.py [TEST_MODULE ...]

Runs tests of the standard library (`test.test_grammar` and the like, those about syntax if none is named) with `compile`, `exec`
and `eval` listened to. Each distinct source becomes a line of JSON on standard output: its bytes (in Latin-1, text as UTF-8), and
the error with which they do not compile, or null. Point it only at an interpreter and tests that you trust: they run.
"""

import builtins
import importlib
import io
import json
import os
import sys
import unittest
import warnings

MODULES = """
    ast asyncgen annotations augassign baseexception builtin bytes call class cmd_line code codeop compile complex coroutines
    dataclasses decorators dictcomps dis eof except_star exception_group exceptions extcall float flufl fstring funcattrs future
    future_stmt generators genexps global grammar inspect int keywordonlyarg lambda listcomps metaclass named_expressions nonlocal
    opcodes patma peepholer pep646_syntax positional_only_arg raise scope source_encoding string_literals subclassinit super symtable
    syntax sys_settrace tabnanny tokenize traceback tstring type_aliases type_annotations type_comments type_params typing unicode
    unicode_identifiers unpack unpack_ex unparse utf8source with
""".split()
# A test of the parser's limits is a bomb of its own, and no snippet.
LONGEST = 200_000


def listen(found):
    """Has `compile`, `exec` and `eval` note the sources that they are given."""
    original = {name: getattr(builtins, name) for name in ("compile", "exec", "eval")}

    def note(source):
        if isinstance(source, (str, bytes)):
            found[source] = None

    def compile_(source, *args, **kwargs):
        note(source)
        return original["compile"](source, *args, **kwargs)

    def run(name):
        def run_(source, *args, **kwargs):
            note(source)
            if not args and "globals" not in kwargs:
                caller = sys._getframe(1)
                args = (caller.f_globals, caller.f_locals)
            return original[name](source, *args, **kwargs)

        return run_

    builtins.compile, builtins.exec, builtins.eval = compile_, run("exec"), run("eval")
    return original["compile"]


def run_tests(names):
    for name in names:
        try:
            module = importlib.import_module(f"test.test_{name}")
            tests = unittest.defaultTestLoader.loadTestsFromModule(module)
            unittest.TextTestRunner(stream=io.StringIO(), verbosity=0).run(tests)
        except (Exception, SystemExit) as error:  # another version may have no such test
            print(f"test_{name}: {type(error).__name__}: {error}", file=sys.stderr)


def error_of(compile_, source):
    try:
        compile_(source, "<script>", "exec", dont_inherit=True)
    except Exception as error:
        return f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"
    return None


def main(names):
    # What tests print is not for this program's reader.
    output = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    found = {}
    compile_ = listen(found)
    run_tests(names or MODULES)
    warnings.simplefilter("ignore")
    print(json.dumps({"python": sys.version.split()[0]}), file=output)
    sources = {source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source for source in found}
    for source in sorted(sources):
        if len(source) <= LONGEST:
            print(json.dumps({"source": source.decode("latin-1"), "error": error_of(compile_, source)}), file=output)
    output.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
    # Tests may leave threads behind.
    os._exit(0)
