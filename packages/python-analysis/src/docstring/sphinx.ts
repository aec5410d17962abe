import { cleanDocstring } from "./clean.js";
import type { ParameterText, Section } from "./sections.js";
import { isBlank, lstrip, rstripNewlines, strip } from "./text.js";

type Field = "type" | "parameter" | "attribute" | "exception" | "returns" | "plain";

/** A field is known by how its name begins, so the order matters. */
const FIELDS: readonly (readonly [RegExp, Field])[] = [
  [/^:type/, "type"],
  [/^:(?:param|arg|key)/, "parameter"],
  [/^:vartype/, "plain"],
  [/^:(?:var|ivar|cvar)/, "attribute"],
  [/^:(?:raise|except)/, "exception"],
  [/^:return/, "returns"],
  [/^:rtype/, "plain"],
];

/** The sections of a docstring with Sphinx's field lists, as griffe reads them: the text around the fields, then the fields. */
export function readSphinx(lines: readonly string[]): Section[] {
  const text: string[] = [];
  const parameters = new Map<string, ParameterText>();
  let hasOther = false;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const field = line.startsWith(":")
      ? FIELDS.find(([prefix]) => prefix.test(line))?.[1]
      : undefined;
    if (field === undefined) {
      text.push(line);
      continue;
    }
    const start = i;
    while (i + 1 < lines.length && !lines[i + 1]!.startsWith(":")) i++;
    const directive = parseDirective(lines.slice(start, i + 1));
    if (!directive) continue;
    const { words, value } = directive;
    if (field === "parameter") {
      const name = words.at(-1)!;
      if (words.length > 1 && !parameters.has(name))
        parameters.set(name, { name, description: value });
    } else if (
      field === "returns" ||
      ((field === "attribute" || field === "exception") && words.length === 2)
    ) {
      hasOther = true;
    }
  }
  const sections: Section[] = [{ kind: "text", text: withoutBlankEnds(text).join("\n") }];
  if (parameters.size > 0)
    sections.push({ kind: "parameters", parameters: [...parameters.values()] });
  if (hasOther) sections.push({ kind: "other" });
  return sections;
}

/** `:words of the field: value` */
function parseDirective(lines: readonly string[]): { words: string[]; value: string } | undefined {
  const text = rstripNewlines(cleanDocstring([lstrip(lines[0]!), ...lines.slice(1)].join("\n")));
  const end = text.indexOf(":", 1);
  if (end < 0) return undefined;
  return { words: text.slice(1, end).split(" "), value: strip(text.slice(end + 1)) };
}

function withoutBlankEnds(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => !isBlank(line));
  const last = lines.findLastIndex((line) => !isBlank(line));
  // Of blank lines only, griffe's arithmetic leaves nothing, too.
  return first < 0 ? [] : lines.slice(first, last + 1);
}
