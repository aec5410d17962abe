/**
 * Compares tool descriptions with those that FastMCP and the MCP Python SDK make, over files of any origin:
 *
 *     PYTHON_BIN=DIR/bin/python npm run oracle -- [--differences] FILE_OR_DIRECTORY…
 *
 * `DIR` is a virtual environment of CPython 3.11 with requirements.txt installed (see references.py, which runs parts of the files,
 * so name only code that you trust). Prints how many functions come out equal for each profile, and with `--differences` a line
 * of JSON for each that does not. Of files that do not compile, and of functions that need packages which are not installed, nothing is
 * asked. Exits with 0 if all are equal, 1 if some are not, 2 if the references cannot be asked.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { TOOL_PROFILES, type ToolProfile } from "@sluice/contracts";
import { decodeSource } from "../../../src/decode.js";
import { collectDefinitions, functionFactsOf } from "../../../src/structure/definitions.js";
import { parseModule } from "../../../src/structure/parse.js";
import { describeFunctions } from "../../../src/tools/index.js";
import { type Answer, agrees } from "./comparison.js";

/** Files given to one interpreter. */
const FILES_A_RUN = 100;
const PYTHON = process.env["PYTHON_BIN"] ?? "python3";
const PYTHON_VERSION = "3.11";

interface Row extends Record<ToolProfile, Answer> {
  readonly file: string;
  readonly function: string;
  readonly line: number;
}

/** Why the references cannot be asked, in one line. */
class Unanswerable extends Error {}

function askPython(args: readonly string[]): string {
  return execFileSync(PYTHON, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    stdio: ["ignore", "pipe", "ignore"],
  });
}

const VERSIONS = `
import importlib.metadata, json, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({"python": "%d.%d" % sys.version_info[:2], **{name: version(name) for name in sys.argv[1:]}}))
`;

/** @throws Unanswerable unless the Python and the packages are those that the descriptions are held to */
function checkReferences(): void {
  const pinned = readFileSync(new URL("requirements.txt", import.meta.url), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("==") as [string, string]);
  let found: Record<string, string | null>;
  try {
    found = JSON.parse(askPython(["-c", VERSIONS, ...pinned.map(([name]) => name)]));
  } catch {
    throw new Unanswerable(`\`${PYTHON}\` is no Python that can be run: set PYTHON_BIN to one`);
  }
  if (found["python"] !== PYTHON_VERSION)
    throw new Unanswerable(`\`${PYTHON}\` is Python ${found["python"]}, not ${PYTHON_VERSION}`);
  for (const [name, version] of pinned) {
    if (found[name] === null)
      throw new Unanswerable(`\`${PYTHON}\` has no ${name}: install requirements.txt`);
    if (found[name] !== version)
      throw new Unanswerable(`\`${PYTHON}\` has ${name} ${found[name]}, not ${version}`);
  }
}

/** @throws Unanswerable for a path that is not there */
function pythonFiles(paths: readonly string[]): string[] {
  return paths.flatMap((given) => {
    // npm runs this in the folder of the project; paths are meant from where it was called.
    const path = resolve(process.env["INIT_CWD"] ?? ".", given);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) throw new Unanswerable(`there is no \`${given}\``);
    if (stats.isFile()) return [path];
    return readdirSync(path, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".py"))
      .sort()
      .map((name) => join(path, name));
  });
}

function askReferences(files: readonly string[]): Row[] {
  const script = fileURLToPath(new URL("references.py", import.meta.url));
  return askPython([script, "slices", ...files])
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row);
}

interface Count {
  equal: number;
  all: number;
}

async function compareFile(
  file: string,
  rows: readonly Row[],
  counts: Readonly<Record<string, Count>>,
  report: (difference: object) => void,
): Promise<void> {
  const decoded = decodeSource(readFileSync(file));
  if (!decoded.ok) return;
  const parsed = await parseModule(decoded.text);
  // The references are asked about the function as it is written, without its decorators.
  const facts = collectDefinitions(parsed).functions.map((definition) => ({
    ...functionFactsOf(parsed, definition),
    decorators: [],
  }));
  for (const profile of TOOL_PROFILES) {
    const described = new Map(
      describeFunctions(parsed, facts, profile).map((tool) => [
        `${tool.line_number}:${tool.function}`,
        tool,
      ]),
    );
    const count = counts[profile]!;
    for (const { line, function: name, [profile]: reference } of rows) {
      const found = described.get(`${line}:${name}`);
      count.all++;
      if (found && agrees(reference, found, profile)) count.equal++;
      else
        report({
          profile,
          file: relative(process.env["INIT_CWD"] ?? ".", file),
          line,
          function: name,
          reference,
          found: found ?? null,
        });
    }
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { differences: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const files = pythonFiles(positionals);
  if (files.length === 0) throw new Unanswerable("name Python files or directories with some");
  checkReferences();
  const counts = Object.fromEntries(TOOL_PROFILES.map((name) => [name, { equal: 0, all: 0 }]));
  const report = (difference: object): void => {
    if (values.differences) process.stdout.write(`${JSON.stringify(difference)}\n`);
  };
  for (let start = 0; start < files.length; start += FILES_A_RUN) {
    const rows = askReferences(files.slice(start, start + FILES_A_RUN));
    for (const file of new Set(rows.map((row) => row.file)))
      await compareFile(
        file,
        rows.filter((row) => row.file === file),
        counts,
        report,
      );
  }
  for (const [profile, { equal, all }] of Object.entries(counts)) {
    const share = ((100 * equal) / Math.max(all, 1)).toFixed(2);
    process.stderr.write(`${profile}: ${equal} of ${all} functions equal (${share} %)\n`);
  }
  return Object.values(counts).every(({ equal, all }) => equal === all) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUse = error instanceof TypeError && "code" in error;
  if (!(error instanceof Unanswerable) && !isUse) throw error;
  process.stderr.write(`oracle: ${error.message.split("\n")[0]}\n`);
  process.exitCode = 2;
}
