import { readFileSync } from "node:fs";
import { SETTINGS } from "@sluice/runtime";
import { expect, test } from "vitest";

const START = "<!-- settings: kept equal to the code by a test -->\n";
const END = "<!-- /settings -->";
const ROWS = SETTINGS.map(
  ({ name, default: value, description }) =>
    `| \`${name}\` | ${value === undefined ? "" : `\`${value}\``} | ${description} |`,
);

test("docs/settings.md lists every setting, its default and what it does", () => {
  const page = readFileSync(new URL("../../../docs/settings.md", import.meta.url), "utf8");
  const section = page.slice(page.indexOf(START) + START.length, page.indexOf(END));
  expect(section.trim().split("\n")).toEqual([
    "| setting | default | what it is |",
    "|---|---|---|",
    ...ROWS,
  ]);
});

test("the README names a few of them, in the same words", () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const rows = readme.match(/^\| `[A-Z_]+` .*$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(0);
  expect(ROWS).toEqual(expect.arrayContaining(rows));
});
