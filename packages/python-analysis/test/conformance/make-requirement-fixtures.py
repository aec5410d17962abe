"""Writes what the package `packaging` says of requirements and version specifiers, and what the reference implementation in the
specification of inline script metadata (PEP 723) says of blocks, to test/fixtures/requirements.json:

    python make-requirement-fixtures.py

It needs `packaging` 26.3. The cases are those below, and others made of their parts by chance that is the same each time.
"""

import json
import pathlib
import random
import re
import sys

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

FIXTURE = pathlib.Path(__file__).parent.parent / "fixtures" / "requirements.json"
RELEASES = ["3.14.2", "3.14.0", "3.14", "3.0", "4.0.0", "2.7.18", "3"]

NAMES = ["a", "A", "name", "Na.me", "n_a--m.e", "a1", "1a", "a.b-c_d", "ａ", "é", "_a", "a_", "-a", "a-", ".a", "a.", "a b", ""]
EXTRAS = ["", "[]", "[a]", "[A_b,c.d]", "[ a , b ]", "[a,a]", "[a", "[,]", "[a,]", "[,a]", "[a b]", "[_a]", "[a][b]", "[a;b]", "[1]"]
VERSIONS = [
    *["1", "1.0", "1.2.3", "01.02", "1!2.0", "v1.0", "V1", "1.0a1", "1.0alpha", "1.0.b2", "1.0-c3", "1.0rc", "1.0_pre_4", "1.0PREVIEW"],
    *["1.0.post1", "1.0-1", "1.0post", "1.0.r3", "1.0rev2", "1.0-post-2", "1.0.dev", "1.0dev3", "1.0-dev_3", "1.0a1.post2.dev3"],
    *["1.0+local", "1.0+Local.1", "1.0+a-b_c", "1.0+", "1.0+a..b", "1.0+.a", "1.0.*", "1.*", "1!1.*", "1.0a1.*", "1.0.post1.*"],
    *["1.0.dev1.*", "1.0+a.*", "1.0*", "*", ".*", "1..0", "1.", "1.0.", ".1", "1.x", "x", "1.0a1b2", "1.0-", "1!", "!1", "1_0", "1-0"],
    *["1.0dev1post2", "1.0.post1a1", "1,0", "1 0", "١", "1.0a-1", "1.0a.1", "2013b", "1.0.final", "1.0 a1", "1.0-1-2", "1.0.post-1", "1.0+ß"],
]
OPERATORS = ["==", "!=", "<=", ">=", "<", ">", "~=", "===", "=", "=>", "=<", "<>", "~", "!", "====", "", "^"]
URLS = [
    *["https://x.y/z.zip", "https://x.y/z.zip#sha256=0", "git+https://x.y/z.git@v1#egg=a", "file:///a", "a", "../a", "https://x y"],
    *["https://x.y/[z]", "https://x.y/z;a", "https://x.y/z ", "", "https://", "http://u:p@h:1/p?q=1;r=2#f", "gopher:/foo/com", "x:"],
]
VARIABLES = [
    *["python_version", "python_full_version", "os_name", "sys_platform", "platform_release", "platform_system", "platform_version"],
    *["platform_machine", "platform_python_implementation", "implementation_name", "implementation_version", "extra", "extras"],
    *["dependency_groups", "os.name", "sys.platform", "platform.version", "platform.machine", "platform.python_implementation"],
    *["python_implementation", "python", "pythonversion", "Python_Version", "os_names", "platform"],
]
STRINGS = ['"3.8"', "'3.8'", '"a\'b"', "'a\"b'", '""', "''", '"a', "a", '"a"b"', "'é'", '"a;b"', "'a\\'b'", '"A_b"', "'linux'", '" "']
COMPARISONS = ["==", "!=", "<=", ">=", "<", ">", "~=", "===", "in", "not in", "not  in", "=", "is", "not", "", "IN", "<>"]
CASES = [
    *["a>=1,<2", "a>=1,<2,", "a>=1,,<2", "a,>=1", "a (>=1)", "a(>=1,<2)", "a ()", "a()", "a(>=1", "a>=1)", "a ( >= 1 , < 2 )", "a >= 1 , < 2"],
    *["a (==1.0) ; os_name=='x'", "a[b](>=1)", "a [ b ] >=1", "a@https://x.y", "a @https://x.y", "a@ https://x.y", "a[b]@https://x.y", "a @"],
    *["a @ https://x.y ; os_name == 'x'", "a @ https://x.y; os_name == 'x'", "a @ https://x.y;os_name=='x'", "a @ https://x.y >=1"],
    *["a >=1 @ https://x.y", "a @ https://x.y  ;  os_name=='x'", "a @ (https://x.y)", "a;", "a ;", ";os_name=='x'", "a;;os_name=='x'"],
    *["a; os_name=='x' and", "a; and os_name=='x'", "a; os_name=='x' or or os_name=='x'", "a; (os_name=='x')", "a; ((os_name=='x'))", "a; ()"],
    *["a; (os_name=='x'", "a; os_name=='x')", "a; os_name", "a; 'x'", "a; 'x'=='x'", "a; os_name==os_name", "a; os_name=='x' os_name=='y'"],
    *["a; os_name=='x'and os_name=='y'", "a; os_name=='x' and(os_name=='y')", "a; os_name=='x'or'y'==os_name", "a; 'x'in os_name"],
    *["a; os_name in'x'", "a; os_name not in'x'", "a; 'x'not in os_name", "a; os_namein 'x'", "a; os_name in os_name", "a; os_name notin 'x'"],
    *["a; os_name=='x' # c", "a # c", "# c", "a #c", "-r x", "-e .", "--hash=a", "a --hash=sha256:0", "./a", "/a", "a/b", "a\\b", "a\nb", "a\n"],
    *["\ta\t", " a ", "a\t>=\t1", "a\r\n", "\x0ca", "a\x0b", "a\u00a0", "a\u00a0>=1", "a\u2028", "a==1\x00", "a >=1;\tos_name\t==\t'x'"],
    *["a===1.0", "a=== 1.0", "a===a b", "a===any-thing", "a===1.0;os_name=='x'", "a===1.0 ; os_name=='x'", "a===1,>=2", "a(===1)", "a==="],
    *["a~=1", "a~=1.0", "a~=1.0.0", "a~=1.0a1", "a~=1a1", "a~=1.0.*", "a~=1.0+b", "a~=1!1", "a~=1!1.0", "a~=1.post1", "a~=v1.0", "a>=1.*", "a<1.*"],
    *["a==1.0+b", "a!=1.0+b", "a>=1.0+b", "a<1.0+b", "a===1.0+b", "a==1.0.*+b", "a==1.*,!=1.2.*", "a>1.0.dev1", "a>=  1", "a> =1", "a=>1"],
    *["a; extra == 'b'", "a; 'b' == extra", "a; extra == 'B_c'", "a; extra in 'b'", "a; 'b' in extras", "a; 'b' in dependency_groups"],
    *["a; os_name == 'x' and os_name == 'y' or os_name == 'z'", "a; os_name == 'x' and (os_name == 'y' or os_name == 'z')"],
    *["a; (os_name == 'x' and os_name == 'y') or os_name == 'z'", "a; ((os_name == 'x') and ((os_name == 'y')))", "a; not os_name == 'x'"],
    *["a" * 100, "a[" + ",".join("bcdefg") + "]", "a" + ",".join([">=1"] * 20).join(["", ""]), "A.B_C-D", "a--b", "a__b", "a.-_b", "a>=1.0;"],
]
SPECIFIERS = ["", " ", ",", ">=3.8,", ",>=3.8", ">=3.8,,<4", "3.8", ">=3.8 <4", "(>=3.8)", ">=3.8;<4", ">= 3.8 , != 3.9.*", "==3.*,~=3.1,<4"]


# https://packaging.python.org/en/latest/specifications/inline-script-metadata/
BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
LINES = [
    *["# /// script", "# /// script", "# /// other-1", "# ///", "# ///", "#", "# x = 1", "# x = 1", "#  y", "#x", "", " # ///", "# /// "],
    *["# /// script ", "x = 1", "#  ///", "# \t", "#\t", "# /// a b", "# /// a_b", "#///", "# //// script", "x = \"", "# \u2028 \x0c"],
]


def block(text):
    """The content of the `script` block; None without one, False with more than one."""
    found = [match for match in BLOCK.finditer(text) if match["type"] == "script"]
    if len(found) > 1:
        return False
    lines = re.findall(r".*\n", found[0]["content"]) if found else []
    return "".join(line[2:] if line.startswith("# ") else line[1:] for line in lines) if found else None


def texts(count):
    one = "# /// script\n# x = 1\n# ///\n"
    yield from [one, one + one, f"{one}\n{one}", f"#!x\n{one}y\n# /// other\n#\n# ///", f"\ufeff{one}", one.replace("\n", "\r\n")]
    some = random.Random(723)
    for _ in range(count):
        lines = some.choices(LINES[:8] if some.random() < 0.7 else LINES, k=some.randint(1, 12))
        yield "\n".join(lines) + some.choice(["", "\n"])


def requirement(raw):
    try:
        found = Requirement(raw)
    except InvalidRequirement:
        return None
    return {
        "name": canonicalize_name(found.name),
        "extras": sorted({canonicalize_name(extra) for extra in found.extras}),
        "specifiers": sorted(set(map(str, found.specifier))),
        "url": found.url,
        "marker": None if found.marker is None else str(found.marker),
    }


def specifier(raw):
    try:
        found = SpecifierSet(raw)
    except InvalidSpecifier:
        return None
    return [release for release in RELEASES if found.contains(release, prereleases=True)]


def chance(count):
    some = random.Random(508)
    for _ in range(count):
        blank = some.choice(["", "", " ", "  ", "\t"])
        raw = some.choice(NAMES[:8] if some.random() < 0.8 else NAMES) + blank
        raw += some.choice(EXTRAS[:7] if some.random() < 0.8 else EXTRAS) if some.random() < 0.4 else ""
        if some.random() < 0.2:
            raw += f"{blank}@{blank}{some.choice(URLS)}{some.choice(['', ' '])}"
        else:
            operators = OPERATORS[:8] if some.random() < 0.9 else OPERATORS
            clauses = [some.choice(operators) + blank + some.choice(VERSIONS) for _ in range(some.randint(0, 3))]
            raw += f"{blank},{blank}".join(clauses)
        if some.random() < 0.4:
            raw += f"{blank};{blank}{marker(some, blank)}"
        yield raw


def marker(some, blank, depth=0):
    if depth < 3 and some.random() < 0.3:
        inner = f"{marker(some, blank, depth + 1)} {some.choice(['and', 'or', 'xor'] if some.random() < 0.1 else ['and', 'or'])} {marker(some, blank, depth + 1)}"
        return f"({blank}{inner}{blank})" if some.random() < 0.5 else inner
    usual = some.random() < 0.9
    left, right = some.choice(VARIABLES[:19] if usual else VARIABLES), some.choice(STRINGS[:4] if usual else STRINGS)
    if some.random() < 0.3:
        left, right = right, left
    return f"{left} {some.choice(COMPARISONS[:11] if usual else COMPARISONS)} {right}"


def main(count):
    operands = [version for version in VERSIONS if re.match(r"[v\d]", version)]
    specifiers = [*SPECIFIERS, *(operator + version for operator in OPERATORS[:8] for version in operands)]
    numbers = ["3", "3.14", "3.14.0", "3.14.2", "3.14.2.0", "3.14.3", "3.15", "4", "2.7", "3.14.2a1", "3.14.2.post1", "3.14.2.dev1", "0!3.14", "1!3.14"]
    specifiers += [operator + number for operator in OPERATORS[:8] for number in numbers]
    specifiers += [operator + number + ".*" for operator in ("==", "!=") for number in numbers]
    names = [f"{name}{extras}" for name in NAMES for extras in ["", "[a]"]]
    raws = dict.fromkeys([*CASES, *names, *(f"a{extras}" for extras in EXTRAS), *(f"a @ {url}" for url in URLS), *chance(count)])
    fixture = {
        "requirements": [[raw, requirement(raw)] for raw in raws],
        "releases": RELEASES,
        "blocks": [[text, block(text)] for text in dict.fromkeys(texts(count))],
        "specifiers": [[raw, specifier(raw)] for raw in dict.fromkeys(specifiers)],
    }
    lists = [f'"{key}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]" for key, rows in fixture.items()]
    FIXTURE.write_text("{\n" + ",\n".join(lists) + "\n}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
