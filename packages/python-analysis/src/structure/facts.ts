import type { AnalysisMetadata, ClassFacts, FunctionFacts, Parameter } from "@sluice/contracts";
import { inferDependencies } from "../dependencies/imports.js";
import { readDeclaration } from "../dependencies/script-metadata.js";
import { parseDocstring } from "../docstring/parse.js";
import { classFactsOf, collectDefinitions, functionFactsOf } from "./definitions.js";
import { collectImports, moduleName } from "./imports.js";
import type { ParsedModule } from "./types.js";

/** What a module says of itself, without what follows from it. */
export type StructureFacts = Pick<
  AnalysisMetadata,
  "requires_python" | "functions" | "classes" | "imports" | "dependencies" | "dependencies_source"
>;

/** Lists a module's functions, classes, imports and dependencies. */
export function readStructure(parsed: ParsedModule): StructureFacts {
  const { functions, classes } = collectDefinitions(parsed);
  const imports = collectImports(parsed);
  const declared = readDeclaration(parsed.text).metadata;
  return {
    requires_python: declared?.requiresPython ?? null,
    functions: functions.map((each) => withDescriptions(functionFactsOf(parsed, each))),
    classes: classes.map((each) => withDescription(classFactsOf(parsed, each))),
    imports: [...new Set(imports.map(moduleName))],
    dependencies: declared
      ? declared.dependencies.map(({ normalised }) => normalised)
      : inferDependencies(imports),
    dependencies_source: declared ? "pep723" : "inferred",
  };
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
