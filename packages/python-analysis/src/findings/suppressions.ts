/**
 * Comments that ask tools to look away, such as `# nosec`. They are reported and never obeyed: nothing else looks at comments, but
 * the block of dependencies (PEP 723) and the declaration of an encoding (PEP 263), which are no such comments.
 *
 * One that is for security tools is a finding of its own. So is one that is for all tools (a bare `# noqa`) where it stands by
 * something dangerous. Real code is full of the others: they are one finding together.
 */
import type { Finding } from "@sluice/contracts";
import type { Resolution } from "../capabilities/uses.js";
import type { ParsedModule, SyntaxNode } from "../structure/types.js";
import { finding, placeOf, quoted } from "./finding.js";
import { directivesOf, type Directive } from "./suppression-directives.js";

/** Of so many, further ones say nothing new. */
const MOST = 1_000;
/** Of what stands by a comment, so much is named. */
const MOST_NAMED = 3;
/** Findings on what is not dangerous in itself, which a comment may well be about. */
const HARMLESS = /^(?:complexity|docstring|imports|python|report|signature|source|tool)\./;

interface Suppression {
  readonly comment: SyntaxNode;
  readonly directives: readonly Directive[];
  readonly line: number;
  /** The last line that it is about: that of the comment, or the next one, where it has a line for itself. */
  readonly lastLine: number;
  /** Rules and capabilities of what stands there. */
  readonly by: Set<string>;
}

/**
 * @param findings - whatever else was found; a comment by one of these is worth a warning, as by a use of a capability
 */
export function suppressionFindings(
  parsed: ParsedModule,
  findings: readonly Finding[],
  { uses, shownAt }: Pick<Resolution, "uses" | "shownAt">,
): Finding[] {
  const suppressions = collect(parsed);
  if (suppressions.length === 0) return [];
  const marks = new Marks(suppressions);
  for (const { rule, line, end_line: end } of findings)
    if (line !== null && !HARMLESS.test(rule)) marks.mark(line, end ?? line, rule);
  for (const { capability, node: used } of uses) {
    const node = shownAt(used);
    const whole = node.field === "function" && node.parent ? node.parent : node;
    const { start, end = start } = placeOf(parsed, whole);
    marks.mark(start.line, end.line, capability);
  }
  const apart = suppressions.filter(({ directives, by }) =>
    directives.some(({ aim }) => aim === "security" || (aim === "all" && by.size > 0)),
  );
  const told = new Set(apart);
  return [
    ...apart.slice(0, MOST).map((suppression) => securityFinding(parsed, suppression)),
    ...linterFinding(
      parsed,
      suppressions.filter((each) => !told.has(each)),
    ),
  ];
}

function collect(parsed: ParsedModule): Suppression[] {
  return parsed.nodes.flatMap((node) => {
    if (node.type !== "comment") return [];
    const directives = directivesOf(node.text);
    if (directives.length === 0) return [];
    const { line } = parsed.position(node.startIndex);
    const lastLine = isAlone(parsed.text, node.startIndex) ? line + 1 : line;
    return { comment: node, directives, line, lastLine, by: new Set<string>() };
  });
}

/** Whether nothing stands before a comment on its line. Only so much is looked at that many comments take no long time. */
function isAlone(text: string, at: number): boolean {
  const before = text.slice(Math.max(at - 200, 0), at);
  return before.slice(before.lastIndexOf("\n") + 1).trim() === "";
}

/** Tells suppressions what stands on their lines. */
class Marks {
  constructor(private readonly inOrder: readonly Suppression[]) {}

  mark(start: number, end: number, what: string): void {
    for (let at = this.#firstUntil(start); at < this.inOrder.length; at++) {
      const { line, by } = this.inOrder[at]!;
      if (line > end) return;
      if (by.size < MOST_NAMED) by.add(what);
    }
  }

  /** The first one that is about a line or a later one; their lines ascend, so those of the last do. */
  #firstUntil(line: number): number {
    let [low, high] = [0, this.inOrder.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.inOrder[middle]!.lastLine < line) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function securityFinding(parsed: ParsedModule, { comment, directives, by }: Suppression): Finding {
  const isForSecurity = directives.some(({ aim }) => aim === "security");
  const tools = [...new Set(directives.map(({ tool }) => tool))].join(", ");
  const where = by.size === 0 ? "" : ` at ${[...by].toSorted().join(", ")}`;
  const message = `\`${quoted(comment.text.trim(), 80)}\` asks ${tools} to look away${where}`;
  const severity = isForSecurity && by.size > 0 ? "warning" : "info";
  return finding("suppression.security", message, placeOf(parsed, comment), { severity });
}

function linterFinding(parsed: ParsedModule, suppressions: readonly Suppression[]): Finding[] {
  const [first] = suppressions;
  if (!first) return [];
  const counts = new Map<string, number>();
  for (const { directives } of suppressions)
    for (const name of new Set(directives.map(({ name }) => name)))
      counts.set(name, (counts.get(name) ?? 0) + 1);
  const kinds = [...counts]
    .toSorted(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .map(([name, count]) => `${count} \`${name}\``);
  const number = suppressions.length;
  const message =
    number === 1
      ? `a comment asks linters or type checkers to look away: \`${[...counts.keys()].join("`, `")}\``
      : `${number} comments ask linters or type checkers to look away: ${kinds.join(", ")}; this is the first`;
  return [finding("suppression.linter", message, placeOf(parsed, first.comment))];
}
