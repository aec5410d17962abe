"""What expressions give in this Python.

Reads a JSON list of expressions, writes a JSON list of `["str", text]`, `["bytes", hex]` or, for anything else and errors, `null`.
"""

import base64, binascii, codecs, functools, itertools, json, re, sys, warnings

warnings.simplefilter("ignore")
MODULES = {name: value for name, value in globals().items() if not name.startswith("_")}


def answer(expression):
    try:
        value = eval(expression, dict(MODULES))
    except Exception:
        return None
    if type(value) is str and not any(0xD800 <= ord(c) < 0xE000 for c in value):
        return ["str", value]
    return ["bytes", value.hex()] if type(value) is bytes else None


json.dump([answer(each) for each in json.load(sys.stdin)], sys.stdout)
