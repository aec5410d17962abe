/**
 * Prints what is falsely reported of harmless modules of a Python's standard library, and how much that is to ten thousand lines:
 *
 *     npm run conformance:harmless -w packages/python-analysis -- /usr/lib/python3.13
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { density, falseCapabilities, isHarmless, type FalseCapability } from "./harmless.js";

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: run-harmless DIRECTORY");
const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".py") && isHarmless(file),
);
const found: FalseCapability[] = [];
let lines = 0;
for (const file of files.toSorted()) {
  const text = readFileSync(join(directory, file), "utf8");
  lines += text.split("\n").length;
  found.push(...(await falseCapabilities(file, text)));
}
for (const { file, capability, places } of found)
  process.stdout.write(`${file}: ${capability}: ${places.slice(0, 5).join(", ")}\n`);
process.stdout.write(
  `${files.length} modules, ${lines} lines, ${found.length} false capabilities: ` +
    `${density(found, lines).toFixed(2)} to 10,000 lines\n`,
);
