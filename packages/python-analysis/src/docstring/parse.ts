import { cleanDocstring } from "./clean.js";
import { readGoogle } from "./google.js";
import { readNumpy } from "./numpy.js";
import { readSphinx } from "./sphinx.js";
import { rstrip } from "./text.js";

/** The styles in the order in which they are tried. */
const STYLES = { google: readGoogle, numpy: readNumpy, sphinx: readSphinx };

export interface ParsedDocstring {
  /** `null` where no style knows a section: the description is then the whole docstring. */
  readonly style: keyof typeof STYLES | null;
  /** The first text that is in no section; `null` where there is none. */
  readonly description: string | null;
  /** Descriptions by parameter, named as the docstring does, so `*args` may keep its star. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Takes a docstring apart as FastMCP 4.1 does with griffe 2.4: the first of Google's, NumPy's and Sphinx's styles that knows
 * some section in it wins.
 *
 * @param docstring - as {@link cleanDocstring} leaves it
 */
export function parseDocstring(docstring: string): ParsedDocstring {
  // Cleaned once more, since griffe does: what stays indented below the first line then loses that.
  const lines = cleanDocstring(rstrip(docstring)).split("\n");
  for (const [style, read] of Object.entries(STYLES)) {
    let description: string | null = null;
    const parameters = new Map<string, string>();
    let isStructured = false;
    for (const section of read(lines)) {
      if (section.kind === "text") {
        description ??= section.text;
        continue;
      }
      isStructured = true;
      if (section.kind === "other") continue;
      for (const parameter of section.parameters)
        parameters.set(parameter.name, parameter.description);
    }
    if (isStructured) return { style: style as keyof typeof STYLES, description, parameters };
  }
  return { style: null, description: docstring, parameters: new Map() };
}
