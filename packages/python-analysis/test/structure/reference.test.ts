import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { PyodideReference } from "../conformance/pyodide-reference.js";
import { compare, type Reference } from "../conformance/structure.js";

// Reading the table of character names takes seconds on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

const FIXTURES = fileURLToPath(new URL("../fixtures/structure/", import.meta.url));
const scripts = readdirSync(FIXTURES).filter((name) => name.endsWith(".py"));

describe("structure equals what Python said of the fixtures", () => {
  test.each(scripts)("%s", async (name) => {
    const expected = readFileSync(FIXTURES + name.replace(/\.py$/, ".json"), "utf8");
    const reference = JSON.parse(expected) as Reference;
    expect(await compare(reference, readFileSync(FIXTURES + name))).toEqual([]);
  });

  test("a difference is seen", async () => {
    const text = "def f(a=1):\n    'doc'\n";
    const reference = JSON.parse(
      readFileSync(`${FIXTURES}unfinished.json`, "utf8"),
    ) as unknown as Reference;
    const facts = (await compare(reference, Buffer.from(text))).map(({ fact }) => fact);
    expect(facts).toEqual(["function f: docstring", "function f: parameters"]);
  });
});

describe("structure equals what the Python that judges says of its own library", () => {
  test("of one file in eight", async () => {
    const python = await PyodideReference.start();
    const files = python.library.filter((_, i) => i % 8 === 0);
    expect(files.length).toBeGreaterThan(50);
    for (const file of files) {
      const reference = python.askBundled(file);
      expect(reference.error).toBeUndefined();
      expect(await compare(reference, Buffer.from(reference.text!))).toEqual([]);
    }
  });
});
