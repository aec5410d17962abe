import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { measureComplexity } from "../../src/complexity.js";
import { decodeSource } from "../../src/decode.js";
import { parseDocstring } from "../../src/docstring/parse.js";
import { readStructure } from "../../src/structure/facts.js";
import { collectImports, type Import } from "../../src/structure/imports.js";
import { parseModule } from "../../src/structure/parse.js";

const DUMP = fileURLToPath(new URL("dump_structure.py", import.meta.url));

/** What `dump_structure.py` prints of one file. */
export interface Reference {
  file: string;
  error?: string;
  /** Of the decoded text; fixtures have none. */
  text?: string;
  docstring: string | null;
  exports: string[] | null;
  entry_point: object | null;
  functions: Record<string, unknown>[];
  classes: Record<string, unknown>[];
  imports: string[];
  import_details: object[];
  complexities?: { name: string; line: number; column: number; mccabe: number }[];
  /** Functions of which the package `cognitive_complexity` says something else than the paper. */
  cognitive_differences?: CognitiveDifference[];
  docstrings?: {
    docstring: string;
    style: string | null;
    description: string | null;
    parameters: object;
  }[];
}

export interface CognitiveDifference {
  name: string;
  line: number;
  paper: number;
  package: number;
  /** Names of `DEVIATIONS` in `cognitive_complexity_reference.py`. */
  reasons: string[];
}

/** One fact on which Python and we differ. */
export interface Difference {
  file: string;
  fact: string;
  expected: unknown;
  actual: unknown;
}

/** Asks Python about files; those that do not compile have an `error`. */
export async function* referencesOf(
  python: string,
  files: readonly string[],
  packages = "",
): AsyncGenerator<Reference> {
  const child = spawn(python, ["-B", DUMP], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, PYTHONPATH: packages },
  });
  const status = new Promise<number | null>((resolve, reject) =>
    child.on("close", resolve).on("error", reject),
  );
  child.stdin.end(files.map((file) => `${file}\n`).join(""));
  for await (const line of createInterface({ input: child.stdout }))
    yield JSON.parse(line) as Reference;
  if ((await status) !== 0) throw new Error(`${python} ${DUMP} ended with status ${await status}`);
}

/**
 * Reads a script as we do, and lists every fact on which we differ.
 *
 * @param source - as it is in the file
 */
export async function compare(reference: Reference, source: Uint8Array): Promise<Difference[]> {
  const decoded = decodeSource(source);
  if (!decoded.ok) throw new Error(`${reference.file}: ${decoded.error.message}`);
  const parsed = await parseModule(decoded.text);
  const differences: Difference[] = [];
  const check = (fact: string, expected: unknown, actual: unknown) => {
    if (JSON.stringify(sorted(expected)) !== JSON.stringify(sorted(actual))) {
      differences.push({ file: reference.file, fact, expected, actual });
    }
  };
  if (reference.text !== undefined) check("text", reference.text, decoded.text);
  const facts = readStructure(parsed);
  const lists = [
    ["function", reference.functions, facts.functions.map((f) => ({ ...f, ...f.complexity }))],
    ["class", reference.classes, facts.classes],
  ] as const;
  for (const [what, expected, actual] of lists) {
    check(`number of ${what} definitions`, expected.length, actual.length);
    expected.forEach((each, i) => {
      for (const key of Object.keys(each)) {
        const ours = (actual[i] as Record<string, unknown> | undefined)?.[key];
        check(
          `${what} ${String(each.qualified_name)}: ${key}`,
          each[key],
          withoutDescriptions(ours),
        );
      }
    });
  }
  check("docstring", reference.docstring, facts.docstring);
  check("exports", reference.exports, facts.exports);
  check("entry point", reference.entry_point, facts.entry_point);
  check("imports", reference.imports, facts.imports);
  const details = collectImports(parsed).map(importDetail);
  check("number of imports", reference.import_details.length, details.length);
  reference.import_details.forEach((each, i) =>
    check(`import ${JSON.stringify(each)}`, each, details[i]),
  );
  if (reference.complexities) {
    const measured = measureComplexity(parsed);
    const ours = new Map(
      [...measured.functions, ...measured.blocks].map((e) => [key(e.position), e.mccabe]),
    );
    for (const { name, line, column, mccabe } of reference.complexities) {
      const before = Buffer.from(parsed.text.split("\n")[line - 1]!)
        .subarray(0, column)
        .toString();
      check(
        `complexity of ${name}`,
        mccabe,
        ours.get(key({ line, column: [...before].length + 1 })),
      );
    }
    if (measured.blocks.length > 0) {
      const blocks = reference.complexities.filter(({ name }) =>
        /(If|Loop|TryExcept) \d+$/.test(name),
      );
      const positions = new Set(blocks.map(({ line }) => line));
      check(
        "blocks with a complexity",
        positions.size,
        new Set(measured.blocks.map((b) => b.position.line)).size,
      );
    }
  }
  for (const { docstring, ...expected } of reference.docstrings ?? []) {
    const { style, description, parameters } = parseDocstring(docstring);
    check(`docstring ${JSON.stringify(docstring.slice(0, 60))}`, expected, {
      style,
      description,
      parameters: Object.fromEntries(parameters),
    });
  }
  return differences;
}

/** As `ast` has it, so without origins, which are not for Python to say. */
function importDetail({ module, level, names, alias, scope, position, ...context }: Import) {
  return {
    module,
    level,
    names: names && names.map((each) => ({ name: each.name, alias: each.alias })),
    alias,
    ...position,
    scope,
    is_conditional: context.isConditional,
    is_type_checking: context.isForTypeChecking,
  };
}

function key(position: { line: number; column: number }): string {
  return `${position.line}:${position.column}`;
}

function withoutDescriptions(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((each: unknown) => {
    if (typeof each !== "object" || each === null) return each;
    return Object.fromEntries(Object.entries(each).filter(([name]) => name !== "description"));
  });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  );
}
