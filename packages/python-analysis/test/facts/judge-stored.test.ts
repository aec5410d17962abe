/** Another policy judges what was stored of a script as if it had been there from the beginning. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeSource } from "../../src/decode.js";
import { collectFacts } from "../../src/facts/collect.js";
import { FACT_LIMITS, type ScriptFacts } from "../../src/facts/script-facts.js";
import { DEFAULT_POLICY } from "../../src/policy/default.js";
import { judge } from "../../src/policy/judge.js";
import { parsePolicy } from "../../src/policy/schema.js";
import { buildReport } from "../../src/report.js";
import { parseModule } from "../../src/structure/parse.js";

async function inputOf(source: string, valid = true) {
  const bytes = Buffer.from(source);
  const decoded = decodeSource(bytes);
  const verdict = { valid, error: null, killed: null };
  const parsed = decoded.ok && valid ? await parseModule(decoded.text) : undefined;
  return { source: bytes, decoded, verdict, parsed };
}

const factsOf = async (source: string) => collectFacts(await inputOf(source));
const stored = (facts: ScriptFacts): ScriptFacts => JSON.parse(JSON.stringify(facts));
const rulesOf = (facts: ScriptFacts, policy: string) =>
  judge(facts, parsePolicy(`name: a\nversion: 1\n${policy}`)).findings.map(
    ({ rule, severity, line, message }) => `${severity} ${rule} ${line} ${message}`,
  );

const LINES = [
  "import os, sys as s",
  "import numpy.linalg, yaml",
  "from . import near",
  "from os import path",
  "# /// script\n# dependencies = ['requests', 'numpy']\n# ///",
  "os.system('ls')",
  "open('x', 'w').write(eval(y))",
  "getattr(os, name)()",
  "def main(argv, verbose: bool = False) -> int:\n    if argv:\n        for a in argv:\n            pass\n    return 0",
  "async def _private(*rest, **named): ...",
  "class Tool:\n    def run(self, path: 'str') -> None:\n        '''Run.'''\n        def inner(): pass",
  "if x:\n    while y:\n        pass",
  "'\u202e'; ｅｖａｌ(x)",
  "x = '\ud800'",
  "def twice(): pass",
  "def twice(a): pass",
];
const POLICIES = [
  "imports: {default: refused, stdlib: needs_approval, allowed: [numpy, '.']}",
  "imports: {undeclared: error}\nlimits: {max_bytes: 20, max_lines: {limit: 2, severity: error}}",
  "limits: {max_functions: 0, max_nesting: 0, max_mccabe: 0, max_cognitive: 0}",
  "docstrings: {required: all}",
  "docstrings: {required: public, severity: error}\ncapabilities: {default: allowed}",
  "capabilities: {default: allowed, refused: [process.*], needs_approval: [unresolved]}",
  "signatures: [{name: main, parameters: [argv, {name: verbose, annotation: bool}], returns: int}, {name: twice, parameters: []}, {name: Tool.run, returns: str, is_async: true}]",
].map((text) => parsePolicy(`name: a\nversion: 1\n${text}`));

test("stored facts are judged as the script itself is, by any policy", async () => {
  const sources = fc
    .array(fc.constantFrom(...LINES), { maxLength: 12 })
    .map((lines) => lines.join("\n"));
  await fc.assert(
    fc.asyncProperty(sources, fc.boolean(), async (source, valid) => {
      const input = await inputOf(source, valid);
      const facts = stored(collectFacts(input));
      for (const policy of [DEFAULT_POLICY, ...POLICIES])
        expect(judge(facts, policy)).toEqual(buildReport({ ...input, policy }));
    }),
    { numRuns: 150 },
  );
});

test("each part of a policy finds what it asks for in the facts", async () => {
  const facts = stored(await factsOf(LINES.join("\n")));
  const verdicts = POLICIES.map((policy) => judge(facts, policy).verdict);
  expect(verdicts).toEqual([
    "refused",
    "refused",
    "needs_approval",
    "needs_approval",
    "refused",
    "refused",
    "refused",
  ]);
  expect(rulesOf(facts, "signatures: [{name: twice, parameters: [a]}]")).not.toContainEqual(
    expect.stringContaining("signature"),
  );
});

test("an invalid script is so under any policy, whatever its size", async () => {
  const facts = stored(collectFacts(await inputOf("def", false)));
  for (const policy of POLICIES) expect(judge(facts, policy).verdict).toBe("invalid");
});

describe("facts stay small, and what is left out counts against the script", () => {
  test("imports", async () => {
    const modules = Array.from({ length: FACT_LIMITS.imports + 5 }, (_, i) => `m${i}`);
    const facts = stored(await factsOf(`import ${modules.join()}`));
    expect(facts.structure?.imports.modules).toHaveLength(FACT_LIMITS.imports);
    const verdict = (imports: string) =>
      judge(facts, parsePolicy(`name: a\nversion: 1\nimports: ${imports}`)).verdict;
    expect(verdict("{default: allowed}")).toBe("allowed");
    expect(verdict("{default: allowed, needs_approval: [other]}")).toBe("needs_approval");
    expect(verdict("{default: allowed, refused: [other]}")).toBe("refused");
    expect(rulesOf(facts, "imports: {default: allowed, refused: [other]}")).toContainEqual(
      "error imports.not-allowed null more than 2000 modules are imported; the import of 5 more is refused",
    );
  });

  test("a module's name, of which a policy may name what stands before the cut", async () => {
    const long = Array.from({ length: 300 }, () => "ab").join(".");
    const facts = stored(await factsOf(`import ${long}`));
    expect(JSON.stringify(facts).length).toBeLessThan(2_000);
    const named = long.slice(0, 200).replace(/\.$/, "");
    expect(rulesOf(facts, `imports: {default: allowed, refused: [${named}]}`)[0]).toMatch(
      /^error imports.not-allowed 1/,
    );
  });

  test("functions", async () => {
    const simple = Array.from({ length: 1_100 }, (_, i) => `def f${i}(): pass`);
    const nested = "def deep(x):\n if x:\n  if x:\n   if x:\n    pass";
    const facts = stored(await factsOf([...simple, nested].join("\n")));
    expect(JSON.stringify(facts).length).toBeLessThan(300_000);
    const deep = `error complexity.mccabe ${simple.length + 1} \`deep\` has a complexity of 4, where the limit is 3`;
    expect(rulesOf(facts, "limits: {max_mccabe: {limit: 3, severity: error}}")).toContainEqual(
      deep,
    );
    expect(rulesOf(facts, "limits: {max_mccabe: {limit: 0, severity: error}}")).toContainEqual(
      "error complexity.mccabe null 101 more functions have a complexity of up to 1, where the limit is 0",
    );
    expect(rulesOf(facts, "docstrings: {required: public}")).toContainEqual(
      "warning docstring.missing null 1001 more functions and classes have no docstring",
    );
    expect(rulesOf(facts, "signatures: [{name: deep, parameters: [x]}]")).toContainEqual(
      "error signature.missing null the policy asks for a function `deep`, and not all of the script's could be looked at",
    );
  });

  test("parameters and annotations", async () => {
    const many = Array.from({ length: 50_000 }, (_, i) => `parameter${i}`).join();
    const facts = stored(await factsOf(`def main(${many}): pass\ndef other(a): pass`));
    expect(JSON.stringify(facts).length).toBeLessThan(10_000);
    expect(rulesOf(facts, "signatures: [{name: main}, {name: other, parameters: [a]}]")).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^error signature.missing null .*`main`, and/),
      ]),
    );
  });
});
