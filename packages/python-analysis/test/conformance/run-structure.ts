/**
 * Compares what we read from scripts with what Python's own `ast` says, and prints every difference:
 *
 *     npm run conformance:structure -w packages/python-analysis -- [--python PATH] FILE_OR_DIRECTORY…
 *
 * Complexities and docstring sections are compared, too, where that Python has the packages `mccabe` and `griffelib`.
 * Exits with 1 if there are differences.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compare, hasPython, referencesOf } from "./structure.js";

const { values, positionals } = parseArgs({
  options: { python: { type: "string", default: "python3" } },
  allowPositionals: true,
});
if (!hasPython(values.python)) throw new Error(`${values.python} is no Python that could be asked`);

const files = positionals.flatMap((path) =>
  statSync(path).isFile()
    ? [path]
    : readdirSync(path, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".py"))
        .sort()
        .map((name) => join(path, name)),
);
const count = {
  files: 0,
  invalid: 0,
  equal: 0,
  functions: 0,
  classes: 0,
  complexities: 0,
  docstrings: 0,
  differences: 0,
};
for await (const reference of referencesOf(values.python, files)) {
  count.files++;
  if (reference.error !== undefined) {
    count.invalid++;
    continue;
  }
  count.functions += reference.functions.length;
  count.classes += reference.classes.length;
  count.complexities += reference.complexities?.length ?? 0;
  count.docstrings += reference.docstrings?.length ?? 0;
  const differences = await compare(reference);
  if (differences.length === 0) count.equal++;
  count.differences += differences.length;
  for (const { file, fact, expected, actual } of differences) {
    process.stdout.write(
      `${file}: ${fact}\n  Python: ${JSON.stringify(expected)}\n  here:   ${JSON.stringify(actual)}\n`,
    );
  }
}
process.stdout.write(
  `${count.files} files, ${count.invalid} of them not valid for this Python, ${count.equal} equal, ` +
    `${count.differences} differences in ${count.functions} functions, ${count.classes} classes, ` +
    `${count.complexities} complexities, ${count.docstrings} docstrings\n`,
);
process.exitCode = count.differences > 0 ? 1 : 0;
