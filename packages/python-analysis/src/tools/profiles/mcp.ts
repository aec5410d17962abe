import type { McpTool } from "@sluice/contracts";
import { Refusal } from "../diagnostics.js";
import type { Core, FieldSchema } from "../pydantic/core.js";
import { isRequired, makeField } from "../pydantic/fields.js";
import { CoreGenerator } from "../pydantic/generate.js";
import type { JsonObject } from "../pydantic/json.js";
import { JsonSchemaGenerator } from "../pydantic/json-schema.js";
import { modelFieldSchema } from "../pydantic/class-fields.js";
import { withoutStrings } from "../python/forward.js";
import { truth } from "../python/truth.js";
import {
  type Call,
  PythonError,
  type Value,
  bool,
  form,
  isCallOf,
  isLibraryClass,
  libraryClass,
  str,
} from "../python/values.js";
import {
  type ToolSource,
  defaultValue,
  globalsOf,
  noteTypeCheckingNames,
  surroundings,
  valueEncoder,
} from "../source.js";
import type { SignatureParameter } from "../signature.js";
import { describeOutput } from "./mcp-output.js";
import { blaming } from "./refusals.js";

const ARBITRARY_TYPES = new Map<string, Value>([["arbitrary_types_allowed", bool(true)]]);

/** Attributes of pydantic's `BaseModel` that a parameter of the same name takes for its default. */
const MODEL_DEFAULTS: Readonly<Record<string, Value | null>> = {
  model_fields: { kind: "dict", entries: [] },
  model_computed_fields: { kind: "dict", entries: [] },
  model_extra: null,
  model_fields_set: null,
};

/**
 * The tool that the MCP Python SDK 2.3 makes of a function: `Tool.from_function`, with the arguments of its decorator.
 *
 * @throws Refusal where the SDK raises
 */
export function describeForMcp(source: ToolSource): McpTool {
  const types = new Map<string, Value>();
  for (const parameter of source.parameters) {
    if (parameter.annotation)
      types.set(
        parameter.name,
        blaming(parameter.name, () =>
          evaluatedAnnotation(source, parameter.annotation!, parameter.name),
        ),
      );
  }
  const returns = source.returns
    ? blaming(null, () => evaluatedAnnotation(source, source.returns!, null))
    : undefined;
  const context = contextParameter(source, types, returns);
  const fields: FieldSchema[] = [];
  const generators = new Map<string, Core>();
  const met = new Set<string>();
  for (const parameter of source.parameters) {
    if (parameter.name.startsWith("_")) {
      throw new Refusal(
        "underscore_parameter",
        `the SDK takes no parameter whose name starts with an underscore: \`${parameter.name}\``,
        parameter.name,
      );
    }
    if (parameter.name === context || isResolved(types.get(parameter.name))) continue;
    if (parameter.name === "model_config") {
      throw new Refusal(
        "reserved_parameter",
        "the SDK makes a pydantic model of the parameters, in which `model_config` is taken",
        parameter.name,
      );
    }
    const field = blaming(parameter.name, () =>
      parameterField(source, parameter, types.get(parameter.name), generators, met),
    );
    if (field) fields.push(field);
  }
  const root: Core = {
    type: "model",
    class: null,
    title: `${source.node.childForFieldName("name")!.text}Arguments`,
    fields,
    config: ARBITRARY_TYPES,
  };
  const json = new JsonSchemaGenerator(
    { mode: "validation", aliases: true, strict: false },
    generators,
    valueEncoder(source),
    () => source.interpreter.step(),
  );
  const structured = source.options.get("structured_output");
  const wanted =
    structured === undefined || structured.kind === "none" ? null : (truth(structured) ?? null);
  const outputSchema =
    wanted === false ? null : describeOutput(source, returns, wanted === true, generators);
  // The SDK shows what the function takes after what it returns, so with all that has been said of models by then.
  const inputSchema = blaming(null, () => json.generate(root));
  return assemble(source, inputSchema, outputSchema);
}

function assemble(
  source: ToolSource,
  inputSchema: JsonObject,
  outputSchema: JsonObject | null,
): McpTool {
  const option = (name: string): string | undefined => {
    const value = source.options.get(name);
    return value?.kind === "str" && value.value !== "" ? value.value : undefined;
  };
  const title = option("title");
  return {
    name: option("name") ?? source.name,
    ...(title !== undefined && { title }),
    description: option("description") ?? source.docstring ?? "",
    inputSchema,
    ...(outputSchema && { outputSchema }),
  };
}

/**
 * An annotation as `inspect.signature(…, eval_str=True)` gives it: a string evaluated once, so that a quoted annotation under
 * `from __future__ import annotations` stays a string.
 */
function evaluatedAnnotation(
  source: ToolSource,
  node: NonNullable<SignatureParameter["annotation"]>,
  parameter: string | null,
): Value {
  noteTypeCheckingNames(source, node, parameter);
  if (source.deferred) return source.interpreter.evaluate(node, globalsOf(source));
  const value = source.interpreter.evaluate(node, source.frame);
  return value.kind === "str"
    ? source.interpreter.evaluateText(value.value, globalsOf(source))
    : value;
}

const NO_TYPES: ReadonlySet<string> = new Set(
  "bool int float complex bytes ellipsis list tuple set dict module".split(" "),
);
const SPECIAL_FORMS = new Set(["typing.Union", "typing.Optional", "typing.Protocol"]);

/** What the SDK cannot show or annotate. @throws Refusal */
function refuseNoType(type: Value, parameter: string): void {
  const isForm = type.kind === "form" && SPECIAL_FORMS.has(type.id);
  if (isForm || NO_TYPES.has(type.kind))
    throw new Refusal(
      "invalid_annotation",
      `the annotation of the parameter \`${parameter}\` is no type`,
      parameter,
    );
}

/** The first annotated name whose type is `Context`, or a generic or union with it as an argument. */
function contextParameter(
  source: ToolSource,
  types: ReadonlyMap<string, Value>,
  returns: Value | undefined,
): string | null {
  const hints = new Map(types);
  if (returns) hints.set("return", returns);
  const resolved = new Map<string, Value>();
  for (const [name, type] of hints) {
    const hint = resolveQuietly(source, type);
    if (!hint) return null;
    resolved.set(name, hint);
  }
  for (const [name, hint] of resolved) {
    const plain = hint.kind === "annotated" ? hint.type : hint;
    if (isContext(plain)) return name;
    const args = plain.kind === "alias" ? plain.args : plain.kind === "union" ? plain.members : [];
    if (args.some(isContext)) return name;
  }
  return null;
}

/** A hint with strings in it evaluated; `null` where one of them raises, so that no hint is known. */
function resolveQuietly(source: ToolSource, type: Value): Value | null {
  const text = type.kind === "forward" ? type.text : type.kind === "str" ? type.value : null;
  if (text === null) return type;
  try {
    return source.interpreter.evaluateText(text, globalsOf(source));
  } catch (error) {
    if (error instanceof PythonError) return null;
    throw error;
  }
}

const isContext = (type: Value): boolean => {
  const cls = type.kind === "alias" ? type.origin : type;
  return (
    isLibraryClass(cls, "mcp.Context") || (cls.kind === "class" && cls.isSubclassOf("mcp.Context"))
  );
};

const isResolved = (type: Value | undefined): boolean =>
  type?.kind === "annotated" && type.metadata.some((item) => isCallOf(item, "mcp.Resolve"));

/** A type with its strings evaluated, where all of them name something that the SDK sees. */
function evaluatedStrings(type: Value, evaluate: (text: string) => Value): Value {
  try {
    return withoutStrings(type, evaluate);
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    return type.kind === "str" ? { kind: "forward", text: type.value } : type;
  }
}

function parameterField(
  source: ToolSource,
  parameter: SignatureParameter,
  type: Value | undefined,
  cores: Map<string, Core>,
  met: Set<string>,
): FieldSchema | null {
  const annotation = type ?? unannotated(parameter.name);
  refuseNoType(annotation, parameter.name);
  const around = surroundings(source, parameter.name);
  const generator = new CoreGenerator(around, null, ARBITRARY_TYPES, met);
  const field = makeField(
    evaluatedStrings(annotation, (text) => around.evaluateText(text, null)),
    "class",
    defaultValue(source, parameter) ?? undefined,
  );
  // To pydantic, what is final and has a value belongs to the class.
  if (field.qualifiers.has("ClassVar") || (field.qualifiers.has("Final") && !isRequired(field)))
    return null;
  const described = modelFieldSchema(generator, parameter.name, field);
  for (const [ref, core] of generator.definitions) if (!cores.has(ref)) cores.set(ref, core);
  if (!described.required || !Object.hasOwn(MODEL_DEFAULTS, parameter.name)) return described;
  const inherited: Core = {
    type: "default",
    schema: described.schema,
    default: MODEL_DEFAULTS[parameter.name]!,
  };
  return { ...described, schema: inherited, required: false };
}

/** What the SDK takes a parameter without an annotation for. */
function unannotated(name: string): Value {
  const schema: Value = {
    kind: "dict",
    entries: [
      [str("title"), str(name)],
      [str("type"), str("string")],
    ],
  };
  const metadata: Call = {
    kind: "call",
    callee: libraryClass("pydantic.WithJsonSchema"),
    args: [schema],
    kwargs: new Map(),
  };
  return { kind: "annotated", type: form("typing.Any"), metadata: [metadata] };
}
