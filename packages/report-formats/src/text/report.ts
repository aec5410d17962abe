/** A report as text for people, with what it is about quoted and marked. */
import type { AnalysisReport, Capability, Finding } from "@sluice/contracts";
import { describeCapability } from "@sluice/python-analysis/vocabulary";
import type { ReportedFile } from "../reported-file.js";
import { linesOf, type SourceLine, type SourceLines } from "../source-lines.js";
import { excerpt, type Mark } from "./excerpt.js";
import type { Style } from "./style.js";
import { Totals } from "./totals.js";
import { visible, visibleStart } from "./visible.js";

/** What is shown of each capability; JSON and SARIF have more. */
const MOST_USES = 10;
const LONGEST_TEXT = 1_000;
/** UTF-16 units of a name in a script that are underlined. */
const LONGEST_NAME = 200;
const DOTTED_NAME = /^[\p{ID_Continue}.]*[\p{ID_Continue}]/u;

/** One file's report as a text of its own: the verdict, findings, capabilities, and how many of them there are. */
export function toText(file: ReportedFile, style: Style): string {
  const totals = new Totals();
  totals.add(file.report);
  const lines = reportLines(file.report, file.source, style).map((line) => `  ${line}`);
  const head = `${style.bold(visibleStart(file.name, LONGEST_TEXT))}: ${verdictText(file.report.verdict, style)}`;
  return [head, ...lines, ...totals.lines(), ""].join("\n");
}

/** @param source - `undefined` where it is not at hand, and nothing is quoted */
export function reportLines(
  report: AnalysisReport,
  source: Uint8Array | undefined,
  style: Style,
): string[] {
  const context = { lines: source && linesOf(source), style, explained: new Set<string>() };
  return [
    ...report.findings.flatMap((finding) => findingLines(finding, context)),
    ...report.capabilities.flatMap((capability) => capabilityLines(capability, context)),
  ];
}

interface Context {
  readonly lines: SourceLines | undefined;
  readonly style: Style;
  /** Rules that were explained: once is enough. */
  readonly explained: Set<string>;
}

export function verdictText(verdict: AnalysisReport["verdict"], style: Style): string {
  switch (verdict) {
    case "allowed":
      return style.green("allowed");
    case "needs_approval":
      return style.yellow("needs approval");
    case "refused":
    case "malicious":
    case "invalid":
      return style.red(verdict);
  }
}

function findingLines(finding: Finding, context: Context): string[] {
  const { rule, severity, confidence, message, line, column } = finding;
  const { style } = context;
  const place = line === null ? "" : ` ${line}:${column ?? 1}`;
  const doubt = confidence === "high" ? "" : `, ${confidence} confidence`;
  const tag = style.dim(`[${visibleStart(rule, LONGEST_TEXT)}${doubt}]`);
  return [
    `${severityText(severity, style)}${place}: ${visibleStart(message, LONGEST_TEXT)} ${tag}`,
    ...excerptLines(line, column !== null && markOf(finding), context),
    ...explanation(finding, context),
  ];
}

function severityText(severity: Finding["severity"], style: Style): string {
  if (severity === "info") return style.cyan(severity);
  return severity === "error" ? style.red(severity) : style.yellow(severity);
}

function markOf({ line, column, end_line: endLine, end_column: endColumn }: Finding): Mark {
  const isWithin = endLine === null || endLine === line;
  return { column: column ?? 1, endColumn: isWithin ? endColumn : Infinity };
}

function explanation({ rule, why, help }: Finding, { style, explained }: Context): string[] {
  if (explained.has(rule)) return [];
  explained.add(rule);
  const lines = [];
  if (why !== null) lines.push(style.dim(`    why: ${visible(why)}`));
  if (help !== null) lines.push(style.dim(`    help: ${visible(help)}`));
  return lines;
}

function capabilityLines({ capability, decision, uses }: Capability, context: Context): string[] {
  const { style, lines: source } = context;
  const meaning = describeCapability(capability);
  const lines = uses.slice(0, MOST_USES).flatMap(({ reference, line, column, chain }) => {
    const [, ...reached] = chain[0] === reference ? chain : [reference, ...chain];
    const path = [reference, ...reached].map((step) => visibleStart(step, LONGEST_TEXT));
    const text = source?.line(line);
    const mark = { column, endColumn: text ? nameEnd(text, column) : null };
    return [
      `  ${line}:${column} ${path.join(style.dim(" ← "))}`,
      ...excerptLines(line, mark, context),
    ];
  });
  if (uses.length > MOST_USES) lines.push(style.dim(`  … and ${uses.length - MOST_USES} more`));
  const name = style.bold(visibleStart(capability, LONGEST_TEXT));
  const gloss = meaning === undefined ? "" : style.dim(` (${meaning})`);
  return [`${name}: ${verdictText(decision, style)}${gloss}`, ...lines];
}

/** The column behind the name, dots included, that starts at a place; `null` where there is none. */
function nameEnd(line: SourceLine, column: number): number | null {
  const start = line.offset(column - 1);
  const name = DOTTED_NAME.exec(line.text.slice(start, start + LONGEST_NAME));
  return name && column + [...name[0]].length;
}

/** @param mark - `false` where all of the line is meant */
function excerptLines(line: number | null, mark: Mark | false, context: Context): string[] {
  const { lines, style } = context;
  const text = line === null ? undefined : lines?.line(line);
  if (line === null || text === undefined) return [];
  const { source, carets } = excerpt(text, mark || { column: 1, endColumn: null });
  const gutter = String(line).padStart(5);
  const quoted = `${style.dim(`${gutter} |`)} ${source}`;
  if (!mark) return [quoted];
  return [quoted, `${style.dim(`${" ".repeat(gutter.length)} |`)} ${style.red(carets)}`];
}
