import {
  isCodeFence,
  textSection,
  type ParameterText,
  type Reading,
  type Section,
} from "./sections.js";
import { isBlank, lstrip, PYTHON_SPACE, rstrip, startsWithSpaces } from "./text.js";

const NAME = "\\*{0,2}[_a-z][_a-z0-9]*";
const NAMES = new RegExp(`^${NAME}(?:,[${PYTHON_SPACE}]${NAME})*`, "iu");

const SECTIONS: ReadonlySet<string> = new Set([
  "deprecated",
  "other parameters",
  "type parameters",
  "returns",
  "yields",
  "receives",
  "raises",
  "warns",
  "attributes",
  "functions",
  "methods",
  "classes",
  "type aliases",
  "modules",
]);
/** Sections that count only where some item begins with a name. */
const NAMED: ReadonlySet<string> = new Set(["other parameters", "type parameters"]);

/** The sections of a NumPy-style docstring, as griffe reads them: a title underlined with dashes begins one. */
export function readNumpy(lines: readonly string[]): Section[] {
  const sections: Section[] = [];
  let text: string[] = [];
  let inAdmonition = false;
  let inCode = false;
  const finish = () => {
    sections.push(...(inAdmonition ? [{ kind: "other" } as const] : textSection(text)));
    text = [];
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const next = lines[i + 1];
    const fence = isCodeFence(line);
    if (fence || inCode) {
      if (fence) inCode = !inCode;
      text.push(line);
    } else if (isBlank(line)) {
      text.push("");
    } else if (next === undefined) {
      text.push(line);
      finish();
      inAdmonition = false;
    } else if (isDashes(next)) {
      finish();
      const title = line.toLowerCase();
      const section = readSection(lines, i + 2, title);
      inAdmonition = section === undefined;
      if (section) sections.push(...section.found);
      i = section?.last ?? i + 1;
    } else {
      text.push(line);
    }
  }
  finish();
  return sections;
}

/** `undefined` where the title is of no section, so that what follows it is an admonition. */
function readSection(
  lines: readonly string[],
  from: number,
  title: string,
): Reading<Section[]> | undefined {
  if (title === "examples") return { found: [{ kind: "other" }], last: blockEnd(lines, from) };
  if (title !== "parameters" && !SECTIONS.has(title)) return undefined;
  const { found: items, last } = readItems(lines, from);
  const parameters = items.flatMap(parametersOf);
  if (title === "parameters")
    return { found: parameters.length > 0 ? [{ kind: "parameters", parameters }] : [], last };
  const isFilled = NAMED.has(title) ? parameters.length > 0 : items.length > 0;
  return { found: isFilled ? [{ kind: "other" }] : [], last };
}

/** `a, b : type` is followed by the description of both. */
function parametersOf([first, ...rest]: readonly string[]): ParameterText[] {
  const names = NAMES.exec(first!)?.[0].split(", ") ?? [];
  const description = rstrip(rest.join("\n"));
  return names.map((name) => ({ name, description }));
}

function readItems(lines: readonly string[], from: number): Reading<string[][]> {
  let i = from;
  while (i < lines.length && isBlank(lines[i]!)) i++;
  if (i >= lines.length) return { found: [], last: i };
  const items = [[lines[i]!]];
  for (i++; i < lines.length; i++) {
    const line = lines[i]!;
    const item = items.at(-1)!;
    if (isBlank(line)) item.push("");
    else if (startsWithSpaces(line, 4)) item.push(line.slice(4));
    else if (line.startsWith(" ")) item.push(lstrip(line));
    else if (isDashes(lines[i + 1])) break;
    else items.push([line]);
  }
  return { found: items, last: i - 1 };
}

/** The line before the blank line that ends a block because a section follows. */
function blockEnd(lines: readonly string[], from: number): number {
  if (from >= lines.length) return from;
  let i = from;
  while (i < lines.length && isBlank(lines[i]!)) i++;
  while (
    i < lines.length &&
    !(isBlank(lines[i]!) && (isDashes(lines[i + 1]) || isDashes(lines[i + 2])))
  )
    i++;
  return i - 1;
}

function isDashes(line: string | undefined): boolean {
  return line !== undefined && line.includes("-") && isBlank(line.replaceAll("-", ""));
}
