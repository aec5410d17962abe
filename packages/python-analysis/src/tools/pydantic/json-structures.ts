import { cleanDocstring } from "../../docstring/clean.js";
import { PythonError, TooMuchWork } from "../python/values.js";
import { type ModelConfig, isOff, isOn, textSetting } from "./config.js";
import { type Core, type CoreOf, type FieldSchema, SchemaError } from "./core.js";
import { type Json, type JsonObject, fromEntries, isObject, titleFromName } from "./json.js";
import type { JsonSchemaGenerator } from "./json-schema.js";
import { Omitted } from "./metadata.js";

const NO_CONFIG: ModelConfig = new Map();

type Structured = CoreOf<"model" | "dataclass" | "typed-dict">;

/** The object that a model, a data class or a typed dictionary is. */
export function structuredJson(generator: JsonSchemaGenerator, core: Structured): JsonObject {
  const outer = { byAlias: generator.byAlias, config: generator.config };
  if (generator.options.aliases === "by-model" && core.type !== "typed-dict")
    generator.byAlias = isOn(core.config ?? NO_CONFIG, "serialize_by_alias");
  generator.config = core.config ?? outer.config;
  try {
    const json = core.root
      ? { ...generator.inner(core.root) }
      : fieldsJson(generator, core, core.type === "typed-dict" ? outer.config : generator.config);
    return describe(generator, core, json);
  } finally {
    Object.assign(generator, outer);
  }
}

/** @param config - what holds when it is asked which fields are required */
function fieldsJson(
  generator: JsonSchemaGenerator,
  core: Structured,
  config: ModelConfig,
): JsonObject {
  const properties: [string, JsonObject][] = [];
  const required: string[] = [];
  const serializing = generator.mode === "serialization";
  const isByAlias =
    generator.byAlias &&
    (serializing ||
      generator.options.aliases !== "configured" ||
      !isOff(generator.config, "validate_by_alias"));
  const writesDefaults = serializing && isOn(config, "json_schema_serialization_defaults_required");
  for (const field of core.fields) {
    if (serializing ? field.excluded : field.computed) continue;
    const alias = serializing ? field.serializationAlias : field.validationAlias;
    const name = (isByAlias ? alias : null) ?? field.name;
    if (core.class === null) generator.parameter = field.name;
    const json = fieldJson(generator, name, field);
    if (!json) continue;
    properties.push([name, generator.definitions.withoutRedundantSiblings(json)]);
    if ((field.required || (writesDefaults && !field.computed)) && !(serializing && field.optional))
      required.push(name);
  }
  return {
    type: "object",
    properties: fromEntries(properties),
    ...(required.length > 0 && { required: [...new Set(required)] }),
  };
}

/** `null` for a field that asks to be left out. */
function fieldJson(
  generator: JsonSchemaGenerator,
  name: string,
  field: FieldSchema,
): JsonObject | null {
  const { updates, extra } = field.metadata;
  let json: JsonObject;
  try {
    json = { ...generator.inner(field.schema) };
  } catch (error) {
    if (error instanceof Omitted) return null;
    throw blame(error, field.name);
  }
  if (updates) json = { ...json, ...structuredClone(updates) };
  if (extra) json = { ...json, ...structuredClone(extra) };
  if (!("title" in json) && !field.untitled && takesTitle(field.schema))
    json["title"] = titleFromName(name);
  return json;
}

/** What the class itself and its configuration say. */
function describe(generator: JsonSchemaGenerator, core: Structured, json: JsonObject): JsonObject {
  const config = core.config ?? NO_CONFIG;
  const extra = textSetting(config, "extra") ?? core.extra;
  if (extra === "allow" && core.extras) {
    const items = generator.inner(core.extras);
    json["additionalProperties"] = Object.keys(items).length > 0 ? items : true;
  }
  const title = textSetting(config, "title") ?? core.title;
  if (title !== null) json["title"] ??= title;
  const docstring = core.docstring ?? "";
  // A data class without a docstring has its signature for one, which says nothing new.
  const isSignature = core.type === "dataclass" && docstring.startsWith(`${core.title}(`);
  if (docstring !== "" && !isSignature) json["description"] ??= cleanDocstring(docstring);
  if (extra === "allow") json["additionalProperties"] ??= true;
  else if (extra === "forbid") json["additionalProperties"] ??= false;
  const more = config.get("json_schema_extra");
  const encoded = more?.kind === "dict" ? generator.encode(more) : undefined;
  const isDeprecated = core.class?.mro.some(
    (each) =>
      each.kind === "class" &&
      each.isDecoratedWith("typing.deprecated") &&
      // A typed dictionary has none of its bases among its classes.
      (core.type !== "typed-dict" || each === core.class),
  );
  return {
    ...json,
    ...(isObject(encoded) && encoded),
    ...(isDeprecated && { deprecated: true }),
  };
}

export function namedTupleJson(
  generator: JsonSchemaGenerator,
  core: CoreOf<"named-tuple">,
): JsonObject {
  const items = core.fields.map(({ name, schema }) => titledJson(generator, name, schema));
  const least = core.fields.filter(({ required }) => required).length;
  return {
    type: "array",
    ...(items.length > 0 && { prefixItems: items }),
    ...(least > 0 && { minItems: least }),
    maxItems: items.length,
  };
}

function titledJson(generator: JsonSchemaGenerator, name: string, schema: Core): JsonObject {
  const json = { ...generator.inner(schema) };
  if (!("title" in json) && takesTitle(schema)) json["title"] = titleFromName(name);
  return json;
}

/** The object that the arguments of a call are. */
export function argumentsJson(
  generator: JsonSchemaGenerator,
  core: CoreOf<"arguments">,
): JsonObject {
  const properties = core.parameters.map(({ name, schema }): [string, Json] => {
    generator.parameter = name;
    try {
      return [name, titledJson(generator, name, schema)];
    } catch (error) {
      throw blame(error, name);
    }
  });
  const required = core.parameters.filter(({ required }) => required).map(({ name }) => name);
  return {
    type: "object",
    properties: fromEntries(properties),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

/** Remembers which parameter an error came from; the outermost name is the parameter's. */
function blame(error: unknown, parameter: string): unknown {
  if (
    error instanceof SchemaError ||
    error instanceof PythonError ||
    error instanceof TooMuchWork
  ) {
    (error as { parameter?: string }).parameter = parameter;
  }
  return error;
}

/** Whether a property of this schema is titled by its name: what has a definition of its own is not. */
function takesTitle(core: Core): boolean {
  if (core.ref !== undefined) return false;
  switch (core.type) {
    case "default":
    case "nullable":
    case "function":
      return takesTitle(core.schema);
    case "definition-ref":
      return false;
    default:
      return true;
  }
}
