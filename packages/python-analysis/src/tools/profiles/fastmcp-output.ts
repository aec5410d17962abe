import { type Core, SchemaError } from "../pydantic/core.js";
import { CoreGenerator } from "../pydantic/generate.js";
import { type JsonObject, isObject } from "../pydantic/json.js";
import { JsonSchemaGenerator } from "../pydantic/json-schema.js";
import { TYPING_ALIASES } from "../python/library.js";
import { PythonError, type Value, isForm, isLibraryClass, libraryClass } from "../python/values.js";
import {
  type ToolSource,
  globalsOf,
  isStringAnnotation,
  surroundings,
  valueEncoder,
} from "../source.js";
import { compress } from "./compress.js";
import { asRefusal } from "./refusals.js";

/** What FastMCP shows as content, so does not describe. */
const CONTENT = new Set([
  ...["Image", "Audio", "File", "ToolResult"].map((name) => `fastmcp.${name}`),
  ...[
    "TextContent",
    "ImageContent",
    "AudioContent",
    "ResourceLink",
    "EmbeddedResource",
    "InputRequiredResult",
  ].map((name) => `mcp.${name}`),
]);
const SEQUENCES = new Set(["builtins.list", "builtins.tuple", "collections.abc.Sequence"]);

/**
 * The output schema that FastMCP derives from what a function says it returns; `null` where it derives none.
 *
 * @param returns - evaluated, strings and all
 * @throws Refusal where FastMCP raises
 */
export function describeOutput(source: ToolSource, returns: Value | undefined): JsonObject | null {
  if (!returns || !source.returns) return null;
  const wasString = isStringAnnotation(source, source.returns);
  // `None` itself says nothing; under a string it has become its type.
  if (
    (returns.kind === "none" && !wasString) ||
    isForm(returns, "typing.Any") ||
    returns.kind === "ellipsis"
  )
    return null;
  const type = withoutInputRequired(returns);
  if (
    isLibraryClass(type, "mcp.CallToolResult") ||
    containsBytes(type) ||
    isOrContains(type, CONTENT) ||
    isUnconstrainedSequence(type)
  )
    return null;
  if (type.kind === "unknown") {
    source.diagnostics.add(
      "unknown_type",
      `${type.reason}, so whether the tool has an output schema is not known`,
    );
    return null;
  }
  try {
    refuseUnsubscriptable(type);
    if (mentions(type, CONTENT)) return null;
    return schemaOf(source, rebuilt(type), wasString);
  } catch (error) {
    // A type without a schema has no output schema; any other error stops the registration.
    if (error instanceof SchemaError && error.kind === "PydanticSchemaGenerationError") return null;
    throw asRefusal(error, null);
  }
}

function schemaOf(source: ToolSource, type: Value, wasString: boolean): JsonObject {
  const generator = new CoreGenerator(
    surroundings(source, null),
    wasString ? globalsOf(source) : null,
    new Map(),
  );
  const core = generator.generate(type);
  const show = (schema: Core): JsonObject =>
    new JsonSchemaGenerator(
      { mode: "serialization", aliases: "by-model", strict: false },
      generator.definitions,
      valueEncoder(source),
      () => source.interpreter.step(),
    ).generate(schema);
  const alone = show(core);
  if (isObjectSchema(alone, alone)) return compress(alone);
  const required = core.type !== "default";
  const result = {
    name: "result",
    schema: core,
    metadata: {},
    required,
    validationAlias: null,
    serializationAlias: null,
    excluded: false,
    computed: false,
  };
  const wrapped = show({
    type: "dataclass",
    class: null,
    title: "_WrappedResult",
    fields: [result],
    config: new Map(),
  });
  return compress({ ...wrapped, "x-fastmcp-wrap-result": true });
}

function isObjectSchema(
  schema: JsonObject,
  root: JsonObject,
  seen: readonly string[] = [],
): boolean {
  if (schema["type"] === "object" || "properties" in schema) return true;
  const { $ref } = schema;
  if (typeof $ref !== "string" || seen.includes($ref) || !isObject(root["$defs"])) return false;
  const target = root["$defs"][$ref.slice("#/$defs/".length)];
  return isObject(target) && isObjectSchema(target, root, [...seen, $ref]);
}

/** Arms of a union that ask for more input are no output. */
function withoutInputRequired(type: Value): Value {
  if (type.kind === "annotated") return { ...type, type: withoutInputRequired(type.type) };
  if (type.kind !== "union") return type;
  const members = type.members.filter(
    (member) => !isLibraryClass(member, "mcp.InputRequiredResult"),
  );
  if (members.length === 0 || members.length === type.members.length) return type;
  return members.length === 1 ? members[0]! : { ...type, members };
}

const BYTES = new Set(["builtins.bytes"]);
const containsBytes = (type: Value): boolean => isOrContains(type, BYTES);

/** Whether a type is one of these classes, or a union with one. */
function isOrContains(type: Value, ids: ReadonlySet<string>): boolean {
  switch (type.kind) {
    case "library-class":
      return ids.has(type.id);
    case "class":
      return type.mro.some(
        (ancestor) =>
          ancestor.kind === "library-class" &&
          ancestor.id !== "builtins.bytes" &&
          ids.has(ancestor.id),
      );
    case "union":
      return type.members.some((member) => isOrContains(member, ids));
    case "annotated":
      return isOrContains(type.type, ids);
    default:
      return false;
  }
}

/** Whether one of these classes is anywhere in a type. */
function mentions(type: Value, ids: ReadonlySet<string>): boolean {
  if (type.kind === "alias") return type.args.some((arg) => mentions(arg, ids));
  if (type.kind === "union") return type.members.some((member) => mentions(member, ids));
  return isOrContains(type, ids);
}

/** A list, tuple or sequence that says nothing of its items. */
function isUnconstrainedSequence(given: Value): boolean {
  const type = given.kind === "annotated" ? given.type : given;
  if (type.kind === "form")
    return SEQUENCES.has(TYPING_ALIASES.get(type.id.slice("typing.".length)) ?? "");
  if (type.kind === "library-class") return SEQUENCES.has(type.id);
  if (
    type.kind !== "alias" ||
    type.origin.kind !== "library-class" ||
    !SEQUENCES.has(type.origin.id)
  )
    return false;
  const { args } = type;
  if (args.length === 0) return true;
  const isAny = (arg: Value | undefined): boolean => arg !== undefined && isForm(arg, "typing.Any");
  if (type.origin.id === "builtins.tuple")
    return args.length === 2 && isAny(args[0]) && args[1]!.kind === "ellipsis";
  return args.every(isAny);
}

/** A subscripted model is a class of its own. */
const isModel = (type: Value): boolean =>
  type.kind === "alias" && type.origin.kind === "class" && type.origin.family === "model";

/** Subscripted anew with nothing, a bare `Tuple` becomes the empty one. */
function rebuilt(type: Value): Value {
  if (isForm(type, "typing.Tuple"))
    return { kind: "alias", origin: libraryClass("builtins.tuple"), args: [], spelling: "builtin" };
  if (isModel(type)) return type;
  if (type.kind === "alias") {
    const spelling = type.origin.kind === "library-class" ? "builtin" : type.spelling;
    return { ...type, args: type.args.map(rebuilt), spelling };
  }
  if (type.kind === "annotated") return { ...type, type: rebuilt(type.type) };
  return type.kind === "union" ? { ...type, members: type.members.map(rebuilt) } : type;
}

/** Forms that take a type, and no tuple of one, between their brackets. */
const TAKES_ONE =
  /^typing\.(TypeGuard|TypeIs|Final|ClassVar|Required|NotRequired|ReadOnly|Unpack)$/;

/** FastMCP subscripts every generic anew, with a tuple of its arguments, which some do not stand. */
function refuseUnsubscriptable(type: Value): void {
  if (type.kind === "form") {
    const origin = TYPING_ALIASES.get(type.id.slice("typing.".length));
    if (origin === "collections.abc.Callable")
      throw new PythonError("TypeError", "Callable must be used as Callable[[arg, ...], result].");
    if (origin === "re.Pattern" || origin === "re.Match")
      throw new PythonError("TypeError", `${type.id} needs its parameter here`);
    if (origin === "collections.abc.Hashable" || origin === "collections.abc.Sized") {
      throw new PythonError(
        "TypeError",
        `type '${libraryClass(origin).name}' is not subscriptable`,
      );
    }
  }
  if (type.kind === "alias" && type.origin.kind === "form" && TAKES_ONE.test(type.origin.id))
    throw new PythonError("TypeError", `${type.origin.id} accepts only single type`);
  if (["list", "dict", "set"].includes(type.kind))
    throw new PythonError("TypeError", `unhashable type: '${type.kind}'`);
  if (isModel(type)) return;
  if (type.kind === "annotated") refuseUnsubscriptable(type.type);
  for (const part of type.kind === "alias" ? type.args : type.kind === "union" ? type.members : [])
    refuseUnsubscriptable(part);
}
