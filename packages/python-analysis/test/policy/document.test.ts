import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decideCapability, decideImport } from "../../src/policy/decide.js";
import { DEFAULT_POLICY, DEFAULT_POLICY_DOCUMENT } from "../../src/policy/default.js";
import { parsePolicyDocument, policiesOf, policyFor } from "../../src/policy/document.js";
import { PolicyError } from "@sluice/policy-documents";
import { policyVersion } from "../../src/policy/schema.js";

const HEAD = "name: a\nversion: 1\n";

function problemsOf(text: string): readonly string[] {
  try {
    parsePolicyDocument(text);
  } catch (error) {
    if (error instanceof PolicyError)
      return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

const DOCUMENT = parsePolicyDocument(
  `${HEAD}
capabilities: {default: needs_approval, allowed: [filesystem.read], refused: [process.*]}
imports: {allowed: [numpy, yaml, requests], needs_approval: [boto3]}
limits: {max_lines: {limit: 10, severity: error}}
docstrings: {required: public, severity: error}
signatures: [main]
namespaces:
  team/tools/*: {limits: {max_lines: 99, max_mccabe: {severity: error}}}
  team/*:
    capabilities: {allowed: [process.spawn]}
    imports: {allowed: {add: [boto3], remove: [requests]}}
  "*": {docstrings: {required: none}}
  team/tools/one: {signatures: [], limits: {max_lines: null}, imports: {refused: [numpy]}}
`.replace("signatures: [main]", "signatures: [{name: main}]"),
);
const at = (namespace: string) => policyFor(DOCUMENT, namespace);

describe("the policy of a namespace", () => {
  test.each([
    ["other", "none", 10, 1],
    ["team", "none", 10, 1],
    ["team/x", "none", 10, 1],
    ["team/x/y", "none", 10, 1],
    ["team/tools", "none", 10, 1],
    ["team/tools/two", "none", 99, 1],
    ["team/tools/one", "none", null, 0],
    ["team/tools/one/below", "none", 99, 1],
    ["teams/x", "none", 10, 1],
  ] as const)("%s", (namespace, required, lines, signatures) => {
    const policy = at(namespace);
    expect(policy.docstrings.required).toBe(required);
    expect(policy.limits.max_lines.limit).toBe(lines);
    expect(policy.signatures).toHaveLength(signatures);
  });

  test("keeps of a part what the override does not say", () => {
    const { limits, docstrings, imports } = at("team/tools/one");
    expect(limits.max_lines).toEqual({ limit: null, severity: "error" });
    expect(limits.max_mccabe).toEqual({ limit: 20, severity: "error" });
    expect(docstrings.severity).toBe("error");
    expect(imports.default).toBe("needs_approval");
  });

  test("has a list in place of another, or one that is added to and taken from", () => {
    expect(at("team").capabilities.allowed).toEqual(["filesystem.read"]);
    expect(at("team/x").capabilities.allowed).toEqual(["process.spawn"]);
    expect(at("team/x").imports.allowed).toEqual(["numpy", "yaml", "boto3"]);
  });

  test("decides on a name as the most special override does that lists it", () => {
    expect(decideCapability("process.spawn", at("team"))).toBe("refused");
    expect(decideCapability("process.spawn", at("team/x"))).toBe("allowed");
    expect(decideImport("boto3", false, at("team"))).toBe("needs_approval");
    expect(decideImport("boto3", false, at("team/x"))).toBe("allowed");
    expect(decideImport("numpy", false, at("team/tools/one"))).toBe("refused");
    expect(at("team/tools/one").imports.allowed).toEqual(["yaml", "boto3"]);
  });

  test("is the same one, with the same version, wherever it is the same", () => {
    expect(at("team/x")).toBe(at("team/y/z"));
    expect(policyVersion(at("team"))).toBe(policyVersion(at("other")));
    expect(new Set(policiesOf(DOCUMENT).map(policyVersion)).size).toBe(5);
  });

  test("is the document's own where it names none", () => {
    expect(policyFor(DEFAULT_POLICY_DOCUMENT, "any")).toBe(DEFAULT_POLICY);
    expect(DEFAULT_POLICY_DOCUMENT.version).toBe(policyVersion(DEFAULT_POLICY));
  });

  test("has an order of its own, whatever that of the document", () => {
    const one = parsePolicyDocument(
      `${HEAD}namespaces: {a/*: {limits: {max_lines: 1}}, a/b/*: {limits: {max_lines: 2}}}`,
    );
    const other = parsePolicyDocument(
      `${HEAD}namespaces: {a/b/*: {limits: {max_lines: 2}}, a/*: {limits: {max_lines: 1}}}`,
    );
    expect(policyFor(one, "a/b/c").limits.max_lines.limit).toBe(2);
    expect(one.version).toBe(other.version);
  });
});

test("the example of the documentation is a policy", () => {
  const page = readFileSync(new URL("../../../../docs/policy.md", import.meta.url), "utf8");
  const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? "";
  const document = parsePolicyDocument(example);
  expect(document.overrides.map(({ pattern }) => pattern)).toEqual([
    "research/*",
    "research/nightly",
  ]);
  const { imports, capabilities, limits } = policyFor(document, "research/nightly");
  expect(imports.allowed).toEqual(["numpy", ".", "torch"]);
  expect(capabilities.refused).toEqual(["native.load"]);
  expect(limits.max_mccabe).toEqual({ limit: null, severity: "error" });
});

test("a document has another version with anything else that it says", () => {
  const versions = [
    "",
    "namespaces: {a: {}}",
    "namespaces: {a: {limits: {max_lines: 1}}}",
    "namespaces: {b: {limits: {max_lines: 1}}}",
    "limits: {max_lines: 1}",
  ].map((text) => parsePolicyDocument(HEAD + text).version);
  expect(new Set(versions).size).toBe(versions.length);
  expect(parsePolicyDocument(`${HEAD}# a comment\nsignatures: []`).version).toBe(versions[0]);
});

describe("mistakes are named with their paths", () => {
  test.each<[text: string, ...expected: (string | RegExp)[]]>([
    [`${HEAD}namespaces: []`, "namespaces: must map namespaces to what is otherwise there"],
    [`${HEAD}namespaces: {/a: {}}`, /^namespaces\.\/a: a namespace must be segments between/],
    [
      `${HEAD}namespaces: {a/b/*: {x: 1}}`,
      /^namespaces\.a\/b\/\*\.x: is no setting of a policy; there/,
    ],
    ...["*/a", "a/*/b", "a*", "**", "a/**", "*/*"].map((pattern): [string, RegExp] => [
      `${HEAD}namespaces: {"${pattern}": {}}`,
      /: `\*` must stand alone or behind the last slash/,
    ]),
    [`${HEAD}namespaces: {a: 3}`, "namespaces.a: must be a mapping"],
    [
      `${HEAD}namespaces: {a: }`,
      "namespaces.a: must be a mapping, and is empty; leave it out if it says nothing",
    ],
    [
      `${HEAD}namespaces: {a: {name: b}}`,
      "namespaces.a.name: is no setting of a policy; there are capabilities, imports, limits, docstrings, signatures",
    ],
    [
      `${HEAD}namespaces: {a: {capabilities: {allowed: [flying], refused: {plus: []}}}}`,
      /^namespaces\.a\.capabilities\.allowed\[0\]: "flying" is no capability/,
      "namespaces.a.capabilities.refused.plus: is no setting of a policy",
    ],
    [
      `${HEAD}namespaces: {a: {imports: {allowed: {add: [numpy]}, refused: [numpy]}}}`,
      "namespaces.a.imports.refused[0]: numpy is in allowed too",
    ],
    [
      `${HEAD}namespaces: {a: {limits: {max_lines: many}}}`,
      /^namespaces\.a\.limits\.max_lines: must be a whole/,
    ],
    [
      `${HEAD}limits: {max_line: 1}\nnamespaces: {a: {limits: {max_lines: -1}}, "a/ ": {}}`,
      /^limits\.max_line: is no setting of a policy; there are max_bytes, max_lines/,
      /^namespaces\.a\.limits/,
      /^namespaces\.a\/ : a namespace/,
    ],
    [`${HEAD}namespaces: {"\u00e9": {}, "e\u0301": {}}`, "namespaces.e\u0301: is there twice"],
    [`${HEAD}namespaces:\n  a: {}\n  a: {}`, /^line 5: Map keys must be unique/],
    [
      `${HEAD}namespaces: {${Array.from({ length: 501 }, (_, i) => `n${i}: {}`).join()}}`,
      "namespaces: must be at most 500",
    ],
    [
      `${HEAD}signatures: [{name: "f.<locals>.g"}]`,
      /^signatures\[0\]\.name: must be a function of the module/,
    ],
    ["[1]", ": must be a mapping"],
  ])("in %.90j", (text, ...expected) => {
    const found = problemsOf(text);
    expect(found).toHaveLength(expected.length);
    for (const [i, one] of expected.entries())
      expect(found[i]).toEqual(typeof one === "string" ? one : expect.stringMatching(one));
  });
});
