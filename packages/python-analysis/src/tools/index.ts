import type { McpTool, ToolDescription, ToolProfile } from "@sluice/contracts";
import {
  type Definition,
  type FunctionDeclaration,
  collectDefinitions,
  functionFactsOf,
} from "../structure/definitions.js";
import { statements } from "../structure/statements.js";
import type { ParsedModule, SyntaxNode } from "../structure/types.js";
import { Diagnostics, Refusal } from "./diagnostics.js";
import { describeForFastmcp } from "./profiles/fastmcp.js";
import { describeForMcp } from "./profiles/mcp.js";
import { asRefusal } from "./profiles/refusals.js";
import { instanceAttribute } from "./pydantic/instances.js";
import { Interpreter } from "./python/interpreter.js";
import { type Frame, Scope } from "./python/scope.js";
import { withTypeParameters } from "./python/type-parameters.js";
import { PythonError, type Value } from "./python/values.js";
import { type Candidate, findCandidates, isDescribed, selectTools } from "./select.js";
import { type Registration, positionalOptions, registeredFunctions } from "./registrations.js";
import { signatureOf } from "./signature.js";
import type { DecoratorOptions, ToolSource } from "./source.js";

const PROFILES: Readonly<Record<ToolProfile, (source: ToolSource) => McpTool>> = {
  fastmcp: describeForFastmcp,
  mcp: describeForMcp,
};

/** @see https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-names */
const TOOL_NAME = /^[A-Za-z0-9._-]{1,128}$/;

/** Characters of schemas that one module's tools may come to, after which the rest are not described. */
const MOST_OUTPUT = 10_000_000;

interface ModuleReader {
  readonly interpreter: Interpreter;
  readonly module: Scope;
  readonly deferred: boolean;
  /** Whether it has syntax that Python 3.11 does not know. */
  readonly needsPython312: boolean;
  readonly definitions: readonly Definition[];
  readonly scopes: Map<SyntaxNode, Scope>;
}

const readers = new WeakMap<ParsedModule, ModuleReader>();

function readerOf(parsed: ParsedModule): ModuleReader {
  let reader = readers.get(parsed);
  if (!reader) {
    const interpreter = new Interpreter(instanceAttribute);
    const module = new Scope(interpreter, "module", "", null, parsed.root.children);
    reader = {
      interpreter,
      module,
      deferred: module.defersAnnotations,
      needsPython312: hasTypeParameters(parsed),
      definitions: collectDefinitions(parsed).functions,
      scopes: new Map(),
    };
    readers.set(parsed, reader);
  }
  return reader;
}

function hasTypeParameters(parsed: ParsedModule): boolean {
  for (const node of statements(parsed)) {
    if (node.type === "type_alias_statement" || node.childForFieldName("type_parameters"))
      return true;
  }
  return false;
}

/**
 * The functions of a module as the tools that a reference runtime makes of them: FastMCP 4.1 or the official MCP Python SDK 2.3,
 * with pydantic 2.14 on CPython 3.11. Nothing is run. A function that the runtime refuses has no tool, and a diagnostic says
 * why; what only running the script tells is left open in the schema, and a diagnostic says so.
 *
 * @param functions - every function of the module, as extracted
 */
export function describeTools(
  parsed: ParsedModule,
  functions: readonly FunctionDeclaration[],
  profile: ToolProfile,
): ToolDescription[] {
  const reader = readerOf(parsed);
  return describeAll(
    reader,
    selectTools(candidatesOf(parsed, reader, functions, profile), parsed, reader.module),
    profile,
  );
}

/** As {@link describeTools}, but of every function given, whether the module would offer it as a tool or not. */
export function describeFunctions(
  parsed: ParsedModule,
  functions: readonly FunctionDeclaration[],
  profile: ToolProfile,
): ToolDescription[] {
  const reader = readerOf(parsed);
  return describeAll(reader, candidatesOf(parsed, reader, functions, profile), profile);
}

/** The functions that a module offers as tools though nothing tells what they are for. */
export function undescribedTools(parsed: ParsedModule): Definition[] {
  const reader = readerOf(parsed);
  const functions = reader.definitions.map((each) => functionFactsOf(parsed, each));
  return selectTools(candidatesOf(parsed, reader, functions, "fastmcp"), parsed, reader.module)
    .filter((candidate) => !isDescribed(candidate))
    .map(({ definition }) => definition);
}

function candidatesOf(
  parsed: ParsedModule,
  reader: ModuleReader,
  functions: readonly FunctionDeclaration[],
  profile: ToolProfile,
): Candidate[] {
  return findCandidates(
    functions,
    reader.definitions,
    (definition) => parsed.position(definition.node.startIndex).line,
    registeredFunctions(parsed, profile),
    positionalOptions(profile),
  );
}

function describeAll(
  reader: ModuleReader,
  candidates: readonly Candidate[],
  profile: ToolProfile,
): ToolDescription[] {
  let left = MOST_OUTPUT;
  reader.interpreter.resetSteps();
  return candidates.map((candidate) => {
    const description = describe(reader, candidate, profile, left > 0);
    if (description.tool) left -= JSON.stringify(description.tool).length;
    return description;
  });
}

function describe(
  reader: ModuleReader,
  candidate: Candidate,
  profile: ToolProfile,
  affordable: boolean,
): ToolDescription {
  const diagnostics = new Diagnostics();
  const { facts } = candidate;
  let tool: McpTool | null = null;
  const discoverable = isDescribed(candidate);
  try {
    if (!affordable)
      throw new Refusal("too_large", "the tools of this module are too many to describe them all");
    tool = PROFILES[profile](sourceOf(reader, candidate, diagnostics));
    if (!TOOL_NAME.test(tool.name))
      diagnostics.add(
        "tool_name",
        `MCP asks for names of up to 128 of A-Z a-z 0-9 . _ -, which \`${tool.name}\` is not`,
      );
  } catch (error) {
    const refusal = asRefusal(error, null);
    tool = null;
    if (refusal instanceof Refusal)
      diagnostics.add(refusal.code, refusal.message, refusal.parameter);
    // One function that this reader fails on takes none of the others with it.
    else diagnostics.add("reader_error", `this reader failed on the function: ${String(error)}`);
  }
  if (!discoverable)
    diagnostics.add("no_docstring", "without a docstring nothing tells what the tool is for");
  return {
    function: facts.name,
    line_number: facts.line_number,
    discoverable,
    diagnostics: diagnostics.all,
    tool,
  };
}

function sourceOf(
  reader: ModuleReader,
  candidate: Candidate,
  diagnostics: Diagnostics,
): ToolSource {
  const { definition, facts, registration } = candidate;
  const { interpreter, module } = reader;
  const frame: Frame = {
    scope: withTypeParameters(
      interpreter,
      definition.node.childForFieldName("type_parameters"),
      scopeAround(reader, definition.node),
    ),
    before: definition.node.startIndex,
  };
  noteDecorators(candidate, diagnostics);
  return {
    name: facts.name,
    docstring: facts.docstring,
    node: definition.node,
    parameters: signatureOf(definition.node),
    returns: definition.node.childForFieldName("return_type"),
    interpreter,
    module,
    frame,
    deferred: reader.deferred,
    options:
      registration === null
        ? new Map()
        : registrationOptions(interpreter, registration, frame, diagnostics),
    diagnostics,
    keptReferences: new Map(),
    needsPython312: reader.needsPython312,
  };
}

/** The scope a function stands in, so that a tool inside a function sees that function's names. */
function scopeAround(reader: ModuleReader, node: SyntaxNode): Scope {
  let outer = node.parent;
  while (outer && outer.type !== "function_definition" && outer.type !== "class_definition")
    outer = outer.parent;
  if (!outer) return reader.module;
  const known = reader.scopes.get(outer);
  if (known) return known;
  const kind = outer.type === "class_definition" ? "class" : "function";
  const name = outer.childForFieldName("name")?.text ?? "";
  const around = scopeAround(reader, outer);
  const path = `${around.path === "" ? "" : `${around.path}.`}${name}${kind === "function" ? ".<locals>" : ""}`;
  const parameters = new Set(
    kind === "function" ? signatureOf(outer).map((parameter) => parameter.name) : [],
  );
  const scope = new Scope(
    reader.interpreter,
    kind,
    path,
    around,
    outer.childForFieldName("body")?.children ?? [],
    parameters,
  );
  reader.scopes.set(outer, scope);
  return scope;
}

/** What `@mcp.tool("name", title="…")` or a call says. */
function registrationOptions(
  interpreter: Interpreter,
  { node, positional }: Registration,
  frame: Frame,
  diagnostics: Diagnostics,
): DecoratorOptions {
  const options = new Map<string, Value>();
  const given = node.type === "call" ? node.childForFieldName("arguments") : null;
  for (const [i, item] of (given?.namedChildren ?? [])
    .filter((child) => child.type !== "comment")
    .entries()) {
    const isKeyword = item.type === "keyword_argument";
    const name = isKeyword ? (item.childForFieldName("name")?.text ?? "") : (positional[i] ?? "");
    const expression = isKeyword ? item.childForFieldName("value") : item;
    if (!expression || name === "") continue;
    const value = evaluateOption(interpreter, expression, frame);
    if (value) options.set(name, value);
    else diagnostics.add("unknown_option", `the decorator's \`${name}\` is known only at run time`);
  }
  return options;
}

function evaluateOption(
  interpreter: Interpreter,
  expression: SyntaxNode,
  frame: Frame,
): Value | null {
  try {
    const value = interpreter.evaluate(expression, frame);
    return value.kind === "unknown" ? null : value;
  } catch (error) {
    if (error instanceof PythonError) return null;
    throw error;
  }
}

function noteDecorators({ facts, decorator }: Candidate, diagnostics: Diagnostics): void {
  for (const [i, text] of facts.decorators.entries()) {
    if (
      i === decorator ||
      /^(?:[\w.]+\.)?(?:tool|wraps|staticmethod|no_type_check|deprecated)\b/.test(text)
    )
      continue;
    diagnostics.add(
      "decorated",
      `described as it is written: what \`@${text.split("\n")[0]}\` makes of it is known only at run time`,
    );
  }
}
