#!/usr/bin/env python3.11
"""Write src/tools/python/library-names.ts: what the modules that annotations and defaults draw on define.

Only names and plain constants are written down, as CPython on Linux has them; which classes mean something to pydantic is
told in src/tools/pydantic. `typing`, `typing_extensions` and `pydantic` are described by hand in src/tools/python/library.ts.

Use: python3.11 library_names.py > ../../../src/tools/python/library-names.ts
"""

import importlib
import inspect
import json

MODULES = (
    "builtins datetime decimal uuid pathlib re collections collections.abc ipaddress fractions os os.path math string numbers "
    "types abc enum dataclasses zoneinfo"
).split()


def literal(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}n"
    if isinstance(value, float):
        return {"inf": "Infinity", "nan": "NaN"}.get(repr(value), repr(value))
    return json.dumps(value)


def describe(name):
    module = importlib.import_module(name)
    classes, renamed, functions, objects, constants = [], {}, [], [], {}
    for key, value in sorted(vars(module).items()):
        if key.startswith("_") or inspect.ismodule(value):
            continue
        if isinstance(value, type):
            canonical = f"{value.__module__}.{value.__qualname__}"
            if canonical == f"{name}.{key}":
                classes.append(key)
            else:
                renamed[key] = canonical
        elif type(value) in (int, float, str, bool):
            constants[key] = value
        elif callable(value):
            functions.append(key)
        elif value is not None:
            objects.append(key)
    lines = [f"  {json.dumps(name)}: {{"]
    for label, names in (("classes", classes), ("functions", functions), ("objects", objects)):
        if names:
            lines.append(f"    {label}: {json.dumps(' '.join(names))},")
    if renamed:
        lines.append(f"    renamed: {json.dumps(renamed)},")
    if constants:
        body = ", ".join(f"{json.dumps(k)}: {literal(v)}" for k, v in constants.items())
        lines.append(f"    constants: {{ {body} }},")
    return "\n".join([*lines, "  },"])


print("""// Written by test/conformance/tool-schemas/library_names.py; do not edit.

/** What a module of the standard library defines; lists of names are separated by spaces. */
export interface LibraryNames {
  /** Classes whose canonical name is the module's and theirs. */
  readonly classes?: string;
  /** Classes whose canonical name is another. */
  readonly renamed?: Readonly<Record<string, string>>;
  readonly functions?: string;
  /** Instances of something, of no interest but that they exist. */
  readonly objects?: string;
  readonly constants?: Readonly<Record<string, bigint | number | string | boolean>>;
}

export const LIBRARY_NAMES: Readonly<Record<string, LibraryNames>> = {""")
for name in MODULES:
    print(describe(name))
print("};")
