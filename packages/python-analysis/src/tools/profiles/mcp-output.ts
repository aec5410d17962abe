import { Refusal } from "../diagnostics.js";
import { applyAnnotations } from "../pydantic/annotations.js";
import { type Core, SchemaError } from "../pydantic/core.js";
import { fieldParts, inspectAnnotation, isRequired, makeField } from "../pydantic/fields.js";
import { CoreGenerator } from "../pydantic/generate.js";
import { type JsonObject, isObject } from "../pydantic/json.js";
import { JsonSchemaGenerator } from "../pydantic/json-schema.js";
import { annotationType, attributeOf, modelFieldSchema } from "../pydantic/class-fields.js";
import type { ClassDefinition } from "../python/classes.js";
import {
  PythonError,
  type Value,
  isCallOf,
  isForm,
  isLibraryClass,
  isNoneType,
  str,
} from "../python/values.js";
import { type ToolSource, surroundings, valueEncoder } from "../source.js";
import { asRefusal, blaming } from "./refusals.js";

const CONTENT_TYPES = new Set(
  [
    "TextContent",
    "ImageContent",
    "AudioContent",
    "ResourceLink",
    "EmbeddedResource",
    "Image",
    "Audio",
  ].map((name) => `mcp.${name}`),
);
const WRAPPED_CLASSES = new Set([
  "builtins.str",
  "builtins.int",
  "builtins.float",
  "builtins.bool",
  "builtins.bytes",
  "types.NoneType",
]);
/** Classes of pydantic's that have no annotations but private ones, so that a model without fields is made of them. */
const EMPTY_MODELS = /^pydantic\.(BaseModel|\w*Url|\w+Dsn|SecretStr|SecretBytes)$/;
const UNION_ERROR =
  "CallToolResult cannot be used in Union or Optional types. To return empty results, use: CallToolResult(content=[])";

/**
 * The output schema that the MCP SDK derives from what a function says it returns; `null` where it derives none.
 *
 * @param forced - whether the decorator asks for one, with `structured_output=True`
 * @param inputs - the definitions that the parameters' schemas refer to
 * @throws Refusal where the SDK raises
 */
export function describeOutput(
  source: ToolSource,
  returns: Value | undefined,
  forced: boolean,
  inputs: ReadonlyMap<string, Core>,
): JsonObject | null {
  const nothing = (why: string): null => {
    if (forced)
      throw new Refusal("invalid_signature", `structured output is asked for, but ${why}`);
    return null;
  };
  if (!returns) return nothing("the function does not say what it returns");
  let annotation = returns;
  let inspected = blaming(null, () => inspectAnnotation(annotation, "function"));
  if (isLibraryClass(inspected.type, "mcp.InputRequiredResult")) return null;
  if (inspected.type.kind === "union") {
    const residual = inspected.type.members.filter(
      (member) => !isLibraryClass(member, "mcp.InputRequiredResult"),
    );
    if (residual.length === 0) return null;
    if (residual.length < inspected.type.members.length) {
      annotation = residual.length === 1 ? residual[0]! : { ...inspected.type, members: residual };
      inspected = blaming(null, () => inspectAnnotation(annotation, "function"));
    }
    if (
      residual.length > 1 &&
      residual.some((member) => isLibraryClass(member, "mcp.CallToolResult"))
    ) {
      throw new Refusal(
        "unsupported_type",
        `the runtime refuses what the function returns: ${UNION_ERROR}`,
      );
    }
  }
  let type = inspected.type;
  if (isLibraryClass(type, "mcp.CallToolResult")) {
    const [first] = inspected.metadata;
    if (!first) return null;
    type = annotation = first;
  }
  if (!forced && returnsContent(type)) return null;
  if (type.kind === "unknown") {
    source.diagnostics.add(
      "unknown_type",
      `${type.reason}, so whether the tool has an output schema is not known`,
    );
    return null;
  }
  const schema = deriveSchema(source, type, annotation, inputs);
  return schema ?? nothing("what it returns cannot be serialised");
}

function returnsContent(type: Value): boolean {
  switch (type.kind) {
    case "library-class":
      return CONTENT_TYPES.has(type.id);
    case "annotated":
      return returnsContent(type.type);
    case "union":
      return type.members.some(returnsContent);
    case "alias":
      return (
        type.origin.kind === "library-class" &&
        /^(builtins\.(list|tuple)|collections\.abc\.Sequence)$/.test(type.origin.id) &&
        type.args.some(returnsContent)
      );
    default:
      return false;
  }
}

function deriveSchema(
  source: ToolSource,
  type: Value,
  annotation: Value,
  inputs: ReadonlyMap<string, Core>,
): JsonObject | null {
  const name = source.node.childForFieldName("name")!.text;
  if (type.kind === "library-class") {
    if (WRAPPED_CLASSES.has(type.id)) return wrapped(source, name, annotation);
    if (EMPTY_MODELS.test(type.id)) return { properties: {}, title: type.name, type: "object" };
    if (
      /^(mcp|fastmcp)\.(\w+Content|\w+Result|ResourceLink|EmbeddedResource|ToolAnnotations|Icon)$/.test(
        type.id,
      )
    ) {
      source.diagnostics.add(
        "unknown_type",
        `\`${type.name}\` is not known here, so whether the tool has an output schema is not known`,
      );
    }
    return null;
  }
  if (isNoneType(type)) return wrapped(source, name, annotation);
  if (type.kind === "alias" && type.spelling === "builtin") {
    const isStringKeyed =
      isLibraryClass(type.origin, "builtins.dict") &&
      type.args.length === 2 &&
      isLibraryClass(type.args[0]!, "builtins.str");
    return isStringKeyed
      ? plain(source, type, `${name}DictOutput`)
      : wrapped(source, name, annotation);
  }
  const cls =
    type.kind === "class"
      ? type
      : type.kind === "alias" && type.origin.kind === "class" && type.origin.family === "model"
        ? type.origin
        : null;
  if (!cls && type.kind === "str")
    return wrapped(source, name, { kind: "forward", text: type.value });
  if (!cls) return isForm(type, "typing.Any") ? null : wrapped(source, name, annotation);
  switch (cls.family) {
    case "model":
    case "typed-dict":
      return plain(source, type, null);
    case "unknown":
      source.diagnostics.add(
        "unknown_type",
        `what \`${cls.name}\` is made from is known only at run time, so whether the tool has an output schema is not known`,
      );
      return null;
    default:
      return rebuilt(source, cls, inputs);
  }
}

/** `{"result": …}`. Making the model raises at registration; that it cannot be shown as JSON Schema does not. */
function wrapped(source: ToolSource, name: string, annotation: Value): JsonObject | null {
  const generator = new CoreGenerator(surroundings(source, null), null, new Map());
  try {
    const field = makeField(annotation, "class");
    if (field.qualifiers.has("ClassVar") || generator.unresolved(field.annotation) !== null)
      return null;
    const fields = [modelFieldSchema(generator, "result", field)];
    return show(source, generator, {
      type: "model",
      class: null,
      title: `${name}Output`,
      fields,
      config: new Map(),
    });
  } catch (error) {
    if (error instanceof SchemaError && error.kind === "PydanticUndefinedAnnotation") return null;
    throw asRefusal(error, null);
  }
}

/** A model, a typed dictionary or a dictionary, as it is. */
function plain(source: ToolSource, type: Value, title: string | null): JsonObject | null {
  const generator = new CoreGenerator(surroundings(source, null), null, new Map());
  generator.readableTypedDict = type;
  const titled: Value[] =
    title === null
      ? []
      : [
          {
            kind: "call",
            callee: { kind: "library-function", id: "pydantic.Field" },
            args: [],
            kwargs: new Map([["title", str(title)]]),
          },
        ];
  try {
    return show(source, generator, applyAnnotations(generator, type, titled));
  } catch (error) {
    if (error instanceof SchemaError || error instanceof PythonError) return null;
    throw asRefusal(error, null);
  }
}

/** A model made anew from the annotations of any other class; `null` for one without. */
function rebuilt(
  source: ToolSource,
  cls: ClassDefinition,
  inputs: ReadonlyMap<string, Core>,
): JsonObject | null {
  const hints = new Map<string, Value>();
  for (const owner of [...cls.mro].reverse()) {
    if (owner.kind !== "class") continue;
    for (const field of owner.annotations.values()) {
      const raw = blaming(null, () => annotationType(owner, field));
      const type =
        raw.kind === "forward"
          ? blaming(null, () =>
              cls.interpreter.evaluateText(raw.text, { scope: owner.scope, before: Infinity }),
            )
          : raw;
      hints.set(field.name, withoutExtras(type));
    }
  }
  if (hints.size === 0) return null;
  if (cls.family === "named-tuple") return null;
  const generator = new CoreGenerator(
    surroundings(source, null),
    { scope: cls.scope.module, before: Infinity },
    new Map(),
  );
  const fields = [];
  for (const [name, type] of hints) {
    if (name.startsWith("_")) continue;
    try {
      const field = makeField(type, "class", fieldAttribute(cls, name, inputs));
      if (field.qualifiers.has("ClassVar") || (field.qualifiers.has("Final") && !isRequired(field)))
        continue;
      fields.push(modelFieldSchema(generator, name, field));
    } catch (error) {
      throw asRefusal(error, null);
    }
  }
  return show(source, generator, {
    type: "model",
    class: null,
    title: cls.name,
    fields,
    config: new Map(),
  });
}

/**
 * What a class has under the name of a field. Where pydantic has collected the fields of a data class, as it does for a class of
 * its own or a parameter's, it has put the default in the place of a `Field(…)` with one.
 */
function fieldAttribute(
  cls: ClassDefinition,
  name: string,
  inputs: ReadonlyMap<string, Core>,
): Value | undefined {
  const value = attributeOf(cls.mro, name);
  if (!value || !isCallOf(value, "pydantic.Field")) return value;
  const isCollected =
    cls.family === "pydantic-dataclass" ||
    [...inputs.values()].some((core) => core.type === "dataclass" && core.class === cls);
  return (isCollected ? fieldParts(value).attributes.get("default") : undefined) ?? value;
}

/** `typing.get_type_hints` leaves out the metadata of `Annotated`. */
function withoutExtras(type: Value): Value {
  switch (type.kind) {
    case "annotated":
      return withoutExtras(type.type);
    case "alias":
      // A subscripted model is a class, not an alias.
      return type.origin.kind === "class" && type.origin.family === "model"
        ? type
        : { ...type, args: type.args.map(withoutExtras) };
    case "union":
      return { ...type, members: type.members.map(withoutExtras) };
    default:
      return type;
  }
}

function show(source: ToolSource, generator: CoreGenerator, core: Core): JsonObject | null {
  const json = new JsonSchemaGenerator(
    { mode: "validation", aliases: "configured", strict: true },
    generator.definitions,
    valueEncoder(source),
    () => source.interpreter.step(),
  );
  try {
    return withInlineRoot(json.generate(core));
  } catch (error) {
    if (error instanceof SchemaError || error instanceof PythonError) return null;
    throw asRefusal(error, null);
  }
}

/** A schema that is only a reference has no type at its root, so what it refers to is put there. */
function withInlineRoot(schema: JsonObject): JsonObject {
  const { $ref, ...siblings } = schema;
  const definitions = schema["$defs"];
  if (typeof $ref !== "string" || !isObject(definitions)) return schema;
  const target = definitions[$ref.slice("#/$defs/".length)];
  return isObject(target) ? { ...target, ...siblings } : schema;
}
