/** An entry as text for people. */
import type {
  AnalysisReport,
  Capability,
  Finding,
  FunctionFacts,
  Parameter,
  ToolDescription,
} from "@sluice/contracts";
import {
  excerpt,
  linesOf,
  type SourceLines,
  type Style,
  visible,
  visibleStart,
} from "@sluice/report-formats";
import type { Entry, EntryMetadata } from "../entry.js";

/** What is listed of each kind; JSON has all of it. */
const MOST_USES = 10;
const MOST_FUNCTIONS = 100;
const MOST_DIAGNOSTICS = 20;
const LONGEST_SIGNATURE = 120;
const LONGEST_TEXT = 1_000;

/** @param source - as it was read; `undefined` where it was not */
export function renderEntry(entry: Entry, source: Uint8Array | undefined, style: Style): string {
  const { file, report, metadata, error } = entry;
  const name = style.bold(visibleStart(file, LONGEST_TEXT));
  const lines: string[] = [];
  if (error) lines.push(`${style.red("error")}: ${visibleStart(error.message, LONGEST_TEXT)}`);
  if (report) {
    const text = linesOf(source ?? new Uint8Array());
    for (const finding of report.findings) lines.push(...findingLines(finding, text, style));
    for (const capability of report.capabilities) lines.push(...capabilityLines(capability, style));
  }
  if (metadata) lines.push(...functionLines(metadata, style));
  const head = report ? `${name}: ${verdictText(report.verdict, style)}` : name;
  return `${[head, ...lines.map((line) => `  ${line}`)].join("\n")}\n\n`;
}

function verdictText(verdict: AnalysisReport["verdict"], style: Style): string {
  switch (verdict) {
    case "allowed":
      return style.green("allowed");
    case "needs_approval":
      return style.yellow("needs approval");
    case "refused":
      return style.red("refused");
    case "malicious":
    case "invalid":
      return style.red(verdict);
  }
}

function decisionText(decision: Capability["decision"], style: Style): string {
  return verdictText(decision, style);
}

function severityText(severity: Finding["severity"], style: Style): string {
  if (severity === "info") return style.cyan(severity);
  return severity === "error" ? style.red(severity) : style.yellow(severity);
}

function findingLines(finding: Finding, source: SourceLines, style: Style): string[] {
  const { rule, severity, message, line, column, help } = finding;
  const place = line === null ? "" : ` ${line}:${column ?? 1}`;
  const lines = [
    `${severityText(severity, style)}${place}: ${visibleStart(message, LONGEST_TEXT)} ${style.dim(`[${rule}]`)}`,
    ...excerptLines(finding, source, style),
  ];
  if (help !== null) lines.push(style.dim(`    help: ${visible(help)}`));
  return lines;
}

function excerptLines(finding: Finding, source: SourceLines, style: Style): string[] {
  const { line, column, end_line: endLine, end_column: endColumn } = finding;
  const text = line === null ? undefined : source.line(line);
  if (line === null || text === undefined) return [];
  const shown = excerpt(text, {
    column: column ?? 1,
    endColumn: endLine === null || endLine === line ? endColumn : Infinity,
  });
  const gutter = String(line).padStart(5);
  const lines = [`${style.dim(`${gutter} |`)} ${shown.source}`];
  // Without a column CPython means the whole line.
  if (column !== null)
    lines.push(`${style.dim(`${" ".repeat(gutter.length)} |`)} ${style.red(shown.carets)}`);
  return lines;
}

function capabilityLines({ capability, decision, uses }: Capability, style: Style): string[] {
  const lines = uses.slice(0, MOST_USES).map(({ reference, line, column, chain }) => {
    const [, ...reached] = chain[0] === reference ? chain : [reference, ...chain];
    const path = [reference, ...reached].map((step) => visibleStart(step, LONGEST_TEXT));
    return `    ${line}:${column} ${path.join(style.dim(" ← "))}`;
  });
  if (uses.length > MOST_USES) lines.push(style.dim(`    … and ${uses.length - MOST_USES} more`));
  return [`${style.bold(capability)}: ${decisionText(decision, style)}`, ...lines];
}

function functionLines({ functions, tools }: EntryMetadata, style: Style): string[] {
  if (functions.length === 0) return [];
  const byPlace = new Map(tools.map((tool) => [`${tool.line_number} ${tool.function}`, tool]));
  const lines = functions.slice(0, MOST_FUNCTIONS).flatMap((facts) => {
    const tool = byPlace.get(`${facts.line_number} ${facts.qualified_name}`);
    const signature = visibleStart(signatureText(facts), LONGEST_SIGNATURE);
    return [
      `${String(facts.line_number).padStart(5)} ${signature}${tool ? `  ${toolText(tool, style)}` : ""}`,
      ...(tool ? diagnosticLines(tool) : []),
    ];
  });
  if (functions.length > MOST_FUNCTIONS)
    lines.push(style.dim(`      … and ${functions.length - MOST_FUNCTIONS} more`));
  const described = tools.filter(({ tool }) => tool !== null).length;
  const head = `${count(functions.length, "function")}, ${count(described, "tool")}`;
  return [style.bold(head), ...lines];
}

function toolText({ tool, discoverable }: ToolDescription, style: Style): string {
  if (tool === null) return style.yellow("no tool");
  const named = style.green(`tool ${visibleStart(tool.name, LONGEST_SIGNATURE)}`);
  return discoverable ? named : `${named} ${style.yellow("(not discoverable)")}`;
}

function diagnosticLines({ diagnostics }: ToolDescription): string[] {
  const lines = diagnostics
    .slice(0, MOST_DIAGNOSTICS)
    .map(({ code, message }) => `        ${visibleStart(message, LONGEST_TEXT)} [${code}]`);
  if (diagnostics.length > MOST_DIAGNOSTICS)
    lines.push(`        … and ${diagnostics.length - MOST_DIAGNOSTICS} more`);
  return lines;
}

/** What is beyond the longest that is shown need not be put together. */
function signatureText(facts: FunctionFacts): string {
  let text = `${facts.is_async ? "async " : ""}${facts.qualified_name}(`;
  let kind: Parameter["kind"] | undefined;
  for (const [i, parameter] of facts.parameters.entries()) {
    if (text.length > LONGEST_SIGNATURE) return text;
    if (i > 0) text += ", ";
    if (kind === "positional_only" && parameter.kind !== "positional_only") text += "/, ";
    const opensKeywords = parameter.kind === "keyword_only" && kind !== "keyword_only";
    if (opensKeywords && kind !== "var_positional") text += "*, ";
    text += parameterText(parameter);
    kind = parameter.kind;
  }
  if (kind === "positional_only") text += ", /";
  return `${text})${facts.return_type === null ? "" : ` -> ${start(facts.return_type)}`}`;
}

function parameterText({ name, kind, annotation, default: value }: Parameter): string {
  const stars = kind === "var_positional" ? "*" : kind === "var_keyword" ? "**" : "";
  const typed = annotation === null ? "" : `: ${start(annotation)}`;
  if (value === null) return stars + name + typed;
  return `${stars}${name}${typed}${annotation === null ? "=" : " = "}${start(value)}`;
}

function start(source: string): string {
  return source.slice(0, LONGEST_SIGNATURE + 1);
}

/** A number of things, such as `1,790 files`. */
export function count(number: number, thing: string): string {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}
