import { readFileSync } from "node:fs";
import { SETTINGS } from "@sluice/runtime";
import { expect, test } from "vitest";

const START = "<!-- settings: kept equal to the code by a test -->\n";
const END = "<!-- /settings -->";

test("the README lists every setting, its default and what it does", () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const section = readme.slice(readme.indexOf(START) + START.length, readme.indexOf(END));
  const rows = SETTINGS.map(
    ({ name, default: value, description }) =>
      `| \`${name}\` | ${value === undefined ? "" : `\`${value}\``} | ${description} |`,
  );
  expect(section.trim().split("\n")).toEqual([
    "| setting | default | what it is |",
    "|---|---|---|",
    ...rows,
  ]);
});
