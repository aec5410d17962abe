import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { measureComplexity } from "../../src/complexity.js";
import { decodeSource } from "../../src/decode.js";
import { extractMetadata } from "../../src/metadata.js";
import { DEFAULT_POLICY } from "../../src/policy/default.js";
import { buildReport } from "../../src/report.js";
import { readStructure } from "../../src/structure/facts.js";
import { collectImports } from "../../src/structure/imports.js";
import { parseModule } from "../../src/structure/parse.js";

// Reading the table of character names takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const FIXTURES = new URL("../fixtures/structure/", import.meta.url);
const scripts = readdirSync(FIXTURES)
  .filter((name) => name.endsWith(".py"))
  .map((name) => readFileSync(new URL(name, FIXTURES), "utf8"));

async function readAll(text: string): Promise<void> {
  const parsed = await parseModule(text);
  const lines = text.split("\n").length;
  const { functions, classes } = readStructure(parsed);
  const definitions = [...functions, ...classes];
  expect(
    definitions.every(
      ({ line_number: start, end_line_number: end }) => start <= end && end <= lines,
    ),
  ).toBe(true);
  expect(measureComplexity(parsed).functions).toHaveLength(functions.length);
  expect(collectImports(parsed).every(({ position }) => position.line <= lines)).toBe(true);
}

test("scripts with a piece cut out are read without a throw", async () => {
  const cut = fc
    .tuple(fc.constantFrom(...scripts), fc.nat(), fc.nat(400))
    .map(
      ([text, at, length]) =>
        text.slice(0, at % (text.length + 1)) + text.slice((at % (text.length + 1)) + length),
    );
  await fc.assert(fc.asyncProperty(cut, readAll), { numRuns: 60 });
});

test("pieces of Python in any order are read without a throw", async () => {
  const pieces = [
    "def ",
    "f",
    "class ",
    "async ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    "\n",
    "    ",
    "  ",
    "\t",
    "'",
    '"',
    '"""',
    "f'",
    "rb'",
    "\\",
    "\\\n",
    "#",
    "# /// script\n",
    "# ///\n",
    "import ",
    "from ",
    ".",
    "..",
    "*",
    "**",
    "=",
    ":=",
    "->",
    "@",
    "if ",
    "else:",
    "try:",
    "except* ",
    "finally:",
    "match ",
    "case ",
    "lambda ",
    "type ",
    "global ",
    "print ",
    "exec ",
    "😀",
    "\ud800",
    "\0",
    "\f",
    "é",
    "\\N{",
    "}",
    "1",
    "x",
    ";",
    "/",
    "TYPE_CHECKING",
    "__future__",
  ];
  const text = fc
    .array(fc.constantFrom(...pieces), { maxLength: 60 })
    .map((parts) => parts.join(""));
  await fc.assert(fc.asyncProperty(text, readAll), { numRuns: 500 });
});

test.each([
  ["statements", "x = 1\n".repeat(20_000)],
  ["ifs", "if x: pass\n".repeat(5_000)],
  ["elifs", `if x: pass\n${"elif x: pass\n".repeat(10_000)}`],
  ["imports on one line", "import a;".repeat(5_000)],
  ["functions on one line each", "def f(): 'x'\n".repeat(2_000)],
  ["parameters", `def f(${Array.from({ length: 20_000 }, (_, i) => `p${i}`).join(",")}): pass`],
  ["decorators", `${"@d\n".repeat(10_000)}def f(): pass`],
  ["operands", `x = ${"1+".repeat(20_000)}1`],
  ["attributes", `x = a${".b".repeat(20_000)}`],
  [
    "blocks inside each other",
    Array.from({ length: 99 }, (_, i) => `${" ".repeat(i)}if x:\n`).join("") +
      `${" ".repeat(99)}def f(): pass`,
  ],
  ["lines of one string", `"""${"a\n".repeat(100_000)}"""`],
  ["adjacent strings", `x = (${"'a' ".repeat(20_000)})`],
  ["brackets that are never closed", "[".repeat(20_000)],
  ["comments", "# c\n".repeat(20_000)],
])("a great many %s are read", async (_, text) => {
  await readAll(text);
});

const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => `${line(i)}\n`).join("");
const list = (count: number, item: string) =>
  Array.from({ length: count }, (_, i) => `${item}${i}`).join(", ");
const script = (declared: string, code: string) =>
  `# /// script\n# dependencies = [\n${declared}# ]\n# ///\n${code}`;

// Each would take minutes, or more memory than there is, if the time grew with the square of the length.
test.each([
  [
    "imports of what is not declared",
    script(
      lines(20_000, (i) => `#   "a${i}",`),
      lines(20_000, (i) => `import b${i}`),
    ),
  ],
  [
    "requirements that nobody can read",
    script(
      lines(60_000, (i) => `#   "!${i}",`),
      "",
    ),
  ],
  [
    "parts of a module's name",
    `import ${"a.".repeat(100_000)}a\nfrom ${"b.".repeat(100_000)}b import c\n`,
  ],
  [
    "star imports and names",
    lines(20_000, () => "from os import *") + lines(20_000, (i) => `x${i}`),
  ],
  [
    "star imports of nobody's",
    lines(20_000, (i) => `from m${i} import *`) + lines(20_000, (i) => `x${i}`),
  ],
  ["subjects and captures", `match ${list(10_000, "x")}:\n case ${list(10_000, "y")}: pass\n`],
  ["subjects and cases", `match ${list(10_000, "x")}:\n${lines(10_000, () => " case y: pass")}`],
  [
    "arguments spread over parameters",
    `def f(${list(10_000, "x")}): pass\nf(${list(10_000, "*y")})\n`,
  ],
  ["calls that spread", `def f(${list(10_000, "x")}): pass\n${lines(10_000, () => "f(*y)")}`],
  [
    "initialisers and calls",
    `class A:\n${lines(10_000, () => " def __init__(self, x): pass")}${lines(10_000, () => "A(y)")}`,
  ],
  ["types in a union", `def f(x: ${"int | ".repeat(100_000)}str): pass`],
  ["runs of blanks", `x;${`${" ".repeat(200)}\f`.repeat(20_000)}y`],
])("a great many %s are judged and described", async (_, text) => {
  const source = Buffer.from(text);
  const decoded = decodeSource(source);
  const parsed = await parseModule(text);
  const verdict = { valid: true, error: null, killed: null };
  const report = buildReport({ source, decoded, verdict, parsed, policy: DEFAULT_POLICY });
  expect(report.verdict).not.toBe("invalid");
  expect(extractMetadata(parsed).python_version).toBe(report.python_version);
});

const many = (number: number, text: string) => text.repeat(number);
const LONG = "a".repeat(100_000);

test.each([
  ["parameters", many(20_000, "def f(a,b,c,d,e):0\n")],
  ["methods of a long name", `class ${LONG}:\n${many(2_000, " def f():0\n")}`],
  ["classes in a long name", `def ${LONG}():\n${many(2_000, " class f:0\n")}`],
  ["long names to import", many(100, `import ${LONG} as ${LONG}\n`)],
])("%s do not make the facts much longer than a script may be", async (_, script) => {
  const { functions, classes, import_details: details } = readStructure(await parseModule(script));
  for (const facts of [functions, classes, details])
    expect(JSON.stringify(facts).length).toBeLessThan(16_800_000);
  expect(functions.length + classes.length + details.length).toBeGreaterThan(50);
});

test("facts that were too many are told of", async () => {
  const { functions, truncated } = readStructure(
    await parseModule(many(60_000, "def f(a,b,c,d,e):0\n")),
  );
  expect(functions.length).toBeLessThan(60_000);
  expect(truncated).toEqual(["functions"]);
});
