/**
 * Writes what the Python that judges scripts says of each test/fixtures/structure/*.py beside it, as JSON:
 *
 *     npm run fixtures:structure -w packages/python-analysis -- DIRECTORY
 *
 * DIRECTORY holds the packages that are compared with:
 *
 *     pip install --target DIRECTORY mccabe==0.7.0 griffelib==2.4.1 cognitive_complexity==1.3.0
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PyodideReference } from "./pyodide-reference.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/structure/", import.meta.url));

const [packages] = process.argv.slice(2);
if (packages === undefined) throw new Error("say where the Python packages are");
const python = await PyodideReference.start(resolve(packages));
for (const name of readdirSync(FIXTURES).filter((each) => each.endsWith(".py"))) {
  const { text: _, ...reference } = python.ask(name, new Uint8Array(readFileSync(FIXTURES + name)));
  if (reference.error !== undefined) throw new Error(`${name}: ${reference.error}`);
  if (!reference.complexities || !reference.docstrings || !reference.cognitive_differences)
    throw new Error(`${packages} lacks mccabe, griffelib or cognitive_complexity`);
  writeFileSync(
    FIXTURES + name.replace(/\.py$/, ".json"),
    `${JSON.stringify(reference, null, 1)}\n`,
  );
}
