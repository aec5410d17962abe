/**
 * Writes src/dependencies/stdlib-modules.ts: the modules of the Python that Pyodide carries, as `sys.stdlib_module_names` has them.
 *
 *     node packages/python-analysis/scripts/make-stdlib-modules.mjs
 */
import { writeFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const python = await loadPyodide();
const version = python.runPython("import sys; '.'.join(map(str, sys.version_info[:2]))");
const names = python.runPython("' '.join(sorted(sys.stdlib_module_names))").split(" ");

const lines = [];
for (const name of names) {
  const last = lines.at(-1);
  if (last !== undefined && last.length + name.length < 115)
    lines[lines.length - 1] = `${last} ${name}`;
  else lines.push(name);
}
writeFileSync(
  new URL("../src/dependencies/stdlib-modules.ts", import.meta.url),
  `// Made by scripts/make-stdlib-modules.mjs; do not edit.

/** Top-level modules of Python ${version}'s standard library, on whatever platform (\`sys.stdlib_module_names\`). */
export const STDLIB_MODULES: ReadonlySet<string> = new Set(
  \`
${lines.map((line) => `  ${line}\n`).join("")}  \`
    .trim()
    .split(/\\s+/),
);
`,
);
