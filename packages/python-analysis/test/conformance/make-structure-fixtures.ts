/**
 * Writes what Python says of each test/fixtures/structure/*.py beside it, as JSON:
 *
 *     npm run fixtures:structure -w packages/python-analysis -- PYTHON
 *
 * PYTHON needs to be 3.13 or later, with the packages `mccabe` 0.7.0 and `griffelib` 2.4.1.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { referencesOf } from "./structure.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/structure/", import.meta.url));

const scripts = readdirSync(FIXTURES).filter((name) => name.endsWith(".py"));
const python = process.argv[2] ?? "python3";
for await (const { text: _, ...reference } of referencesOf(
  python,
  scripts.map((name) => FIXTURES + name),
)) {
  if (reference.error !== undefined) throw new Error(`${reference.file}: ${reference.error}`);
  if (!reference.complexities || !reference.docstrings) {
    throw new Error(`${python} has no mccabe or no griffelib`);
  }
  const path = reference.file.replace(/\.py$/, ".json");
  writeFileSync(
    path,
    `${JSON.stringify({ ...reference, file: basename(reference.file) }, null, 1)}\n`,
  );
}
