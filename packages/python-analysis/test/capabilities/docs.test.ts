import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { capabilityMap } from "../../src/capabilities/map.js";

const START = "<!-- capabilities: kept equal to data/capabilities.json by a test -->\n";
const END = "<!-- /capabilities -->";

test("docs/capabilities.md lists every capability", () => {
  const text = readFileSync(new URL("../../../../docs/capabilities.md", import.meta.url), "utf8");
  const section = text.slice(text.indexOf(START) + START.length, text.indexOf(END));
  const rows = [...capabilityMap().descriptions].map(([name, what]) => `| \`${name}\` | ${what} |`);
  expect(section.trim().split("\n").slice(2)).toEqual(rows);
});
