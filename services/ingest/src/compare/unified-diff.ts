import { structuredPatch } from "diff";

export interface Diffed {
  /** Whole lines of a unified diff; empty where the texts are the same. */
  readonly diff: string;
  readonly additions: number;
  readonly deletions: number;
  readonly minimal: boolean;
  /** The end was left out, for it would be too much. */
  readonly truncated: boolean;
}

interface Hunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  readonly lines: readonly string[];
}

/** Myers' algorithm takes time by the square of the differences: beyond these it is not tried or given up. */
const MOST_EDITS = 4_000;
const MOST_LINES = 200_000;
/** Of a diff, in UTF-16 code units. */
const MOST_TEXT = 1024 * 1024;
const NO_NEWLINE = "\\ No newline at end of file";

/**
 * The unified diff that makes `to` of `from`. Lines end with LF only.
 *
 * @param names - what stands behind `---` and `+++`
 */
export function unifiedDiff(
  from: string,
  to: string,
  { context, names }: { context: number; names: readonly [string, string] },
): Diffed {
  if (from === to) return { diff: "", additions: 0, deletions: 0, minimal: true, truncated: false };
  const a = linesOf(from);
  const b = linesOf(to);
  const patch =
    a.length + b.length > MOST_LINES
      ? undefined
      : structuredPatch("", "", from, to, "", "", { context, maxEditLength: MOST_EDITS });
  const hunks: readonly Hunk[] = patch?.hunks ?? [replaceBetween(a, b, context)];

  const text = [`--- ${names[0]}\n+++ ${names[1]}\n`];
  let length = text.join("").length;
  let [additions, deletions, truncated] = [0, 0, false];
  const add = (line: string): void => {
    truncated ||= length + line.length + 1 > MOST_TEXT;
    if (truncated) return;
    text.push(line, "\n");
    length += line.length + 1;
  };
  for (const hunk of hunks) {
    add(`@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`);
    for (const line of hunk.lines) {
      if (line.startsWith("+")) additions += 1;
      else if (line.startsWith("-")) deletions += 1;
      add(line);
    }
  }
  return { diff: text.join(""), additions, deletions, minimal: patch !== undefined, truncated };
}

/** A hunk without lines of one side names the line before it. */
function range(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`;
}

/** Each with the line feed that ends it. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The one hunk that replaces all between the first and the last difference. */
function replaceBetween(a: readonly string[], b: readonly string[], context: number): Hunk {
  const shorter = Math.min(a.length, b.length);
  let before = 0;
  while (before < shorter && a[before] === b[before]) before += 1;
  let after = 0;
  while (after < shorter - before && a.at(-1 - after) === b.at(-1 - after)) after += 1;
  const start = Math.max(before - context, 0);
  const behind = Math.min(after, context);
  const lines: string[] = [];
  const add = (sign: string, some: readonly string[]): void => {
    for (const line of some) {
      if (line.endsWith("\n")) lines.push(sign + line.slice(0, -1));
      else lines.push(sign + line, NO_NEWLINE);
    }
  };
  add(" ", a.slice(start, before));
  add("-", a.slice(before, a.length - after));
  add("+", b.slice(before, b.length - after));
  add(" ", a.slice(a.length - after, a.length - after + behind));
  return {
    oldStart: start + 1,
    oldLines: a.length - after + behind - start,
    newStart: start + 1,
    newLines: b.length - after + behind - start,
    lines,
  };
}
