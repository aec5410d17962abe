import type { SearchResults } from "@sluice/contracts";
import { type Style, visible } from "@sluice/report-formats";

type Item = SearchResults["items"][number];
type Match = Item["matches"][number];

/** A line for each line with hits; at least one for each script. */
export function renderItem(item: Item, style: Style): string {
  const path = style.magenta(visible(`${item.namespace}/${item.filename}`));
  const lines = item.matches.flatMap((match) => {
    const text = renderSnippet(match, style);
    if (match.line !== null)
      return `${path}:${style.green(String(match.line))}:${match.column}: ${text}`;
    return match.in === "name" ? [] : `${path}: ${match.in} ${text}`;
  });
  const shown = lines.length === 0 ? [path] : lines;
  return shown.map((line) => `${line}\n`).join("");
}

function renderSnippet({ snippet, ranges }: Match, style: Style): string {
  const points = [...snippet];
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of ranges) {
    parts.push(
      shown(points.slice(at, start)),
      style.red(style.bold(shown(points.slice(start, end)))),
    );
    at = end;
  }
  return [...parts, shown(points.slice(at))].join("");
}

/** Tabs stay as they are: they harm no terminal, and lines are to be the source's. */
function shown(points: readonly string[]): string {
  return points.join("").split("\t").map(visible).join("\t");
}
