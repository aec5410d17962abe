/** What differs between what the analysis found in two versions. */
import type { AnalysisMetadata, AnalysisReport, Comparison, ToolProfile } from "@sluice/contracts";

type FunctionFacts = AnalysisMetadata["functions"][number];
type FromMetadata = Pick<Comparison, "functions" | "tools" | "imports" | "dependencies">;
type FromReport = Pick<Comparison, "capabilities" | "findings">;

export function compareMetadata(
  from: AnalysisMetadata,
  to: AnalysisMetadata,
  profile: ToolProfile,
): FromMetadata {
  const functions = match(keyed(from.functions, nameOf), keyed(to.functions, nameOf));
  const toolsOf = ({ tools }: AnalysisMetadata) => keyed(tools[profile], (tool) => tool.function);
  const tools = match(toolsOf(from), toolsOf(to));
  const required = match(
    keyed(from.dependencies, distributionOf),
    keyed(to.dependencies, distributionOf),
  );
  return {
    functions: {
      added: functions.added.map(toRef),
      removed: functions.removed.map(toRef),
      changed: functions.both.flatMap(([a, b]) => {
        const what = changesOf(a, b);
        if (what.length === 0) return [];
        return [{ qualified_name: nameOf(a), from: toRef(a), to: toRef(b), what }];
      }),
    },
    tools: {
      added: tools.added.map((tool) => tool.function),
      removed: tools.removed.map((tool) => tool.function),
      changed: tools.both
        .filter(([a, b]) => !same(a.tool, b.tool) || a.discoverable !== b.discoverable)
        .map(([a]) => a.function),
    },
    imports: compareNames(from.imports, to.imports),
    dependencies: {
      added: required.added,
      removed: required.removed,
      changed: required.both
        .filter(([a, b]) => a !== b)
        .map(([a, b]) => ({ name: distributionOf(a), from: a, to: b })),
    },
  };
}

export function compareReports(from: AnalysisReport, to: AnalysisReport): FromReport {
  const nameOfCapability = (item: AnalysisReport["capabilities"][number]) => item.capability;
  const capabilities = match(
    keyed(from.capabilities, nameOfCapability),
    keyed(to.capabilities, nameOfCapability),
  );
  const toDecided = ({ capability, decision }: AnalysisReport["capabilities"][number]) => ({
    capability,
    decision,
  });
  return {
    capabilities: {
      added: capabilities.added.map(toDecided),
      removed: capabilities.removed.map(toDecided),
      changed: capabilities.both.flatMap(([a, b]) => {
        const references = compareNames(
          a.uses.map(({ reference }) => reference),
          b.uses.map(({ reference }) => reference),
        );
        const { added, removed } = references;
        if (a.decision === b.decision && added.length + removed.length === 0) return [];
        return [{ capability: a.capability, from: a.decision, to: b.decision, references }];
      }),
    },
    findings: {
      from: countFindings(from),
      to: countFindings(to),
      rules: compareNames(
        from.findings.map(({ rule }) => rule),
        to.findings.map(({ rule }) => rule),
      ),
    },
  };
}

/** Those of one name are told apart by their order. */
function keyed<Item>(
  items: readonly Item[],
  nameOfItem: (item: Item) => string,
): Map<string, Item> {
  const seen = new Map<string, number>();
  const all = new Map<string, Item>();
  for (const item of items) {
    const name = nameOfItem(item);
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    all.set(`${nth}:${name}`, item);
  }
  return all;
}

function match<Item>(from: ReadonlyMap<string, Item>, to: ReadonlyMap<string, Item>) {
  const both: [Item, Item][] = [];
  const removed: Item[] = [];
  for (const [key, item] of from) {
    const other = to.get(key);
    if (other === undefined) removed.push(item);
    else both.push([item, other]);
  }
  const added = [...to].filter(([key]) => !from.has(key)).map(([, item]) => item);
  return { added, removed, both };
}

function compareNames(from: readonly string[], to: readonly string[]) {
  const [before, after] = [new Set(from), new Set(to)];
  return {
    added: [...after].filter((name) => !before.has(name)),
    removed: [...before].filter((name) => !after.has(name)),
  };
}

function countFindings({ findings }: AnalysisReport) {
  const counts = { error: 0, warning: 0, info: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
}

function changesOf(a: FunctionFacts, b: FunctionFacts) {
  const what: ("signature" | "decorators" | "docstring" | "complexity")[] = [];
  if (signatureOf(a) !== signatureOf(b)) what.push("signature");
  if (!same(a.decorators, b.decorators)) what.push("decorators");
  if (a.docstring !== b.docstring) what.push("docstring");
  if (!same(a.complexity, b.complexity)) what.push("complexity");
  return what;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function nameOf({ qualified_name }: FunctionFacts): string {
  return qualified_name;
}

function toRef(facts: FunctionFacts) {
  const { qualified_name, line_number } = facts;
  return { qualified_name, line_number, signature: signatureOf(facts) };
}

/** The canonical name (PEP 503) that a requirement (PEP 508) begins with. */
function distributionOf(requirement: string): string {
  const [name = requirement] = /^[A-Za-z0-9._-]+/.exec(requirement) ?? [];
  return name.replaceAll(/[-_.]+/g, "-").toLowerCase();
}

/** As the `def` has it, on one line. */
export function signatureOf({
  name,
  is_async,
  parameters,
  return_type,
  type_parameters,
}: FunctionFacts): string {
  const parts: string[] = [];
  let starred = false;
  for (const [index, parameter] of parameters.entries()) {
    const { kind, annotation } = parameter;
    if (kind === "keyword_only" && !starred) parts.push("*");
    if (kind === "keyword_only" || kind === "var_positional") starred = true;
    const stars = kind === "var_positional" ? "*" : kind === "var_keyword" ? "**" : "";
    const type = annotation === null ? "" : `: ${annotation}`;
    const assigned = annotation === null ? "=" : " = ";
    const value = parameter.default === null ? "" : assigned + parameter.default;
    parts.push(`${stars}${parameter.name}${type}${value}`);
    if (kind === "positional_only" && parameters[index + 1]?.kind !== "positional_only") {
      parts.push("/");
    }
  }
  const types = type_parameters.map((item) => {
    const stars = { type_var: "", type_var_tuple: "*", param_spec: "**" }[item.kind];
    const bound = item.bound === null ? "" : `: ${item.bound}`;
    return `${stars}${item.name}${bound}${item.default === null ? "" : ` = ${item.default}`}`;
  });
  const generic = types.length === 0 ? "" : `[${types.join(", ")}]`;
  const returns = return_type === null ? "" : ` -> ${return_type}`;
  return `${is_async ? "async " : ""}def ${name}${generic}(${parts.join(", ")})${returns}`;
}
