import { expect, test } from "vitest";
import { decideCapability, decideImport, strictest } from "../../src/policy/decide.js";
import { parsePolicy } from "../../src/policy/schema.js";

const policy = parsePolicy(`
name: a
version: 1
capabilities:
  default: allowed
  allowed: [filesystem.read]
  needs_approval: [filesystem.*]
  refused: [filesystem.delete, unresolved]
imports:
  default: refused
  allowed: [google, numpy, "."]
  needs_approval: [google.cloud, subprocess]
  refused: [os.path]
`);

test.each([
  ["filesystem.read", "allowed"],
  ["filesystem.write", "needs_approval"],
  ["filesystem.delete", "refused"],
  ["network.client", "allowed"],
  ["unresolved", "refused"],
])("the capability %s is %s", (capability, expected) => {
  expect(decideCapability(capability, policy)).toBe(expected);
});

test.each([
  ["numpy", false, "allowed"],
  ["numpy.linalg", false, "allowed"],
  ["numpyro", false, "refused"],
  ["google.auth", false, "allowed"],
  ["google.cloud.storage", false, "needs_approval"],
  ["json", true, "allowed"],
  ["subprocess", true, "needs_approval"],
  ["os", true, "allowed"],
  ["os.path", true, "refused"],
  [".", false, "allowed"],
  ["..a.b", false, "allowed"],
  ["other", false, "refused"],
])("the import of %s is %s %s", (module, isStdlib, expected) => {
  expect(decideImport(module, isStdlib, policy)).toBe(expected);
});

test("the strictest decision", () => {
  expect(strictest([])).toBe("allowed");
  expect(strictest(["allowed", "needs_approval"])).toBe("needs_approval");
  expect(strictest(["needs_approval", "refused", "allowed"])).toBe("refused");
});
