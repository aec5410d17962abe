/** What `str.isspace` and `\s` mean to Python, which is not what `\s` means to JavaScript. */
export const PYTHON_SPACE =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const LEADING = new RegExp(`^[${PYTHON_SPACE}]+`);
const BLANK = new RegExp(`^[${PYTHON_SPACE}]*$`);
const SPACE = new RegExp(`[${PYTHON_SPACE}]`);

/** `str.lstrip()` */
export function lstrip(text: string): string {
  return text.replace(LEADING, "");
}

/** `str.rstrip()`; linear, whatever the text. */
export function rstrip(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** `str.strip()` */
export function strip(text: string): string {
  return lstrip(rstrip(text));
}

/** `str.rstrip("\n")` */
export function rstripNewlines(text: string): string {
  let end = text.length;
  while (text[end - 1] === "\n") end--;
  return text.slice(0, end);
}

/** Whether a line is empty but for white space. */
export function isBlank(line: string): boolean {
  return BLANK.test(line);
}

/** The length of a line's leading white space. */
export function indentOf(line: string): number {
  return LEADING.exec(line)?.[0].length ?? 0;
}

/** Whether a line begins with so many blanks. */
export function startsWithSpaces(line: string, count: number): boolean {
  for (let i = 0; i < count; i++) if (line[i] !== " ") return false;
  return true;
}
