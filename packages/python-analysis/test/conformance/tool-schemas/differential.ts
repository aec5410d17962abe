/**
 * Compares tool descriptions with the references' over files of any origin, and prints how many agree and which do not:
 *
 *     PYTHON_BIN=DIR/bin/python npx tsx packages/python-analysis/test/conformance/tool-schemas/differential.ts FILE.py …
 *
 * `DIR` is a virtual environment with requirements.txt installed; see references.py, which runs parts of the files.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TOOL_PROFILES, type ToolProfile } from "@sluice/contracts";
import { decodeSource } from "../../../src/decode.js";
import { collectDefinitions, functionFactsOf } from "../../../src/structure/definitions.js";
import { parseModule } from "../../../src/structure/parse.js";
import { describeFunctions } from "../../../src/tools/index.js";
import { type Answer, agrees } from "./comparison.js";

/** Files given to one interpreter. */
const FILES_A_RUN = 100;

interface Row extends Record<ToolProfile, Answer> {
  readonly file: string;
  readonly function: string;
  readonly line: number;
}

function askReferences(files: readonly string[]): Row[] {
  const script = fileURLToPath(new URL("references.py", import.meta.url));
  const output = execFileSync(
    process.env["PYTHON_BIN"] ?? "python3",
    [script, "slices", ...files],
    {
      encoding: "utf8",
      maxBuffer: 2 ** 30,
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  return output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row);
}

const files = process.argv.slice(2);
const counts = Object.fromEntries(TOOL_PROFILES.map((profile) => [profile, { equal: 0, all: 0 }]));
for (let start = 0; start < files.length; start += FILES_A_RUN) {
  const rows = askReferences(files.slice(start, start + FILES_A_RUN));
  for (const file of new Set(rows.map((row) => row.file))) {
    const decoded = decodeSource(readFileSync(file));
    if (!decoded.ok) continue;
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
      for (const row of rows.filter((each) => each.file === file)) {
        const found = described.get(`${row.line}:${row.function}`);
        count.all++;
        if (found && agrees(row[profile], found, profile)) count.equal++;
        else
          process.stdout.write(
            `${JSON.stringify({
              profile,
              file,
              line: row.line,
              function: row.function,
              reference: row[profile],
              found: found ?? null,
            })}\n`,
          );
      }
    }
  }
}
for (const profile of TOOL_PROFILES) {
  const { equal, all } = counts[profile]!;
  process.stderr.write(
    `${profile}: ${equal} of ${all} functions equal (${((100 * equal) / Math.max(all, 1)).toFixed(2)} %)\n`,
  );
}
