import type { Definition, FunctionDeclaration } from "../structure/definitions.js";
import { exportedNames } from "../structure/module.js";
import type { ParsedModule } from "../structure/types.js";
import { certainExports } from "./python/bindings.js";
import type { Scope } from "./python/scope.js";
import type { Registration } from "./registrations.js";

/** A function to describe as a tool. */
export interface Candidate {
  readonly facts: FunctionDeclaration;
  readonly definition: Definition;
  /** The index of the decorator that makes it a tool; `null` where none does. */
  readonly decorator: number | null;
  /** What makes it a tool, a decorator or a call; `null` where nothing does. */
  readonly registration: Registration | null;
}

/** `@tool`, `@mcp.tool(…)`, `@app.server.tool`: as the source is written. */
const TOOL_DECORATOR = /^(?:[\w.]+\.)?tool\s*(?:\(|$)/;
const OVERLOAD = /^(?:[\w.]+\.)?overload$/;

/** The functions with the statements that define them, told by their places. */
export function findCandidates(
  functions: readonly FunctionDeclaration[],
  definitions: readonly Definition[],
  lineOf: (definition: Definition) => number,
  registered: ReadonlyMap<string, Registration>,
  positional: readonly string[],
): Candidate[] {
  const byPlace = new Map(
    definitions.map((definition) => [
      `${lineOf(definition)}:${definition.qualifiedName}`,
      definition,
    ]),
  );
  return functions.flatMap((facts) => {
    const definition = byPlace.get(`${facts.line_number}:${facts.qualified_name}`);
    const decorator = facts.decorators.findIndex((text) => TOOL_DECORATOR.test(text));
    if (!definition) return [];
    const isGlobal = definition.scope.kind === "module";
    return [
      decorator < 0
        ? {
            facts,
            definition,
            decorator: null,
            registration: (isGlobal && registered.get(facts.name)) || null,
          }
        : {
            facts,
            definition,
            decorator,
            registration: { node: definition.decorators[decorator]!, positional },
          },
    ];
  });
}

/**
 * The functions of a module that are its tools: those it decorates or registers as such; if there are none, those that `__all__` names;
 * without one, the public functions at its top level. Of functions that share a name the last counts, as it does in Python.
 */
export function selectTools(
  candidates: readonly Candidate[],
  parsed: ParsedModule,
  module: Scope,
): Candidate[] {
  const defined = candidates.filter(
    ({ facts }) => !facts.decorators.some((text) => OVERLOAD.test(text)),
  );
  const registered = defined.filter(({ registration }) => registration !== null);
  if (registered.length > 0) return lastOfEach(registered);
  const global = defined.filter(({ definition }) => definition.scope.kind === "module");
  const exported = exportedNames(parsed) ?? certainExports(module.block);
  if (exported && exported.length > 0) {
    const names = new Set(exported);
    return lastOfEach(global.filter(({ facts }) => names.has(facts.name)));
  }
  return lastOfEach(
    global.filter(
      ({ facts, definition }) => !facts.name.startsWith("_") && isAtTopLevel(definition),
    ),
  );
}

/** Whether anything tells what a tool is for: its docstring, or a description where it is registered. */
export function isDescribed({ facts, registration }: Candidate): boolean {
  if (facts.docstring) return true;
  const given = registration?.node.childForFieldName("arguments")?.namedChildren ?? [];
  return given
    .filter((child) => child.type !== "comment")
    .some((item, i) =>
      item.type === "keyword_argument"
        ? item.childForFieldName("name")?.text === "description"
        : registration?.positional[i] === "description",
    );
}

function lastOfEach(candidates: readonly Candidate[]): Candidate[] {
  const last = new Map(candidates.map((candidate) => [candidate.facts.qualified_name, candidate]));
  return candidates.filter((candidate) => last.get(candidate.facts.qualified_name) === candidate);
}

function isAtTopLevel({ node }: Definition): boolean {
  const statement = node.parent?.type === "decorated_definition" ? node.parent : node;
  return statement.parent?.parent === null;
}
