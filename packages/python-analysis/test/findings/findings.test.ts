import type { AnalysisReport } from "@sluice/contracts";
import { describe, expect, test } from "vitest";
import { decodeSource } from "../../src/decode.js";
import { parsePolicy } from "../../src/policy/schema.js";
import { buildReport } from "../../src/report.js";
import { parseModule } from "../../src/structure/parse.js";

const HEAD = "name: a\nversion: 1\nimports: {default: allowed}\n";
const PERMISSIVE = `${HEAD}capabilities: {default: allowed}\n`;

/** The findings on a script that compiles, but for those on its tools. */
async function findingsOn(source: string | Uint8Array, policy = PERMISSIVE): Promise<string[]> {
  return (await allFindingsOn(source, policy)).filter((each) => !each.includes(" tool."));
}

/** `line:column severity rule` of each finding. */
async function allFindingsOn(source: string | Uint8Array, policy = PERMISSIVE): Promise<string[]> {
  const { findings } = await reportOn(source, policy);
  return findings.map(({ line, column, severity, rule }) => {
    return line === null ? `${severity} ${rule}` : `${line}:${column} ${severity} ${rule}`;
  });
}

async function reportOn(source: string | Uint8Array, policy = PERMISSIVE): Promise<AnalysisReport> {
  const bytes = typeof source === "string" ? Buffer.from(source) : source;
  const decoded = decodeSource(bytes);
  if (!decoded.ok) throw new Error(decoded.error.message);
  return buildReport({
    source: bytes,
    decoded,
    verdict: { valid: true, error: null, killed: null },
    parsed: await parseModule(decoded.text),
    policy: parsePolicy(policy),
  });
}

type Case = readonly [title: string, source: string, ...expected: string[]];

describe("dangerous calls", () => {
  test.each<Case>([
    ["eval", "eval(x)", "1:1 warning code.eval"],
    ["exec under another name", "e = exec\ne(x)", "2:1 warning code.eval"],
    ["eval of a constant", "eval('1 + 1')", "1:1 info code.eval"],
    [
      "code in base64",
      "import base64\nexec(base64.b64decode('eCA9IDE='))",
      "2:1 warning code.eval",
      "2:1 warning code.obfuscated",
      "2:1 error malware.decode-run",
    ],
    ["not literal_eval", "import ast\nast.literal_eval(x)"],
    ["a computed import", "__import__(x)", "1:1 info code.dynamic-import"],
    ["not a constant one", "__import__('json')"],
    ["os.system", "from os import system as s\ns(x)", "2:1 warning process.shell"],
    ["os.system of a constant", "import os\nos.system('ls')", "2:1 info process.shell"],
    ["a shell", "import subprocess as p\np.run(x, shell=True)", "2:1 warning process.shell"],
    ["perhaps a shell", "import subprocess as p\np.Popen(x, shell=y)", "2:1 warning process.shell"],
    ["no shell", "import subprocess as p\np.run(x)\np.run(x, shell=False)"],
    ["pickle", "import pickle\npickle.loads(x)", "2:1 warning data.unsafe-load"],
    ["cPickle", "import _pickle\n_pickle.loads(x)", "2:1 warning data.unsafe-load"],
    ["not pickle.dumps", "import pickle\npickle.dumps(x)"],
    ["marshal", "import marshal\nmarshal.loads(x)", "2:1 warning data.unsafe-load"],
    [
      "numpy with pickles",
      "import numpy\nnumpy.load(x, allow_pickle=True)\nnumpy.load(x)",
      "2:1 warning data.unsafe-load",
    ],
    [
      "torch",
      "import torch\ntorch.load(x)\ntorch.load(x, weights_only=True)",
      "2:1 warning data.unsafe-load",
    ],
    ["yaml.load", "import yaml\nyaml.load(x)", "2:1 warning data.yaml-load"],
    [
      "yaml.load with an unsafe loader",
      "import yaml\nyaml.load(x, yaml.Loader)",
      "2:1 warning data.yaml-load",
    ],
    [
      "yaml.load with a safe loader",
      "import yaml\nyaml.load(x, Loader=yaml.CSafeLoader)\nyaml.safe_load(x)",
    ],
    [
      "XML",
      "import xml.etree.ElementTree as ET\nET.parse(x)\nET.Element('a')",
      "2:1 info data.xml-parse",
    ],
    ["not defused XML", "import defusedxml.ElementTree as ET\nET.parse(x)"],
    ["mktemp", "import tempfile\ntempfile.mktemp()\ntempfile.mkstemp()", "2:1 warning file.mktemp"],
    [
      "permissions",
      "import os\nos.chmod(x, 0o777)\nos.chmod(x, 0o755)",
      "2:1 warning file.permissions",
    ],
    [
      "permissions of a path",
      "from pathlib import Path\nPath('a').chmod(0o666)",
      "2:1 warning file.permissions",
    ],
    [
      "verify=False",
      "import requests\nrequests.get(x, verify=False)\nrequests.get(x)",
      "2:1 warning network.tls-unverified",
    ],
    [
      "an unverified context",
      "import ssl\nssl._create_unverified_context()",
      "2:1 warning network.tls-unverified",
    ],
    ["FTP", "import ftplib\nftplib.FTP(x)\nftplib.FTP_TLS(x)", "2:1 info network.cleartext"],
    [
      "all interfaces",
      "import socket\ns = socket.socket()\ns.bind(('0.0.0.0', 1))\ns.bind(('127.0.0.1', 1))",
      "3:1 info network.bind-all",
    ],
    [
      "all interfaces by a name",
      "import socketserver\nh = ''\nsocketserver.TCPServer((h, 1), H)",
      "3:1 info network.bind-all",
    ],
    ["not that text elsewhere", "print('0.0.0.0')"],
    [
      "debug mode",
      "from flask import Flask\na = Flask(__name__)\na.run(debug=True)\na.run()",
      "3:1 warning web.debug",
    ],
    [
      "weak hashes",
      "import hashlib\nhashlib.md5(x)\nhashlib.new('SHA1')\nhashlib.sha256(x)",
      "2:1 info crypto.weak-hash",
      "3:1 info crypto.weak-hash",
    ],
    ["not for security", "import hashlib\nhashlib.md5(x, usedforsecurity=False)"],
    ["not names alone", "def eval(x): pass\neval(x)\nself.system(x)\n# eval(x)\n'eval(x)'"],
    [
      "what a comment excuses",
      "eval(x)  # nosec  # noqa",
      "1:1 warning code.eval",
      "1:10 warning suppression.security",
    ],
  ])("%s", async (_, source, ...expected) => {
    expect(await findingsOn(source)).toEqual(expected);
  });
});

describe("text that misleads", () => {
  test.each<Case>([
    ["bidirectional controls", "x = 1  # \u202e\n", "1:10 warning text.bidi-control"],
    ["columns in code points", "x = '😀\u2066'\n", "1:7 warning text.bidi-control"],
    ["zero-width space", "x = 'a\u200bb'\n", "1:7 warning text.invisible-character"],
    ["tags", "x = '\u{e0041}'\n", "1:6 warning text.invisible-character"],
    ["a family", "x = '👨‍👩‍👧'\n"],
    ["escape codes", "x = '\u001b[8m'\n", "1:6 warning text.control-character"],
    ["tabs and form feeds", "if x:\n\ty = 1\n\f\nz = 2\n"],
    ["full-width letters", "ｐrint(1)\n", "1:1 warning text.confusable-identifier"],
    ["letters of others", "größe = 1\nназвание = 2\n"],
    ["code far to the right", `x = 1;${" ".repeat(200)}y = 2\n`, "1:207 warning text.far-right"],
    ["code just far enough", `x;${" \t".repeat(75)}y\n`, "1:153 warning text.far-right"],
    ["code not quite so far", `x;${" ".repeat(99)}y;${" ".repeat(99)}z\n`],
    ["a hidden message", "x = 'a\ufe01\ufe02\ufe03'\n", "1:7 warning text.invisible-character"],
    ["an emoji that is chosen", "x = '❤\ufe0f'\n"],
    ["a Cyrillic letter among Latin ones", "p\u0430ssword = 1\n", "1:1 warning text.mixed-scripts"],
    [
      "a name that looks like a builtin",
      "\u0435\u0445\u0435\u0441 = 1\n",
      "1:1 warning text.mixed-scripts",
    ],
    ["Greek letters of mathematics", "Δx = 1\nσ_x = 2\nμs = 3\nначало = 4\n"],
    [
      "code far to the right twice",
      `x;${" ".repeat(151)}y;${" ".repeat(299)}z\n`,
      "1:154 warning text.far-right",
      "1:455 warning text.far-right",
    ],
    ["a form feed before deep indentation", `x = [\n\f${" ".repeat(200)}1,\n]\n`],
    ["a comment far to the right", `x = 1 ${" ".repeat(200)}# y = 2\n`],
    ["deep indentation", `x = [\n${" ".repeat(200)}1,\n]\n`],
    [
      "a lone carriage return",
      "x = 1\n# a\rimport json\n",
      "2:1 warning source.lone-carriage-return",
    ],
    ["Windows line ends", "x = 1\r\ny = 2\r\n"],
    ["a coding cookie", "# coding: latin-1\nx = 1\n", "1:1 info source.encoding-declared"],
    ["the usual coding cookie", "# -*- coding: utf-8 -*-\nx = 1\n"],
    ["an empty file", "", "info source.empty"],
  ])("%s", async (_, source, ...expected) => {
    expect(await findingsOn(source)).toEqual(expected);
  });
});

describe("imports", () => {
  const policy = `
name: a
version: 1
capabilities: {default: allowed}
imports: {default: needs_approval, allowed: [numpy], refused: [pickle]}
`;

  test.each<Case>([
    ["of the standard library and the list", "import os, numpy.linalg\nfrom numpy import array"],
    ["off the list", "import os, torch\nfrom torch import nn", "1:12 warning imports.not-allowed"],
    ["in a function", "def f():\n  import torch", "2:10 warning imports.not-allowed"],
    ["that is refused", "from pickle import loads", "1:6 error imports.not-allowed"],
    [
      "of neighbours",
      "from . import a\nfrom .b import c",
      "1:6 warning imports.not-allowed",
      "2:6 warning imports.not-allowed",
    ],
    ["of the future", "from __future__ import annotations"],
    [
      "that the block declares",
      "# /// script\n# dependencies = ['numpy>=2']\n# ///\nimport numpy, json",
    ],
    [
      "under another name",
      "# /// script\n# dependencies = ['PyYAML', 'scikit-learn']\n# ///\nimport yaml as numpy",
      "4:8 warning imports.not-allowed",
    ],
    [
      "that the block leaves out",
      "# /// script\n# dependencies = []\n# ///\nimport numpy\nimport numpy.linalg",
      "4:8 warning imports.undeclared",
    ],
    [
      "that the block declares between lines that end otherwise",
      "# /// script\r\n# dependencies = ['numpy']\r\n# ///\r\nimport numpy",
      "1:1 info imports.declaration",
    ],
    [
      "with a broken block",
      "# /// script\n# dependencies = [\n# ///\nimport numpy",
      "2:1 warning imports.declaration",
    ],
  ])("%s", async (_, source, ...expected) => {
    // What the scripts would do with the modules is beside the point here.
    const found = (await findingsOn(source, policy)).filter(
      (each) => !each.endsWith("imports.unused"),
    );
    // The line of a TOML error is that of the block or of the mistake in it.
    expect(
      found.map((each) => each.replace(/^[123]:1 (?=warning imports.declaration)/, "2:1 ")),
    ).toEqual(expected);
  });

  test.each<Case>([
    [
      "that is never used",
      "import os\nimport subprocess",
      "1:1 info imports.unused",
      "2:1 info imports.unused",
    ],
    [
      "whose dangerous member is never used",
      "from os import system, path\npath",
      "1:1 info imports.unused",
    ],
    [
      "that is never used again",
      "def f():\n  import os\ndef g():\n  import os",
      "2:3 info imports.unused",
    ],
    ["that is used harmlessly", "import os\nos.path.join('a', 'b')"],
    ["that is used elsewhere", "import os\ndef f():\n  import os\nos.getpid()"],
    ["that is harmless", "import json, math\nfrom os import path, sep"],
    ["that acts when it is imported", "import antigravity"],
    ["that is not known", "import unheard_of\nfrom . import os"],
  ])("%s", async (_, source, ...expected) => {
    expect(await findingsOn(source)).toEqual(expected);
  });

  test("an unused one says what it could do", async () => {
    const { findings } = await reportOn("from os import system");
    expect(findings.map(({ message, confidence }) => [message, confidence])).toEqual([
      ["os.system is imported and not used; it could give process.spawn", "low"],
    ]);
  });

  test.each<Case>([
    [
      "that is older",
      "# /// script\n# requires-python = '<3.13'\n# ///",
      "2:1 warning python.version",
    ],
    [
      "that is newer",
      "# /// script\n# x = 1\n# requires-python = '>=3.14, ~=3.99'\n# ///",
      "3:1 warning python.version",
    ],
    ["that judges", "# /// script\n# requires-python = '>=3.8,<4'\n# ///"],
    ["of any number", "# /// script\n# requires-python = ''\n# ///"],
  ])("by a script for a Python %s", async (_, source, ...expected) => {
    expect(await findingsOn(source, policy)).toEqual(expected);
  });

  test("undeclared ones may be of no interest", async () => {
    const source = "# /// script\n# dependencies = []\n# ///\nimport numpy\nnumpy.pi\n";
    expect(
      await findingsOn(
        source,
        PERMISSIVE.replace("{default: allowed}", "{default: allowed, undeclared: off}"),
      ),
    ).toEqual([]);
  });
});

describe("limits", () => {
  test.each<[limit: string, source: string, ...expected: string[]]>([
    ["max_lines: 2", "a\nb\nc\n", "warning complexity.lines"],
    ["max_lines: 3", "a\nb\nc\n"],
    [
      "max_functions: {limit: 1, severity: error}",
      "def f(): pass\ndef g(): pass",
      "error complexity.functions",
    ],
    ["max_nesting: 1", "def f():\n  if a:\n    if b: pass", "1:1 warning complexity.nesting"],
    ["max_nesting: 1", "if a:\n  for b in c:\n    pass", "warning complexity.nesting"],
    ["max_mccabe: 2", "def f():\n  if a: pass\n  if b: pass", "1:1 warning complexity.mccabe"],
    ["max_mccabe: 3", "def f():\n  if a: pass\n  if b: pass"],
    ["max_mccabe: 1", "x = 1\nif a: pass", "2:1 warning complexity.mccabe"],
    ["max_mccabe: null", "if a: pass"],
    ["max_cognitive: 2", "def f():\n  if a:\n    if b: pass", "1:1 warning complexity.cognitive"],
    ["max_cognitive: 3", "def f():\n  if a:\n    if b: pass"],
  ])("%s on %j", async (limit, source, ...expected) => {
    expect(await findingsOn(source, `${PERMISSIVE}limits: {${limit}}`)).toEqual(expected);
  });
});

describe("docstrings", () => {
  const source = `
def a(): pass
def b(): "b"
def _c(): pass
class D:
  def e(self):
    def f(): pass
  def _g(self): pass
class _H:
  def i(self): pass
`;

  test("of what others use", async () => {
    expect(await findingsOn(source, `${PERMISSIVE}docstrings: {required: public}`)).toEqual([
      "2:1 warning docstring.missing",
      "5:1 warning docstring.missing",
      "6:3 warning docstring.missing",
    ]);
  });

  test("of everything, as an error", async () => {
    const found = await findingsOn(
      source,
      `${PERMISSIVE}docstrings: {required: all, severity: error}`,
    );
    expect(found).toHaveLength(8);
    expect(new Set(found.map((each) => each.split(" ").slice(1).join(" ")))).toEqual(
      new Set(["error docstring.missing"]),
    );
  });
});

describe("tools", () => {
  test.each<Case>([
    ["without a docstring", "def a(): pass\ndef b(): 'b'", "1:1 info tool.undescribed"],
    ["with an empty one", "def a(): ''", "1:1 info tool.undescribed"],
    ["not what is no tool", "def _a(): pass\nclass B:\n  def c(self): pass"],
    [
      "only what is decorated, where something is",
      "@mcp.tool\ndef a(): pass\ndef b(): pass",
      "2:1 info tool.undescribed",
    ],
    ["not what its decorator describes", "@mcp.tool(description=D)\ndef a(): pass"],
    [
      "not what is described where it is registered",
      "import mcp\ndef a(): pass\nserver.add_tool(a, description='a')",
    ],
  ])("%s", async (_, source, ...expected) => {
    const found = await allFindingsOn(source);
    expect(found.filter((each) => each.includes(" tool."))).toEqual(expected);
  });
});

describe("signatures", () => {
  const policy = `${PERMISSIVE}
signatures:
  - name: main
    parameters: [argv, "*rest", {name: flag, annotation: "bool | None"}]
    returns: int
    is_async: false
`;

  test.each<Case>([
    ["as asked for", "def main(argv, *rest, flag: bool|None = None) -> int: pass"],
    [
      "the last one stands",
      "def main(): pass\ndef main(argv, *rest, flag: bool | None) -> int: pass",
    ],
    ["missing", "def other(): pass", "error signature.missing"],
    ["only a method", "class A:\n  def main(self): pass", "error signature.missing"],
    [
      "other names",
      "def main(args, *rest, flag: bool | None) -> int: pass",
      "1:1 error signature.mismatch",
    ],
    [
      "other kinds",
      "def main(argv, rest, flag: bool | None) -> int: pass",
      "1:1 error signature.mismatch",
    ],
    [
      "another type",
      "def main(argv, *rest, flag: bool) -> int: pass",
      "1:1 error signature.mismatch",
    ],
    [
      "no return type, and async",
      "async def main(argv, *rest, flag: bool | None): pass",
      "1:1 error signature.mismatch",
      "1:1 error signature.mismatch",
    ],
  ])("%s", async (_, source, ...expected) => {
    expect(await findingsOn(source, policy)).toEqual(expected);
  });
});
