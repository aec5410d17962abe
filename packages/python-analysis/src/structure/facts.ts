import type {
  AnalysisMetadata,
  ClassFacts,
  FunctionFacts,
  ImportDetail,
  Parameter,
} from "@sluice/contracts";
import { measureComplexity, type FunctionComplexity } from "../complexity.js";
import { DeclaredDependencies, inferDependencies, sourcesOf } from "../dependencies/imports.js";
import { readDeclaration } from "../dependencies/script-metadata.js";
import { parseDocstring } from "../docstring/parse.js";
import { readBodies, type Bodies } from "./bodies.js";
import { classFactsOf, collectDefinitions, docstringOf, functionFactsOf } from "./definitions.js";
import { collectImports, moduleName, type Import } from "./imports.js";
import { entryPoint, exportedNames } from "./module.js";
import type { ParsedModule } from "./types.js";

/** What a module says of itself, without what follows from it. */
export type StructureFacts = Omit<AnalysisMetadata, "python_version" | "tools">;

/** As many imports as are listed in detail, so that `import a, a, a, …` does not become a hundred times as long. */
const MOST_IMPORT_DETAILS = 5_000;
/** As much JSON, in UTF-16 units, as each list of facts may come to: what is said of `def f(a,b):0` is 45 times as long. */
const MOST_JSON = 16_777_216;

const LISTS = ["functions", "classes", "import_details"] as const;

/** Some facts of a list, and whether others were left out. */
interface Fitting<Facts> {
  readonly fit: Facts[];
  readonly cut: boolean;
}

/** Lists a module's functions, classes, imports and dependencies. */
export function readStructure(parsed: ParsedModule): StructureFacts {
  const imports = collectImports(parsed);
  const declared = readDeclaration(parsed.text).metadata;
  const details = detailsOf(imports, new DeclaredDependencies(declared?.dependencies ?? []));
  const lists = {
    functions: functionsOf(parsed),
    classes: fitting(collectDefinitions(parsed).classes, (each) =>
      withDescription(classFactsOf(parsed, each)),
    ),
    import_details: fitting(details, (detail) => detail, MOST_IMPORT_DETAILS),
  };
  return {
    requires_python: declared?.requiresPython ?? null,
    docstring: docstringOf(parsed.root),
    exports: exportedNames(parsed),
    entry_point: entryPoint(parsed),
    functions: lists.functions.fit,
    classes: lists.classes.fit,
    imports: [...new Set(imports.map(moduleName))],
    import_details: lists.import_details.fit,
    dependencies: declared
      ? declared.dependencies.map(({ normalised }) => normalised)
      : inferDependencies(imports),
    dependencies_source: declared ? "pep723" : "inferred",
    truncated: LISTS.filter((name) => lists[name].cut),
  };
}

function functionsOf(parsed: ParsedModule): Fitting<FunctionFacts> {
  const bodies = readBodies(parsed);
  return fitting(measureComplexity(parsed).functions, (measured) =>
    withDescriptions(wholeFunction(parsed, measured, bodies)),
  );
}

/** The facts of the first of the items, at most so many, and no more than come to {@link MOST_JSON}. */
function fitting<Item, Facts>(
  items: Iterable<Item>,
  factsOf: (item: Item) => Facts,
  most = Infinity,
): Fitting<Facts> {
  const fit: Facts[] = [];
  let length = 0;
  for (const item of items) {
    const facts = factsOf(item);
    length += JSON.stringify(facts).length;
    if (length > MOST_JSON || fit.length === most) return { fit, cut: true };
    fit.push(facts);
  }
  return { fit, cut: false };
}

function wholeFunction(
  parsed: ParsedModule,
  { definition, lines, maxNesting, mccabe, cognitive }: FunctionComplexity,
  { generators, raises }: Bodies,
): FunctionFacts {
  return {
    ...functionFactsOf(parsed, definition),
    is_generator: generators.has(definition.node),
    raises: [...(raises.get(definition.node) ?? [])],
    complexity: { lines, max_nesting: maxNesting, mccabe, cognitive },
  };
}

/** At least one more than are listed, where there are that many. */
function detailsOf(imports: readonly Import[], declared: DeclaredDependencies): ImportDetail[] {
  const details: ImportDetail[] = [];
  for (const imported of imports) {
    if (details.length > MOST_IMPORT_DETAILS) break;
    for (const { names, origin } of sourcesOf(imported, declared)) {
      details.push({
        module: imported.module,
        level: imported.level,
        names: names && names.map(({ name, alias }) => ({ name, alias })),
        alias: imported.alias,
        scope: imported.scope,
        is_conditional: imported.isConditional,
        is_type_checking: imported.isForTypeChecking,
        line_number: imported.position.line,
        column: imported.position.column,
        ...origin,
      });
    }
  }
  return details;
}

function withDescription(facts: ClassFacts): ClassFacts {
  if (facts.docstring === null) return facts;
  return { ...facts, description: parseDocstring(facts.docstring).description || null };
}

function withDescriptions(facts: FunctionFacts): FunctionFacts {
  if (facts.docstring === null) return facts;
  const { description, parameters } = parseDocstring(facts.docstring);
  const describe = (parameter: Parameter) => {
    const names = [parameter.name, `*${parameter.name}`, `**${parameter.name}`];
    const text = names.map((name) => parameters.get(name)).find((each) => each !== undefined);
    return { ...parameter, description: text || null };
  };
  return { ...facts, description: description || null, parameters: facts.parameters.map(describe) };
}
