import type { McpTool } from "@sluice/contracts";
import { type ParsedDocstring, parseDocstring } from "../../docstring/parse.js";
import type { SyntaxNode } from "../../structure/types.js";
import { Refusal } from "../diagnostics.js";
import type { Core } from "../pydantic/core.js";
import { isRequired, makeField } from "../pydantic/fields.js";
import { CoreGenerator } from "../pydantic/generate.js";
import { type JsonObject, isObject, pythonTitle, titleFromName } from "../pydantic/json.js";
import { JsonSchemaGenerator } from "../pydantic/json-schema.js";
import { parameterSchema } from "../pydantic/class-fields.js";
import { type Call, type Value, calleeId, form, isLibraryClass } from "../python/values.js";
import {
  type ToolSource,
  defaultValue,
  encoder,
  globalsOf,
  noteTypeCheckingNames,
  surroundings,
  valueEncoder,
} from "../source.js";
import type { SignatureParameter } from "../signature.js";
import { withoutStrings } from "../python/forward.js";
import { compress } from "./compress.js";
import { describeOutput } from "./fastmcp-output.js";
import { blaming } from "./refusals.js";

const REFUSED_KINDS: Readonly<
  Partial<
    Record<
      SignatureParameter["kind"],
      readonly ["positional_only_parameter" | "variadic_parameter", string]
    >
  >
> = {
  positional_only: [
    "positional_only_parameter",
    "FastMCP passes arguments by name, so it takes no positional-only parameters",
  ],
  var_positional: ["variadic_parameter", "FastMCP takes no functions with `*args`"],
  var_keyword: ["variadic_parameter", "FastMCP takes no functions with `**kwargs`"],
};

/**
 * The tool that FastMCP 4.1 makes of a function: `Tool.from_function(…).to_mcp_tool()`, with the arguments of its decorator.
 *
 * @throws Refusal where FastMCP raises
 */
export function describeForFastmcp(source: ToolSource): McpTool {
  for (const { name, kind } of source.parameters) {
    const refused = REFUSED_KINDS[kind];
    if (refused) throw new Refusal(refused[0], `${refused[1]}: \`${name}\``, name);
  }
  const docstring: ParsedDocstring | null = source.docstring
    ? parseDocstring(source.docstring)
    : null;
  const types = new Map<string, Value>();
  for (const { name, annotation } of source.parameters) {
    if (annotation)
      types.set(
        name,
        blaming(name, () => resolvedHint(source, annotation, name)),
      );
  }
  const returns = source.returns
    ? blaming(null, () => resolvedHint(source, source.returns!, null))
    : undefined;
  const shown = source.parameters.filter(
    (parameter) => !isInjected(source, parameter, types.get(parameter.name)),
  );
  const inputSchema = describeInput(source, shown, types);
  const properties = inputSchema["properties"];
  for (const [name, description] of docstring?.parameters ?? []) {
    const property =
      isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (isObject(property) && !("description" in property)) property["description"] = description;
  }
  const given = source.options.get("output_schema");
  const outputSchema =
    given && given.kind !== "ellipsis"
      ? givenOutput(source, given)
      : describeOutput(source, returns);
  return assemble(source, docstring, inputSchema, outputSchema);
}

function assemble(
  source: ToolSource,
  docstring: ParsedDocstring | null,
  inputSchema: JsonObject,
  outputSchema: JsonObject | null,
): McpTool {
  const option = (name: string): string | undefined => {
    const value = source.options.get(name);
    return value?.kind === "str" ? value.value : undefined;
  };
  const name = option("name") || source.name;
  const description = option("description") ?? docstring?.description ?? null;
  const annotations = source.options.get("annotations");
  const title =
    option("title") ||
    annotatedTitle(annotations) ||
    pythonTitle(name.replaceAll("_", " ").replaceAll("-", " "));
  return {
    name,
    title,
    ...(description !== null && { description }),
    inputSchema,
    ...(outputSchema && { outputSchema }),
  };
}

function annotatedTitle(annotations: Value | undefined): string | undefined {
  const entries = annotations?.kind === "dict" ? annotations.entries : [];
  const title =
    annotations?.kind === "call"
      ? annotations.kwargs.get("title")
      : entries.find(([key]) => key.kind === "str" && key.value === "title")?.[1];
  return title?.kind === "str" ? title.value : undefined;
}

function givenOutput(source: ToolSource, given: Value): JsonObject | null {
  if (given.kind === "none") return null;
  const encoded = encoder(source, null)(given, "output_schema");
  return isObject(encoded) ? encoded : null;
}

/**
 * An annotation as `typing.get_type_hints` gives it: strings in it evaluated, `None` as its type.
 */
function resolvedHint(source: ToolSource, node: SyntaxNode, parameter: string | null): Value {
  noteTypeCheckingNames(source, node, parameter);
  const { interpreter } = source;
  const evaluate = (text: string): Value => interpreter.evaluateText(text, globalsOf(source));
  let value = interpreter.evaluate(node, source.deferred ? globalsOf(source) : source.frame);
  // Of what is returned, FastMCP evaluates the annotation but not the strings in it.
  if (parameter !== null) return withoutStrings(value, evaluate);
  for (let depth = 0; value.kind === "str" && depth < 10; depth++) value = evaluate(value.value);
  return value;
}

/** A `Context`, or a default that stands for something the runtime provides. */
function isInjected(
  source: ToolSource,
  parameter: SignatureParameter,
  type: Value | undefined,
): boolean {
  if (type && isOrContainsContext(type)) return true;
  if (type?.kind === "annotated" && type.metadata.some(isDependency)) return true;
  const value = defaultValue(source, parameter);
  return value !== undefined && isDependency(value);
}

function isDependency(value: Value): boolean {
  return value.kind === "call" && /^fastmcp\.(Depends|Current\w+)$/.test(calleeId(value));
}

function isOrContainsContext(type: Value): boolean {
  switch (type.kind) {
    case "library-class":
      return isLibraryClass(type, "fastmcp.Context");
    case "class":
      return type.isSubclassOf("fastmcp.Context");
    case "union":
      return type.members.some(isOrContainsContext);
    case "annotated":
      return isOrContainsContext(type.type);
    default:
      return false;
  }
}

function describeInput(
  source: ToolSource,
  parameters: readonly SignatureParameter[],
  types: ReadonlyMap<string, Value>,
): JsonObject {
  const cores = new Map<string, Core>();
  const met = new Set<string>();
  const described: { name: string; schema: Core; required: boolean }[] = [];
  let optionalSeen = false;
  for (const parameter of parameters) {
    const { name } = parameter;
    const type = types.get(name);
    blaming(name, () => {
      const generator = new CoreGenerator(
        surroundings(source, name),
        globalsOf(source),
        new Map(),
        met,
      );
      const field = makeField(
        type ? withDescription(type) : form("typing.Any"),
        "function",
        defaultValue(source, parameter),
      );
      const required = isRequired(field);
      if (required && optionalSeen && parameter.kind === "positional_or_keyword") {
        throw new Refusal(
          "invalid_signature",
          `\`${name}\` is required, but follows a parameter that is not`,
          name,
        );
      }
      optionalSeen ||= !required;
      const alias = field.attributes.get("validation_alias");
      described.push({
        name: alias?.kind === "str" ? alias.value : name,
        schema: parameterSchema(generator, field),
        required,
      });
      for (const [ref, core] of generator.definitions) if (!cores.has(ref)) cores.set(ref, core);
    });
  }
  const json = new JsonSchemaGenerator(
    { mode: "validation", aliases: "configured", strict: false },
    cores,
    valueEncoder(source),
    () => source.interpreter.step(),
  );
  const schema = blaming(null, () => json.generate({ type: "arguments", parameters: described }));
  return withWrittenTitles(schema, compress(schema));
}

/** `Annotated[T, "text"]`: a lone string describes the parameter. */
function withDescription(type: Value): Value {
  const [only, ...more] = type.kind === "annotated" ? type.metadata : [];
  if (type.kind !== "annotated" || only?.kind !== "str" || more.length > 0) return type;
  const field: Call = {
    kind: "call",
    callee: { kind: "library-function", id: "pydantic.Field" },
    args: [],
    kwargs: new Map([["description", only]]),
  };
  return { ...type, metadata: [field] };
}

/** Titles are dropped because they can be told from the names; those that cannot are put back. */
function withWrittenTitles(full: JsonObject, compressed: JsonObject): JsonObject {
  const before = full["properties"];
  const after = compressed["properties"];
  if (!isObject(before) || !isObject(after)) return compressed;
  for (const [name, property] of Object.entries(before)) {
    const title = isObject(property) ? property["title"] : undefined;
    const target = Object.hasOwn(after, name) ? after[name] : undefined;
    if (typeof title === "string" && title !== titleFromName(name) && isObject(target))
      target["title"] = title;
  }
  return compressed;
}
