import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { analysisReport, type AnalysisReport } from "@sluice/contracts";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { decodeSource } from "../src/decode.js";
import { DEFAULT_POLICY } from "../src/policy/default.js";
import { parsePolicy, policyVersion, type Policy } from "../src/policy/schema.js";
import { buildReport, REPORT_LIMITS } from "../src/report.js";
import { parseModule } from "../src/structure/parse.js";
import type { CompileVerdict } from "../src/verdict/types.js";

vi.setConfig({ testTimeout: 60_000 });

const COMPILES: CompileVerdict = { valid: true, error: null, killed: null };

async function report(
  source: string | Uint8Array,
  policy: Policy = DEFAULT_POLICY,
  verdict: CompileVerdict = COMPILES,
): Promise<AnalysisReport> {
  const bytes = typeof source === "string" ? Buffer.from(source) : source;
  const decoded = decodeSource(bytes);
  const parsed =
    decoded.ok && verdict.valid && !verdict.killed ? await parseModule(decoded.text) : undefined;
  return buildReport({ source: bytes, decoded, verdict, parsed, policy });
}

describe("the verdict", () => {
  const strict = parsePolicy(`
name: strict
version: 1
capabilities: {default: allowed, needs_approval: [filesystem.*], refused: [process.*]}
imports: {default: allowed, needs_approval: [numpy]}
limits: {max_bytes: 1000, max_lines: {limit: 5, severity: error}}
`);

  test.each([
    ["", "allowed"],
    ["x = 1", "allowed"],
    ["import hashlib\nhashlib.sha256(b'')", "allowed"],
    ["open('x')", "needs_approval"],
    ["import numpy", "needs_approval"],
    ["import os\nos.system('x')", "refused"],
    ["import os\nopen('x')\nos.system('x')", "refused"],
    ["\n".repeat(6), "refused"],
    ["#".repeat(1001), "refused"],
  ])("on %.40j is %s", async (source, expected) => {
    const { verdict, findings } = await report(source, strict);
    expect(verdict).toBe(expected);
    const hasErrors = findings.some(({ severity }) => severity === "error");
    expect(hasErrors).toBe(expected === "refused");
  });

  test("by the default policy waits for approval, and never refuses", async () => {
    const source = "import os, ctypes, unheard_of\nexec(input())\nos.remove(ctypes.cdll)\nf(os)\n";
    const { verdict, capabilities } = await report(source);
    expect(verdict).toBe("needs_approval");
    expect(capabilities.map(({ capability, decision }) => [capability, decision])).toEqual([
      ["filesystem.delete", "needs_approval"],
      ["code.execute", "needs_approval"],
      ["native.load", "needs_approval"],
      ["device", "needs_approval"],
      ["unresolved", "needs_approval"],
    ]);
  });

  test("names the policy by its content", async () => {
    expect((await report("")).policy).toEqual({
      name: "default",
      version: policyVersion(DEFAULT_POLICY),
    });
  });

  test("a refused capability is an error where it is first used", async () => {
    const { findings } = await report("import os\n\nos.system('x')\nos.system('y')\n", strict);
    expect(findings.filter(({ severity }) => severity === "error")).toMatchObject([
      { rule: "capability.refused", line: 3, column: 1, end_line: 3, end_column: 10, cwe: 250 },
    ]);
  });
});

describe("what is not Python", () => {
  const error = { type: "SyntaxError", message: "invalid syntax", line: 3, column: 4 };

  test("has its error and nothing else", async () => {
    const found = await report("def", DEFAULT_POLICY, { valid: false, error, killed: null });
    expect(found).toMatchObject({
      verdict: "invalid",
      syntax: { valid: false, error },
      findings: [
        {
          rule: "syntax.error",
          severity: "error",
          message: "SyntaxError: invalid syntax",
          line: 3,
          column: 4,
        },
      ],
      capabilities: [],
      complexity: null,
    });
    expect(found.findings).toHaveLength(1);
  });

  test("an encoding that is not accepted", async () => {
    const found = await report("# coding: utf-7\n", DEFAULT_POLICY);
    expect(found).toMatchObject({
      verdict: "invalid",
      syntax: { valid: false },
      findings: [{ rule: "source.encoding", cwe: 838 }],
    });
  });

  // CPython before 3.14 compiles them.
  test("bytes in a comment that are no UTF-8, whatever the Python", async () => {
    const found = await report(Buffer.from("x = 1  # \xff\n", "latin1"));
    expect(found).toMatchObject({
      verdict: "invalid",
      syntax: { valid: false, error: { line: 1, column: 10 } },
      findings: [{ rule: "source.encoding", line: 1, column: 10 }],
    });
  });

  test("say whose verdict it is", () => {
    const source = Buffer.from("x = 1\n");
    const python = { path: "/python", version: "3.9.1", analyserVersion: "1+cpython3.9.1" };
    const input = { source, decoded: decodeSource(source), verdict: COMPILES, parsed: undefined };
    expect(buildReport({ ...input, policy: DEFAULT_POLICY, python })).toMatchObject({
      analyser_version: "1+cpython3.9.1",
      python_version: "3.9.1",
    });
  });

  test.each([
    ["3.9.1", "<3.13", []],
    ["3.9.1", ">=3.10", ["the script requires Python >=3.10, but was judged by Python 3.9.1"]],
    ["3.13.0+", "==3.13.*", []],
    ["3.15.0b1", ">=3.15", []],
  ])("compare %s, whose verdict it is, to %s", async (version, wanted, messages) => {
    const source = Buffer.from(`# /// script\n# requires-python = "${wanted}"\n# ///\n`);
    const python = { path: "/python", version, analyserVersion: `1+cpython${version}` };
    const parsed = await parseModule(String(source));
    const input = { source, decoded: decodeSource(source), verdict: COMPILES, parsed };
    const { findings } = buildReport({ ...input, policy: DEFAULT_POLICY, python });
    const told = findings.filter(({ rule }) => rule === "python.version");
    expect(told.map(({ message }) => message)).toEqual(messages);
  });

  test("bytes that are no text", async () => {
    const found = await report(Buffer.from([0x78, 0xff]), DEFAULT_POLICY, {
      valid: false,
      error: null,
      killed: null,
    });
    expect(found).toMatchObject({ verdict: "invalid", findings: [{ rule: "syntax.error" }] });
  });

  test.each([
    ["timeout", false],
    ["memory", false],
    ["trap", true],
  ] as const)("killed by %s, valid: %s", async (killed, valid) => {
    const found = await report("x", DEFAULT_POLICY, { valid, error: null, killed });
    expect(found).toMatchObject({
      verdict: "invalid",
      syntax: { valid },
      findings: [{ rule: "syntax.parser-killed", severity: "error" }],
    });
    expect(found.syntax.error === null).toBe(valid);
  });

  test("control characters of an error message are told, not sent", async () => {
    const hostile = { ...error, message: "invalid character '\u202e\u001b[8m'" };
    const { findings } = await report("x", DEFAULT_POLICY, {
      valid: false,
      error: hostile,
      killed: null,
    });
    expect(findings[0]?.message).toBe("SyntaxError: invalid character '\\u{202e}\\u{1b}[8m'");
  });

  test("a structure that could not be read", () => {
    const source = Buffer.from("x");
    const found = buildReport({
      source,
      decoded: decodeSource(source),
      verdict: COMPILES,
      parsed: undefined,
      policy: DEFAULT_POLICY,
    });
    expect(found).toMatchObject({
      verdict: "invalid",
      findings: [{ rule: "syntax.parser-killed" }],
    });
  });
});

describe("a report stays small", () => {
  test("however often something is used", async () => {
    const source = "import os\n" + "os.system(x); eval(x)\n".repeat(2_000);
    const found = await report(source);
    const uses = found.capabilities.map((each) => each.uses.length);
    expect(uses).toEqual([REPORT_LIMITS.usesPerCapability, REPORT_LIMITS.usesPerCapability]);
    const truncated = found.findings.filter(({ rule }) => rule === "report.truncated");
    expect(truncated.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^\d+ more findings are not listed$/),
      "1900 more uses of code.execute are not listed",
      "1900 more uses of process.spawn are not listed",
    ]);
    expect(JSON.stringify(found).length).toBeLessThan(200_000);
  });

  test("whatever the names and strings", async () => {
    const long = "a".repeat(50_000);
    const source = `import ${long}\nimport os as ${long}b\n${long}b.system("${long}")\ngetattr(${long}b, "${long}")\ndef ${long}(): eval(${long})\n`;
    const found = await report(
      source,
      parsePolicy("name: a\nversion: 1\ndocstrings: {required: all}"),
    );
    expect(found.findings.length).toBeGreaterThan(2);
    expect(JSON.stringify(found).length).toBeLessThan(10_000);
  });

  test("errors come before what only warns", async () => {
    const imports = Array.from({ length: 90 }, (_, i) => `import m${i}`);
    const kinds = [
      "eval(x)",
      "import tempfile; tempfile.mktemp()",
      "import pickle; pickle.loads(x)",
      "'\u200b'",
      "'\u001b'",
      "'\u202e'",
    ];
    const source = [
      ...kinds.flatMap((kind) => Array.from({ length: 150 }, () => kind)),
      ...imports,
    ].join("\n");
    const refusing = parsePolicy("name: a\nversion: 1\nimports: {default: refused}");
    const { findings } = await report(source, refusing);
    expect(findings).toHaveLength(REPORT_LIMITS.findings + 1);
    expect(findings.filter(({ severity }) => severity === "error")).toHaveLength(90);
  });
});

describe("imports", () => {
  const policy = parsePolicy(`
name: a
version: 1
imports: {default: needs_approval, stdlib: allowed, allowed: [numpy], refused: [pickle]}
`);
  const BLOCK = "# /// script\n# dependencies = ['requests>=2']\n# ///\n";

  test("are listed where they first are, with what is known of them", async () => {
    const source = `${BLOCK}import os, requests\nimport numpy.linalg\nimport os\nfrom . import a\nimport imp, yaml\nimport pickle\n`;
    const { imports } = await report(source, policy);
    expect(
      imports.map((each) => [
        `${each.line}:${each.column} ${each.module}`,
        each.origin,
        each.distribution,
        each.decision,
      ]),
    ).toEqual([
      ["4:8 os", "standard_library", null, "allowed"],
      ["4:12 requests", "declared", "requests", "needs_approval"],
      ["5:8 numpy.linalg", "allow_listed", "numpy", "allowed"],
      ["7:6 .", "relative", null, "needs_approval"],
      ["8:8 imp", "removed", null, "needs_approval"],
      ["8:13 yaml", "unknown", "pyyaml", "needs_approval"],
      ["9:8 pickle", "standard_library", null, "refused"],
    ]);
  });

  test("are not listed without end, and those that are allowed go first", async () => {
    const names = Array.from({ length: 600 }, (_, i) => `numpy.a${i}`);
    const { imports, findings } = await report(`import ${names.join()}, x, pickle\n`, policy);
    expect(imports).toHaveLength(REPORT_LIMITS.imports);
    expect(imports.slice(-2).map(({ module }) => module)).toEqual(["x", "pickle"]);
    expect(findings.map(({ message }) => message)).toContain("102 more imports are not listed");
  });

  test("of long names are cut short", async () => {
    const { imports } = await report(`import ${"a".repeat(100_000)}\n`, policy);
    expect(JSON.stringify(imports).length).toBeLessThan(1_000);
  });
});

const TOKENS = [
  ..."import from as os sys subprocess getattr eval exec open __import__ def class lambda return yield async await for in if else".split(
    " ",
  ),
  ..."while try except finally with match case del global nonlocal pass not and or is None True x y z self * ** ( ) [ ] { } , : .".split(
    " ",
  ),
  ..."= := += -> @ ; == + / 'a' \"system\" f'{x}' b'' 1 0o7 ... # \\ \n".split(" "),
  "\n",
  "\n    ",
  "\n        ",
  "\t",
  "ｅｖａｌ",
  "\u202e",
  "😀",
];

describe("whatever the tokens", () => {
  const soup = fc
    .array(fc.constantFrom(...TOKENS), { maxLength: 200 })
    .map((tokens) => tokens.join(" "));
  const policy = parsePolicy(`
name: everything
version: 1
docstrings: {required: all}
limits: {max_lines: 1, max_functions: 0, max_nesting: 0, max_mccabe: 0, max_cognitive: 0}
signatures: [{name: x, parameters: [y], returns: z}]
`);

  test("there is a report, small, in order and the same each time", async () => {
    await fc.assert(
      fc.asyncProperty(soup, async (source) => {
        const found = await report(source, policy);
        expect(analysisReport.safeParse(found).error).toBeUndefined();
        expect(JSON.stringify(found).length).toBeLessThan(400_000);
        expect(await report(source, policy)).toEqual(found);
        const lines = found.findings.map(({ line }) => line ?? 0);
        expect(lines).toEqual(lines.toSorted((a, b) => a - b));
        for (const { uses } of found.capabilities) {
          const places = uses.map(({ line, column }) => line * 1e6 + column);
          expect(places).toEqual(places.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 100, examples: [["{ import }"]] },
    );
  });

  test("there is one on any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
        expect(analysisReport.safeParse(await report(bytes)).error).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });
});

describe("the time it takes is linear", () => {
  const many = (count: number, line: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i)).join("\n");

  // Each of these would take minutes or overflow the stack if a step looked at all of the script.
  test.each([
    ["a long chain of attributes", `import os\nos${".path".repeat(10_000)}`],
    ["a long sum", `x = ${"'a' + ".repeat(10_000)}'b'`],
    [
      "names bound in the order that is worst",
      `${many(5_000, (i) => `a${i} = a${i + 1}`)}\nimport os\na5000 = os\na0.system(1)`,
    ],
    [
      "many functions of one name",
      `import os\n${many(2_000, () => "def f(m): m.system(1)")}\n${many(2_000, () => "x.f(os)")}`,
    ],
    [
      "many strings put together",
      `import os\n${many(2_000, (i) => `x = "s${i}"\ny = x + "t"\ngetattr(os, x + y)`)}`,
    ],
    [
      "many containers in one name",
      `import os\n${many(2_000, (i) => `x = [os, x, ${i}]`)}\nx[0].system(1)`,
    ],
    ["many modules in one name", many(2_000, (i) => `import m${i}\nx = m${i}\nx.system`)],
  ])("on %s", async (_, source) => {
    expect((await report(source)).verdict).not.toBe("invalid");
  });

  test("modules that are lost among many are not passed over", async () => {
    const source = `import os\n${many(100, (i) => `import m${i}\nx = m${i}`)}\nx = os\nx.system(1)\n`;
    const { capabilities } = await report(source);
    expect(capabilities.map(({ capability }) => capability)).toEqual(["unresolved"]);
  });
});

function standardLibrary(): string | null {
  try {
    const code = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    const path = execFileSync("python3", ["-c", code], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    return existsSync(join(path, "os.py")) ? path : null;
  } catch {
    return null;
  }
}

const library = standardLibrary();

describe(`the standard library of this machine${library ? "" : " (NOT CHECKED: there is no python3)"}`, () => {
  const files = library === null ? [] : readdirSync(library).filter((name) => name.endsWith(".py"));

  test.skipIf(library === null)("is never refused or invalid by the default policy", async () => {
    for (const name of files.filter((_, i) => i % 10 === 0)) {
      const { verdict, findings } = await report(readFileSync(join(library!, name)));
      const errors = findings.filter(
        ({ severity }) => severity === "error" || severity === "warning",
      );
      expect(["allowed", "needs_approval"], `${name}: ${JSON.stringify(errors)}`).toContain(
        verdict,
      );
    }
  });

  test.skipIf(library === null).each([
    ["textwrap.py", []],
    ["string.py", []],
    ["json/__init__.py", []],
    ["json/decoder.py", []],
    ["json/encoder.py", []],
    ["bisect.py", []],
    ["fractions.py", []],
    ["statistics.py", []],
    ["graphlib.py", []],
    ["fnmatch.py", []],
    ["html/parser.py", []],
    ["ipaddress.py", []],
    ["keyword.py", []],
    ["pprint.py", []],
    ["colorsys.py", []],
    ["csv.py", []],
    ["abc.py", []],
    ["datetime.py", []],
    ["base64.py", ["data.codec", "device", "filesystem.read"]],
    ["dataclasses.py", ["code.execute", "code.import", "code.reflect"]],
    ["shutil.py", ["filesystem.delete", "filesystem.read", "filesystem.write"]],
    ["subprocess.py", ["process.spawn"]],
  ] as const)("%s can do what it does", async (name, expected) => {
    const path = join(library!, name);
    if (!existsSync(path)) return;
    const { capabilities } = await report(readFileSync(path));
    const names = capabilities.map(({ capability }) => capability);
    if (expected.length === 0) expect(names).toEqual([]);
    else expect(names).toEqual(expect.arrayContaining([...expected]));
  });
});
