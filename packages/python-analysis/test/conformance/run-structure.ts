/**
 * Compares what we read from scripts with what Python's own `ast` says, and prints every difference:
 *
 *     npm run conformance:structure -w packages/python-analysis -- [--packages DIRECTORY] [FILE_OR_DIRECTORY…]
 *     npm run conformance:structure -w packages/python-analysis -- --python PATH [--packages DIRECTORY] FILE_OR_DIRECTORY…
 *
 * The Python asked is the one that judges scripts (without files: about its own standard library), or the one named.
 *
 * McCabe's complexities and docstring sections are compared, too, where the directory holds the packages `mccabe` and `griffelib`. With
 * `cognitive_complexity`, each function of which that says something else than the white paper is printed with the reasons,
 * which `cognitive_complexity_reference.py` explains; they are no differences. Exits with 1 if there are differences.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { decodeSource } from "../../src/decode.js";
import { PyodideReference } from "./pyodide-reference.js";
import { compare, referencesOf, type Reference } from "./structure.js";

const { values, positionals } = parseArgs({
  options: { python: { type: "string" }, packages: { type: "string" } },
  allowPositionals: true,
});
const packages = values.packages === undefined ? undefined : resolve(values.packages);

const files = positionals.flatMap((path) =>
  statSync(path).isFile()
    ? [path]
    : readdirSync(path, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".py"))
        .sort()
        .map((name) => join(path, name)),
);

async function* references(): AsyncGenerator<readonly [Reference, source: Uint8Array]> {
  if (values.python !== undefined) {
    for await (const reference of referencesOf(values.python, files, packages))
      yield [reference, readFileSync(reference.file)];
    return;
  }
  let python = await PyodideReference.start(packages);
  if (files.length === 0) {
    for (const name of python.library) {
      const reference = python.askBundled(name);
      yield [reference, Buffer.from(reference.text ?? "")];
    }
  }
  for (const file of files) {
    const source = readFileSync(file);
    try {
      yield [python.ask(file, new Uint8Array(source)), source];
    } catch (error) {
      // A stack that overflowed in WebAssembly leaves nothing to go on with.
      if (!(error instanceof Error)) throw error;
      process.stdout.write(`${file}: the reference was lost (${error.message})\n`);
      count.lost++;
      python = await PyodideReference.start(packages);
    }
  }
}

const count = {
  files: 0,
  invalid: 0,
  /** In encodings that are not accepted. */
  refused: 0,
  /** Of which the reference could say nothing. */
  lost: 0,
  equal: 0,
  functions: 0,
  classes: 0,
  complexities: 0,
  docstrings: 0,
  differences: 0,
};
const deviations = new Map<string, number>();
for await (const [reference, source] of references()) {
  count.files++;
  if (reference.error !== undefined) {
    count.invalid++;
    continue;
  }
  count.functions += reference.functions.length;
  count.classes += reference.classes.length;
  count.complexities += reference.complexities?.length ?? 0;
  count.docstrings += reference.docstrings?.length ?? 0;
  for (const { line, name, paper, package: said, reasons } of reference.cognitive_differences ??
    []) {
    deviations.set(reasons.join(", "), (deviations.get(reasons.join(", ")) ?? 0) + 1);
    process.stdout.write(
      `${reference.file}:${line} ${name}: cognitive complexity ${paper}, of the package ${said} (${reasons.join(", ")})\n`,
    );
  }
  if (!decodeSource(source).ok) {
    count.refused++;
    continue;
  }
  const differences = await compare(reference, source);
  if (differences.length === 0) count.equal++;
  count.differences += differences.length;
  for (const { file, fact, expected, actual } of differences) {
    process.stdout.write(
      `${file}: ${fact}\n  Python: ${JSON.stringify(expected)}\n  here:   ${JSON.stringify(actual)}\n`,
    );
  }
}
process.stdout.write(
  `${count.files} files, ${count.invalid} of them not valid for this Python, ${count.refused} in encodings that are refused, ${count.lost} lost, ${count.equal} equal, ` +
    `${count.differences} differences in ${count.functions} functions, ${count.classes} classes, ` +
    `${count.complexities} complexities, ${count.docstrings} docstrings\n`,
);
for (const [reasons, functions] of [...deviations].toSorted(([, a], [, b]) => b - a))
  process.stdout.write(`${functions} functions: cognitive_complexity differs by ${reasons}\n`);
process.exitCode = count.differences > 0 ? 1 : 0;
