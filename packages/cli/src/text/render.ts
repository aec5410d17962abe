/** An entry as text for people. */
import type { FunctionFacts, Parameter, ToolDescription } from "@sluice/contracts";
import { count, reportLines, type Style, verdictText, visibleStart } from "@sluice/report-formats";
import type { Entry, EntryMetadata } from "../entry.js";

/** What is listed of each kind; JSON has all of it. */
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
  if (report) lines.push(...reportLines(report, source, style));
  if (metadata) lines.push(...functionLines(metadata, style));
  const head = report ? `${name}: ${verdictText(report.verdict, style)}` : name;
  return `${[head, ...lines.map((line) => `  ${line}`)].join("\n")}\n\n`;
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
