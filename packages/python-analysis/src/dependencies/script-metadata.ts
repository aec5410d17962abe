import { parse, TomlError } from "smol-toml";
import { RequirementError } from "./requirement-scanner.js";
import { parseRequirement, parseVersionSpecifier, type Requirement } from "./requirement.js";

/** What a script declares in its `# /// script` block. */
export interface ScriptMetadata {
  readonly requiresPython: string | null;
  /** Those that can be understood. */
  readonly dependencies: readonly Requirement[];
  /** The line of the block's first line. */
  readonly line: number;
  /** The line of `requires-python`, where there is one. */
  readonly requiresPythonLine: number | null;
}

/** What is wrong with a script's declaration. */
export interface DeclarationProblem {
  readonly message: string;
  readonly line: number;
}

export interface Declaration {
  /** `null` without a block, and where it cannot be read. */
  readonly metadata: ScriptMetadata | null;
  readonly problems: readonly DeclarationProblem[];
}

/** An embedded document. */
interface Block {
  readonly type: string;
  readonly content: string;
  readonly line: number;
}

/** Of more requirements than this nobody needs to know why they cannot be understood. */
const MOST_PROBLEMS = 200;

const START = /^# \/\/\/ ([a-zA-Z0-9-]+)$/;
const END = "# ///";

/**
 * Reads the dependencies that a script declares inline.
 *
 * @param text - with lines ended by `\n` and no byte order mark, which the specification's expression would not match
 * @see https://packaging.python.org/en/latest/specifications/inline-script-metadata/ (PEP 723)
 */
export function readDeclaration(text: string): Declaration {
  if (!text.includes("# /// script")) return { metadata: null, problems: [] };
  const { blocks, problems } = findBlocks(text);
  const scripts = blocks.filter(({ type }) => type === "script");
  const [script, second] = scripts;
  if (!script) return { metadata: null, problems };
  if (second) {
    const message = `a second \`script\` block; the first is on line ${script.line}, and there may be only one`;
    return { metadata: null, problems: [...problems, { message, line: second.line }] };
  }
  return readScript(script, problems);
}

/** The blocks of any type in a text. Syntax does not matter: as the specification has it, a block inside a string counts. */
export function findBlocks(text: string): { blocks: Block[]; problems: DeclarationProblem[] } {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  const problems: DeclarationProblem[] = [];
  for (let i = 0; i < lines.length; i++) {
    const type = START.exec(lines[i]!)?.[1];
    if (type === undefined) continue;
    let end = i + 1;
    let last = -1;
    for (; end < lines.length && /^#(?: |$)/.test(lines[end]!); end++)
      if (lines[end] === END) last = end;
    if (last > i + 1) {
      const content = lines
        .slice(i + 1, last)
        .map((line) => line.slice(line.startsWith("# ") ? 2 : 1));
      blocks.push({ type, content: content.join("\n"), line: i + 1 });
      i = last;
      continue;
    }
    if (type === "script") {
      const problem =
        last < 0 ? "is not closed by a line `# ///` right after its comment lines" : "is empty";
      const message = `the \`script\` block ${problem}, so it does not count`;
      problems.push({ message, line: i + 1 });
    }
    // What follows it among the same comment lines is not closed either.
    if (last < 0) i = end - 1;
  }
  return { blocks, problems };
}

function readScript({ content, line }: Block, before: readonly DeclarationProblem[]): Declaration {
  const problems = [...before];
  let table: Record<string, unknown>;
  try {
    table = parse(content);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = `the \`script\` block is no TOML: ${error.message.split("\n")[0]}`;
    return { metadata: null, problems: [...problems, { message, line: line + error.line }] };
  }
  const rows = content.split("\n");
  let misunderstood = 0;
  const understood = <T>(what: string, written: string, read: (written: string) => T): T[] => {
    try {
      return [read(written)];
    } catch (error) {
      if (!(error instanceof RequirementError)) throw error;
      if (++misunderstood > MOST_PROBLEMS) return [];
      const row = rows.findIndex((each) => each.includes(written));
      problems.push({
        message: `${what} cannot be understood: ${error.message}`,
        line: line + row + 1,
      });
      return [];
    }
  };
  const listed = table.dependencies ?? [];
  const texts = Array.isArray(listed) ? listed : [];
  if (texts !== listed) problems.push({ message: "`dependencies` is not a list", line });
  const dependencies = texts.flatMap((text: unknown) => {
    if (typeof text === "string") return understood("a dependency", text, parseRequirement);
    problems.push({ message: "`dependencies` lists something else than text", line });
    return [];
  });
  const python = table["requires-python"];
  if (python !== undefined && typeof python !== "string")
    problems.push({ message: "`requires-python` is not text", line });
  const requiresPython =
    typeof python === "string"
      ? understood("`requires-python`", python, parseVersionSpecifier)[0]
      : undefined;
  const row = rows.findIndex((each) => /^\s*["']?requires-python\b/.test(each));
  const requiresPythonLine = row < 0 ? null : line + row + 1;
  return {
    metadata: { requiresPython: requiresPython ?? null, dependencies, line, requiresPythonLine },
    problems,
  };
}
