import { PolicyError } from "@sluice/policy-documents";
import { expect, test } from "vitest";
import { parseRetentionPolicy } from "../src/document.js";

const DAY_MS = 86_400_000;

function mistakes(text: string): string[] {
  try {
    parseRetentionPolicy(text);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.problems.map(
      ({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`,
    );
  }
  return [];
}

function ruleWith(lines: string): string {
  return `name: a\nversion: 1\nrules:\n  - name: r\n    action: delete\n    ${lines}\n`;
}

test("reads rules, with durations, sizes and shares in their units", () => {
  const policy = parseRetentionPolicy(`name: house rules
version: "1.10"
rules:
  - name: releases stay
    tag: release
    action: keep
  - name: old drafts
    namespace: [scratch, team/*]
    state: [rejected, failed]
    age: 90d
    unused: 1.5h
    beyond_versions: 3
    beyond_size: 10GB
    action: archive
    even: [newest_version, pinned]
  - {name: gone, of: scripts, age: 2y, action: delete}
brakes: {max_share: 2.5%, max_removals: 7}
`);
  expect(policy).toMatchObject({
    name: "house rules",
    version: expect.stringMatching(/^1\.10\+[0-9a-f]{12}$/) as string,
    rules: [
      { name: "releases stay", of: "versions", tag: ["release"], action: "keep", even: [] },
      {
        namespace: ["scratch", "team/*"],
        state: ["rejected", "failed"],
        age: 90 * DAY_MS,
        unused: 5_400_000,
        beyond_versions: 3,
        beyond_size: 1e10,
        even: ["newest_version", "pinned"],
      },
      { of: "scripts", age: 730 * DAY_MS },
    ],
    brakes: { max_share: 0.025, max_removals: 7 },
  });
});

test("an empty policy keeps everything", () => {
  expect(parseRetentionPolicy("name: none\nversion: 1\n")).toMatchObject({ rules: [] });
});

test("one that says the same has the same version, whatever its units and comments", () => {
  const [days, hours, other] = ["age: 2d", "age: 48h # two days", "age: 3d"].map(
    (age) => parseRetentionPolicy(ruleWith(age)).version,
  );
  expect(hours).toBe(days);
  expect(other).not.toBe(days);
});

test("names every mistake with its line and column", () => {
  expect(
    mistakes(`name: a
rules:
  - name: one
    agee: 90d
    action: delete
  - name: one
    age: 90 days
    state: [ready, gone]
    beyond_size: 10
    action: destroy
brakes:
  max_share: 5
`),
  ).toEqual([
    expect.stringMatching(/^1:1 version: must be there/),
    expect.stringMatching(/^4:5 rules\[0\]\.agee: is no setting of a policy; there are name, of, /),
    expect.stringMatching(/^6:11 rules\[1\]\.name: is the name of rules\[0\] too/),
    expect.stringMatching(/^7:10 rules\[1\]\.age: must be a duration .* such as 90d/),
    expect.stringMatching(/^8:20 rules\[1\]\.state\[1\]: must be one of queued, /),
    expect.stringMatching(/^9:18 rules\[1\]\.beyond_size: must be a size .* such as 10GB/),
    expect.stringMatching(/^10:13 rules\[1\]\.action: must be one of keep, archive, delete/),
    expect.stringMatching(/^12:14 brakes\.max_share: must be a share such as 5%/),
  ]);
});

test.each([
  ["no YAML", "name: [", /^2:1|^1:\d+/],
  ["two documents", "name: a\n---\nname: b\n", /^2:1 .*single one/],
  ["a repeated key", "name: a\nname: b\nversion: 1\n", /^2:1 .*unique/i],
  ["a list", "- a", /must be a mapping/],
  ["nothing", "", /must be a mapping/],
  [
    "an alias bomb",
    "a: &a [1,1]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]",
    /.+/,
  ],
  ["months", ruleWith("age: 3m"), /^6:10 rules\[0\]\.age: must be a duration/],
  ["no time at all", ruleWith("age: 0d"), /rules\[0\]\.age/],
  ["negative time", ruleWith("age: -1d"), /rules\[0\]\.age/],
  ["endless time", ruleWith("unused: 99999999y"), /rules\[0\]\.unused/],
  ["a fraction of a version", ruleWith("beyond_versions: 1.5"), /beyond_versions: must be a whole/],
  ["a property of objects as a unit", ruleWith("age: 1constructor"), /rules\[0\]\.age/],
  ["a wildcard in the middle", ruleWith("namespace: team/*/x"), /namespace.*`\*` must stand alone/],
  [
    "a wildcard behind a name",
    ruleWith("namespace: [ok, te*]"),
    /^6:21 rules\[0\]\.namespace\[1\]/,
  ],
  [
    "a legal hold overridden",
    ruleWith("even: [legal_hold]"),
    /^6:12 .*pinned, needs_approval, newest/,
  ],
  [
    "the newest version deleted alone",
    ruleWith("even: [newest_version]"),
    /goes only with its script/,
  ],
  ["an empty list of states", ruleWith("state: []"), /rules\[0\]\.state/],
  ["more than all", "name: a\nversion: 1\nbrakes: {max_share: 101%}\n", /100% at most/],
  ["an empty value", ruleWith("age:"), /^6:5 rules\[0\]\.age/],
])("is refused with %s", (_what, text, expected) => {
  const found = mistakes(text);
  expect(found.length).toBeGreaterThan(0);
  expect(found[0]).toMatch(expected);
});

test("is refused where it is too long, or has too many rules", () => {
  expect(mistakes(`name: ${"x".repeat(300_000)}`)[0]).toMatch(/bytes at most/);
  const rules = Array.from({ length: 201 }, (_, i) => `  - {name: r${i}, action: keep}\n`).join("");
  expect(mistakes(`name: a\nversion: 1\nrules:\n${rules}`)[0]).toMatch(/rules: may be 200 at most/);
});
