import { expect, test, vi } from "vitest";
import { density, falseCapabilities, isHarmless } from "../conformance/harmless.js";
import { PyodideReference } from "../conformance/pyodide-reference.js";

// Reading a hundred thousand lines takes a while on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

test("harmless modules of the standard library are hardly accused: twice in ten thousand lines at most", async () => {
  const python = await PyodideReference.start();
  const files = python.library.filter(isHarmless);
  expect(files.length).toBeGreaterThan(200);
  let lines = 0;
  const found = [];
  for (const file of files) {
    const text = python.read(file);
    lines += text.split("\n").length;
    found.push(...(await falseCapabilities(file, text)));
  }
  const told = found.map(({ file, capability, places }) => `${file}: ${capability}: ${places[0]}`);
  expect(density(found, lines), told.join("\n")).toBeLessThanOrEqual(2);
});

test("an accusation is seen", async () => {
  expect(await falseCapabilities("bisect.py", "import os\n\nos.system('x')\n")).toEqual([
    { file: "bisect.py", capability: "process.spawn", places: ["3 os.system"] },
  ]);
});
