import { describe, expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../src/policy/default.js";
import { PolicyError } from "@sluice/policy-documents";
import { parsePolicy, policyVersion } from "../../src/policy/schema.js";

function problemsOf(text: string): readonly string[] {
  try {
    parsePolicy(text);
  } catch (error) {
    if (error instanceof PolicyError)
      return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

const HEAD = "name: mine\nversion: '2'\n";

describe("a policy", () => {
  test("may be as short as its name and version", () => {
    const policy = parsePolicy(HEAD);
    expect(policy.capabilities).toEqual({
      default: "needs_approval",
      allowed: [],
      needs_approval: [],
      refused: [],
    });
    expect(policy.limits.max_bytes).toEqual({ limit: 10_485_760, severity: "error" });
    expect(policy.docstrings.required).toBe("none");
  });

  test("leaves out what the default policy says in full", () => {
    const { imports, capabilities, ...rest } = parsePolicy(HEAD);
    const { imports: _, capabilities: __, ...defaults } = DEFAULT_POLICY;
    expect({ ...rest, name: "default", version: "1" }).toEqual(defaults);
    expect(imports.default).toBe(DEFAULT_POLICY.imports.default);
    expect(capabilities.default).toBe(DEFAULT_POLICY.capabilities.default);
  });

  test("may be JSON", () => {
    expect(parsePolicy('{"name": "a", "version": 3, "limits": {"max_lines": 5}}')).toMatchObject({
      version: "3",
      limits: { max_lines: { limit: 5, severity: "warning" } },
    });
  });

  test("takes limits in three forms", () => {
    const { limits } = parsePolicy(
      `${HEAD}limits: {max_lines: null, max_functions: 7, max_nesting: {limit: 3, severity: error}}`,
    );
    expect(limits).toMatchObject({
      max_lines: { limit: null },
      max_functions: { limit: 7, severity: "warning" },
      max_nesting: { limit: 3, severity: "error" },
    });
  });
});

describe("mistakes are named with their paths", () => {
  test.each<[text: string, ...expected: (string | RegExp)[]]>([
    ["", /^: must be a mapping, and is empty/],
    ["[]", ": must be a mapping"],
    [
      `${HEAD}capabilities:`,
      "capabilities: must be a mapping, and is empty; leave it out if it says nothing",
    ],
    ["name: a\nversion: ''", "version: must not be empty"],
    [
      `${HEAD}---\nname: b\nversion: 1`,
      "line 3: a second document begins; a policy is a single one",
    ],
    ["name: a", /^version: /],
    ["name: [", /^line 1: /],
    ["name: a\nname: b\nversion: 1", /^line 2: Map keys must be unique/],
    [`${HEAD}limit: {}`, /^limit: is no setting of a policy; there are name, version/],
    [
      `${HEAD}limits: {max_line: 3, max_bytes: -1}`,
      /^limits.max_line: is no setting of a policy; there are max_bytes/,
      /^limits.max_bytes: must be a whole/,
    ],
    [
      `${HEAD}capabilities: {allowed: [filesystem.reed]}`,
      /^capabilities\.allowed\[0\]: "filesystem\.reed" is no capability; there are /,
    ],
    [
      `${HEAD}capabilities: {allowed: [filesystem.*, nothing.*]}`,
      /^capabilities\.allowed\[1\]: "nothing\.\*" is no capability/,
    ],
    [
      `${HEAD}capabilities: {allowed: [crypto], refused: [device, crypto]}`,
      "capabilities.refused[1]: crypto is in allowed too",
    ],
    [
      `${HEAD}capabilities: {default: maybe}`,
      "capabilities.default: must be one of allowed, needs_approval, refused",
    ],
    [
      `${HEAD}imports: {allowed: ["num py", 7], undeclared: yes}`,
      "imports.undeclared: must be one of error, warning, info, off",
      /^imports\.allowed\[0\]: must be a module/,
      "imports.allowed[1]: must be text",
    ],
    [`${HEAD}docstrings: {required: some}`, /^docstrings\.required: /],
    [
      `${HEAD}signatures: [{parameters: [1]}]`,
      /^signatures\[0\]\.name: /,
      /^signatures\[0\]\.parameters\[0\]: /,
    ],
    [`a: &a [x]\nb: [${"*a,".repeat(200)}]\nname: a\nversion: 1`, /./],
    [`# ${"ä".repeat(131_072)}\n${HEAD}`, /262144 bytes/],
  ])("%.60j", (text, ...expected) => {
    const problems = problemsOf(text);
    for (const each of expected) {
      const matches = problems.filter((problem) =>
        typeof each === "string" ? problem === each : each.test(problem),
      );
      expect(matches, `${each} among ${JSON.stringify(problems)}`).toHaveLength(1);
    }
  });

  test("all of them at once, in one message", () => {
    const error = new PolicyError([
      { path: "a.b", message: "is wrong" },
      { path: "", message: "too" },
    ]);
    expect(error.message).toBe("a.b: is wrong\ntoo");
  });
});

describe("the version", () => {
  test("tells policies apart by what they say, not by how", () => {
    const a = parsePolicy(`${HEAD}limits: {max_lines: 3}`);
    expect(policyVersion(a)).toMatch(/^2\+[0-9a-f]{12}$/);
    expect(
      policyVersion(
        parsePolicy('{"limits": {"max_lines": {"limit": 3}}, "version": "2", "name": "mine"}'),
      ),
    ).toBe(policyVersion(a));
    expect(policyVersion(parsePolicy(`${HEAD}limits: {max_lines: 4}`))).not.toBe(policyVersion(a));
    expect(policyVersion({ ...a, name: "other" })).not.toBe(policyVersion(a));
  });
});
