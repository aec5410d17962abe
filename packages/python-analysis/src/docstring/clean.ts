/**
 * `inspect.cleandoc` of Python 3.13 and later: tabs become spaces, the indentation that all lines after the first share goes,
 * and so do blank lines at both ends. (Earlier versions take other white space than blanks for indentation, too.)
 */
export function cleanDocstring(docstring: string): string {
  const lines = expandTabs(docstring).split("\n");
  let margin = Number.POSITIVE_INFINITY;
  for (const line of lines.slice(1)) {
    const indent = leadingBlanks(line);
    if (indent < line.length) margin = Math.min(margin, indent);
  }
  const cleaned = lines.map((line, index) => {
    if (index === 0) return line.slice(leadingBlanks(line));
    return margin === Number.POSITIVE_INFINITY ? line : line.slice(margin);
  });
  while (cleaned.at(-1) === "") cleaned.pop();
  const first = cleaned.findIndex((line) => line !== "");
  return cleaned.slice(Math.max(first, 0)).join("\n");
}

function leadingBlanks(line: string): number {
  let count = 0;
  while (line[count] === " ") count++;
  return count;
}

/** `str.expandtabs()`: to multiples of eight columns, counted in code points from the last line end of either kind. */
function expandTabs(text: string): string {
  if (!text.includes("\t")) return text;
  let expanded = "";
  let column = 0;
  for (const character of text) {
    if (character === "\t") {
      const width = 8 - (column % 8);
      expanded += " ".repeat(width);
      column += width;
    } else {
      expanded += character;
      column = character === "\n" || character === "\r" ? 0 : column + 1;
    }
  }
  return expanded;
}
