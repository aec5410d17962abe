import {
  isCodeFence,
  textSection,
  type ParameterText,
  type Reading,
  type Section,
} from "./sections.js";
import {
  indentOf,
  isBlank,
  lstrip,
  PYTHON_SPACE,
  rstripNewlines,
  startsWithSpaces,
  strip,
} from "./text.js";

const TITLE = new RegExp(
  `^([\\p{L}\\p{N}_][${PYTHON_SPACE}\\p{L}\\p{N}_-]*):([${PYTHON_SPACE}]+[^${PYTHON_SPACE}].*)?[${PYTHON_SPACE}]*$`,
  "su",
);

/** How the items of a section are read: as parameters, as `what: description`, as free text; or the section as one block. */
type Shape = "parameters" | "pairs" | "items" | "block";

const SECTIONS: Readonly<Record<string, Shape>> = {
  args: "parameters",
  arguments: "parameters",
  params: "parameters",
  parameters: "parameters",
  "keyword args": "pairs",
  "keyword arguments": "pairs",
  "other args": "pairs",
  "other arguments": "pairs",
  "other params": "pairs",
  "other parameters": "pairs",
  "type args": "pairs",
  "type arguments": "pairs",
  "type params": "pairs",
  "type parameters": "pairs",
  raises: "pairs",
  exceptions: "pairs",
  attributes: "pairs",
  functions: "pairs",
  methods: "pairs",
  classes: "pairs",
  "type aliases": "pairs",
  modules: "pairs",
  warns: "pairs",
  warnings: "pairs",
  returns: "items",
  yields: "items",
  receives: "items",
  examples: "block",
};

/**
 * The sections of a Google-style docstring, as griffe reads them: any `Title:` with an indented block below it is a section,
 * one that is not known by name an admonition.
 */
export function readGoogle(lines: readonly string[]): Section[] {
  const sections: Section[] = [];
  let text: string[] = [];
  let inCode = false;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const fence = isCodeFence(line);
    const title = !fence && !inCode ? titleAt(lines, i) : undefined;
    if (fence) inCode = !inCode;
    if (title === undefined) {
      text.push(line);
      continue;
    }
    const shape = Object.hasOwn(SECTIONS, title) ? SECTIONS[title]! : undefined;
    if (shape === undefined) {
      const { found, last } = readBlock(lines, i + 1);
      i = last;
      if (!found) {
        text.push(lines[i]!);
        continue;
      }
      sections.push(...textSection(text), { kind: "other" });
    } else {
      sections.push(...textSection(text));
      const { found, last } = readSection(lines, i + 1, shape);
      i = last;
      sections.push(...found);
    }
    text = [];
  }
  sections.push(...textSection(text));
  return sections;
}

/** The title of the section that starts on this line, in lower case. */
function titleAt(lines: readonly string[], i: number): string | undefined {
  const line = lines[i]!;
  const match = line.includes(":") ? TITLE.exec(line) : null;
  if (!match) return undefined;
  const [next, afterNext] = [lines[i + 1], lines[i + 2]];
  const isIndented = (below: string | undefined) =>
    below !== undefined && below.startsWith(" ") && !isBlank(below);
  if (!isIndented(next) && !isIndented(afterNext)) return undefined;
  if (i > 0 && !isBlank(lines[i - 1]!)) return undefined;
  if (isIndented(afterNext) && isBlank(next!)) return undefined;
  return match[1]!.toLowerCase();
}

function readSection(lines: readonly string[], from: number, shape: Shape): Reading<Section[]> {
  if (shape === "block") return { found: [{ kind: "other" }], last: readBlock(lines, from).last };
  const { found: items, last } = readItems(lines, from);
  if (shape === "parameters") {
    const parameters = items.flatMap(parameterOf);
    return { found: parameters.length > 0 ? [{ kind: "parameters", parameters }] : [], last };
  }
  const isFilled =
    shape === "items" ? items.length > 0 : items.some(([first]) => first!.includes(":"));
  return { found: isFilled ? [{ kind: "other" }] : [], last };
}

function parameterOf([first, ...rest]: readonly string[]): ParameterText[] {
  const colon = first!.indexOf(":");
  if (colon < 0) return [];
  const head = first!.slice(0, colon);
  const name =
    head.includes("(") && head.endsWith(")") ? strip(head.slice(0, head.indexOf("("))) : head;
  return [
    { name, description: rstripNewlines([lstrip(first!.slice(colon + 1)), ...rest].join("\n")) },
  ];
}

/** Items begin at the indentation of the first; what is indented further continues them. */
function readItems(lines: readonly string[], from: number): Reading<string[][]> {
  const indent = indentOf(lines[from] ?? "");
  if (indent === 0) return { found: [], last: from - 1 };
  const items = [[lines[from]!.slice(indent)]];
  let i = from + 1;
  for (; i < lines.length; i++) {
    const line = lines[i]!;
    const item = items.at(-1)!;
    if (isBlank(line)) item.push("");
    else if (startsWithSpaces(line, indent * 2)) item.push(line.slice(indent * 2));
    else if (startsWithSpaces(line, indent + 1)) item.push(lstrip(line));
    else if (startsWithSpaces(line, indent)) items.push([line.slice(indent)]);
    else break;
  }
  return { found: items, last: i - 1 };
}

/** Whether there is a block of indented lines, and where it ends. */
function readBlock(lines: readonly string[], from: number): Reading<boolean> {
  const indent = indentOf(lines[from] ?? "");
  if (indent === 0) return { found: false, last: from - 1 };
  let i = from + 1;
  while (i < lines.length && (startsWithSpaces(lines[i]!, indent) || isBlank(lines[i]!))) i++;
  return { found: true, last: i - 1 };
}
