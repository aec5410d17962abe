/**
 * Everyday lines of Python, each labelled with what it lets a script do: `fixtures/capabilities/lines.py`. The labels are those
 * of a reviewer who knows what the libraries do and where names come from, and must be met exactly.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { capabilityMap } from "../../src/capabilities/map.js";
import { resolveUses } from "../../src/capabilities/uses.js";
import { parseModule } from "../../src/structure/parse.js";

/** A marked line with the unmarked ones that come before it in its section. */
interface Labelled {
  readonly context: readonly string[];
  readonly line: string;
  /** In alphabetical order. */
  readonly label: readonly string[];
}

const MARK = "  # -> ";
const text = readFileSync(new URL("../fixtures/capabilities/lines.py", import.meta.url), "utf8");
const sections = text
  .split(/\n{2,}/)
  .slice(1)
  .map(labelledLines);

function labelledLines(section: string): Labelled[] {
  const context: string[] = [];
  return section.split("\n").flatMap((line) => {
    const [code, label] = line.split(MARK);
    if (label === undefined) {
      if (line !== "") context.push(line);
      return [];
    }
    const names = label.split(" ").filter((name) => name !== "none");
    return [{ context: [...context], line: code!, label: names.toSorted() }];
  });
}

async function capabilitiesOf(source: string): Promise<string[]> {
  const { uses } = resolveUses(await parseModule(source));
  return [...new Set(uses.map(({ capability }) => capability))].toSorted();
}

test("at least 300 lines are labelled, with all capabilities that an everyday line can have", () => {
  const lines = sections.flat();
  expect(lines.length).toBeGreaterThan(300);
  const labels = new Set(lines.flatMap(({ label }) => label));
  const left = [...capabilityMap().descriptions.keys()].filter((name) => !labels.has(name));
  // These two are of what hides something, which everyday lines do not.
  expect(left).toEqual(["obfuscation", "unresolved"]);
});

test.each(sections.map((lines) => ({ first: lines[0]!.context[0] ?? lines[0]!.line, lines })))(
  "$first",
  async ({ lines }) => {
    const found: string[] = [];
    for (const { context, line } of lines) {
      found.push(`${line} -> ${(await capabilitiesOf([...context, line].join("\n"))).join(" ")}`);
    }
    expect(found).toEqual(lines.map(({ line, label }) => `${line} -> ${label.join(" ")}`));
  },
);
