import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { finding } from "../../src/findings/finding.js";
import { RULES, type Rule, type RuleId } from "../../src/findings/rules/index.js";

const ALL: readonly [string, Rule][] = Object.entries(RULES);

describe.each(ALL)("the rule %s", (id, { title, why, help, cwe }) => {
  test("says what is wrong, why it matters and what to do, in sentences", () => {
    expect(id).toMatch(/^[a-z]+\.[a-z-]+$/);
    expect(title).toMatch(/^[A-Z].{5,60}[^.]$/);
    expect(why).toMatch(/^[A-Z].{20,220}[.)]$/);
    expect(help).toMatch(/^[A-Z].{15,220}\.$/);
    expect(why).not.toBe(help);
    if (cwe !== null) expect(Number.isInteger(cwe) && cwe > 0).toBe(true);
  });

  test("gives its findings all of that", () => {
    expect(finding(id as RuleId, "what was found", null)).toMatchObject({ why, help, cwe });
  });
});

test("no two areas have a rule of the same id", async () => {
  const folder = new URL("../../src/findings/rules/", import.meta.url);
  const areas = readdirSync(folder).filter((name) => name !== "index.ts" && name !== "rule.ts");
  const modules = await Promise.all(
    areas.map((name) => import(new URL(name, folder).href) as Promise<Record<string, object>>),
  );
  const ids = modules.flatMap((module) =>
    Object.values(module).flatMap((area) => Object.keys(area)),
  );
  expect(ids.toSorted()).toEqual(Object.keys(RULES).toSorted());
});

/** Written anew by `npx vitest run --project unit packages/python-analysis/test/findings/rules.test.ts -u`. */
test("docs/rules.md lists them", async () => {
  const rows = ALL.map(([id, { severity, confidence, title, why, help, cwe }]) => {
    const weakness =
      cwe === null ? "" : `[${cwe}](https://cwe.mitre.org/data/definitions/${cwe}.html)`;
    const cells = [`\`${id}\``, severity, confidence, weakness, title, why, help];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  const text = `# Rules

What the findings of a report can be about. Ids are stable. A policy may set another severity for limits, docstrings and imports,
and a finding has a milder one where the circumstances excuse it, such as \`eval\` of a constant.

| rule | severity | confidence | CWE | what | why it matters | what to do |
|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
  await expect(text).toMatchFileSnapshot("../../../../docs/rules.md");
});
