import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { compare, hasPython, referencesOf, type Reference } from "../conformance/structure.js";

// Reading the table of character names takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const FIXTURES = fileURLToPath(new URL("../fixtures/structure/", import.meta.url));
const scripts = readdirSync(FIXTURES).filter((name) => name.endsWith(".py"));

describe("structure equals what Python said of the fixtures", () => {
  test.each(scripts)("%s", async (name) => {
    const expected = readFileSync(FIXTURES + name.replace(/\.py$/, ".json"), "utf8");
    const text = readFileSync(FIXTURES + name, "utf8");
    const reference = { ...(JSON.parse(expected) as Omit<Reference, "text">), text };
    expect(await compare(reference)).toEqual([]);
  });

  test("a difference is seen", async () => {
    const text = "def f(a=1):\n    'doc'\n";
    const reference = JSON.parse(
      readFileSync(`${FIXTURES}unfinished.json`, "utf8"),
    ) as unknown as Reference;
    const facts = (await compare({ ...reference, text })).map(({ fact }) => fact);
    expect(facts).toEqual(["function f: docstring", "function f: parameters"]);
  });
});

const PYTHON = "python3";
const asked = hasPython(PYTHON);

describe("structure equals what the Python on this machine says", () => {
  test.skipIf(!asked)(
    `${PYTHON} on PATH${asked ? "" : " (NOT CHECKED: there is none)"}`,
    async () => {
      const files = scripts.map((name) => FIXTURES + name);
      let compared = 0;
      for await (const reference of referencesOf(PYTHON, files)) {
        // Newer syntax than this Python's is no difference.
        if (reference.error !== undefined) continue;
        expect(await compare(reference)).toEqual([]);
        compared++;
      }
      expect(compared).toBeGreaterThan(0);
    },
  );
});
