import { analysisMetadata } from "@sluice/contracts";
import { expect, test } from "vitest";
import { extractMetadata } from "../src/metadata.js";
import { parseModule } from "../src/structure/parse.js";

test.each([
  ["an empty script", ""],
  ["a script", 'import os\n\n\ndef f(a: int = 1) -> str:\n    """Does it."""\n'],
  ["what is no Python", "def f(:\n  class (import"],
])("metadata of %s has the agreed shape", async (_, text) => {
  const metadata = extractMetadata(await parseModule(text));
  expect(analysisMetadata.parse(metadata)).toEqual(metadata);
});

test("a function is described with its tools of every profile", async () => {
  const metadata = extractMetadata(await parseModule('def f():\n    """Does it."""\n'));
  expect(metadata.functions.map(({ name }) => name)).toEqual(["f"]);
  expect(Object.values(metadata.tools).map((tools) => tools.map((tool) => tool.function))).toEqual([
    ["f"],
    ["f"],
  ]);
});
