"""What this Python says of bytes, and whether it says the same of the text that somebody else took them for.

Reads lines of `base64(bytes) base64(text in UTF-8, or nothing)`, writes lines of JSON: `{"error": …, "same": …}`. Pyodide calls
`answer` instead.
"""

import ast
import base64
import json
import sys
import warnings

warnings.simplefilter("ignore")


def attempt(source, flags):
    """Returns the tree, and CPython's error as Sluice's engines write it."""
    try:
        return compile(source, "<script>", "exec", flags, dont_inherit=True), None
    except SyntaxError as error:
        place = [at if at and at > 0 else None for at in (error.lineno, error.offset)]
        return None, [type(error).__name__, str(error.msg)] + place
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return None, [type(error).__name__, str(error), None, None]


def answer(source, text):
    _, error = attempt(source, 0)
    same = None
    if text is not None:
        # Errors are worded and placed as the bytes are, of which there are no longer any.
        trees = [attempt(each, ast.PyCF_ONLY_AST)[0] for each in (source, text)]
        dumps = [ast.dump(tree, include_attributes=True) if tree else None for tree in trees]
        same = dumps[0] == dumps[1]
    return json.dumps({"error": error, "same": same})


if __name__ == "__main__":
    for line in sys.stdin:
        parts = [base64.b64decode(part) for part in line.rstrip("\n").split(" ")]
        print(answer(parts[0], parts[1].decode("utf-8") if len(parts) > 1 else None), flush=True)
