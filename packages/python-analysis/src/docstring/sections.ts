/** A part of a docstring, as far as descriptions go. */
export type Section =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "parameters"; readonly parameters: readonly ParameterText[] }
  /** Returns, raises, examples, admonitions and so on: known to be no part of the text. */
  | { readonly kind: "other" };

export interface ParameterText {
  readonly name: string;
  readonly description: string;
}

/** What a section's reader found, and the last line that it read. */
export interface Reading<T> {
  readonly found: T;
  readonly last: number;
}

export function textSection(lines: readonly string[]): Section[] {
  if (lines.every((line) => line === "")) return [];
  let end = lines.length;
  while (lines[end - 1] === "") end--;
  return [{ kind: "text", text: lines.slice(0, end).join("\n") }];
}

/** Whether a line opens or closes a block of code, in which nothing is a section. */
export function isCodeFence(line: string): boolean {
  return /^ *```/.test(line);
}
