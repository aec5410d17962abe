import type { Value } from "../python/values.js";
import { type Core, type CoreOf, type FieldSchema, SchemaError } from "./core.js";
import { type JsonObject, fromEntries, withoutRepeats } from "./json.js";
import type { JsonSchemaGenerator } from "./json-schema.js";
import { Omitted } from "./metadata.js";

/** One of several: unions inside are part of it, repeats are not. */
export function unionOfSchemas(schemas: readonly JsonObject[]): JsonObject {
  const members = withoutRepeats(
    schemas.flatMap((schema) =>
      Object.keys(schema).length === 1 && Array.isArray(schema["anyOf"])
        ? (schema["anyOf"] as JsonObject[])
        : [schema],
    ),
  );
  return members.length === 1 ? members[0]! : { anyOf: members };
}

/** The choices that JSON Schema can say; what it cannot say is left out, or refused where the runtime is strict. */
function sayable(
  generator: JsonSchemaGenerator,
  choices: Iterable<readonly [string, Core]>,
): [string, JsonObject][] {
  const said: [string, JsonObject][] = [];
  for (const [tag, choice] of choices) {
    try {
      said.push([tag, generator.inner(choice)]);
    } catch (error) {
      if (error instanceof Omitted) continue;
      if (!(error instanceof SchemaError) || error.kind !== "PydanticInvalidForJsonSchema")
        throw error;
      if (generator.options.strict) throw new SchemaError("PydanticUserError", error.message);
    }
  }
  return said;
}

export function unionSchema(generator: JsonSchemaGenerator, core: CoreOf<"union">): JsonObject {
  if (core.discriminator !== undefined) return taggedSchema(generator, core, core.discriminator);
  const said = sayable(
    generator,
    core.choices.map((choice) => ["", choice] as const),
  ).map(([, json]) => json);
  return said.length === 1 ? said[0]! : unionOfSchemas(said);
}

function taggedSchema(
  generator: JsonSchemaGenerator,
  core: CoreOf<"union">,
  discriminator: string,
): JsonObject {
  const tagged = new Map<string, Core>();
  let nullable = false;
  const add = (choice: Core): void => {
    const resolved = resolve(generator, choice);
    if (resolved.type === "none") nullable = true;
    else if (resolved.type === "nullable") {
      nullable = true;
      add(resolved.schema);
    } else if (
      resolved.type === "union" &&
      (resolved.discriminator === undefined || resolved.discriminator === discriminator) &&
      discriminator !== "callable"
    )
      resolved.choices.forEach(add);
    else if (discriminator === "callable") tagged.set(choice.metadata?.unionTag ?? "", choice);
    else for (const tag of tagsOf(generator, resolved, discriminator)) tagged.set(tag, choice);
  };
  core.choices.forEach(add);
  const said = sayable(generator, tagged);
  const json: JsonObject = { oneOf: withoutRepeats(said.map(([, schema]) => schema)) };
  const property = discriminator === "callable" ? null : propertyOf(generator, core, discriminator);
  if (property !== null) {
    json["discriminator"] = {
      propertyName: property,
      mapping: fromEntries(said.map(([tag, schema]) => [tag, schema["$ref"] ?? schema])),
    };
  }
  return nullable ? unionOfSchemas([json, { type: "null" }]) : json;
}

function resolve(generator: JsonSchemaGenerator, core: Core): Core {
  let found = core;
  for (;;) {
    if (found.type === "definition-ref") {
      const target = generator.cores.get(found.to);
      if (!target) return found;
      found = target;
    } else if (
      found.type === "function" ||
      found.type === "lax-or-strict" ||
      found.type === "json-or-python"
    )
      found = found.schema;
    else return found;
  }
}

function discriminatorField(core: Core, discriminator: string): FieldSchema {
  const fields =
    core.type === "model" || core.type === "dataclass" || core.type === "typed-dict"
      ? core.fields
      : [];
  const field = fields.find(
    ({ name, validationAlias }) => name === discriminator || validationAlias === discriminator,
  );
  if (!field)
    throw new SchemaError(
      "PydanticUserError",
      `a choice has no discriminator field \`${discriminator}\``,
    );
  return field;
}

/** The values that tell a choice from the others. */
function tagsOf(generator: JsonSchemaGenerator, core: Core, discriminator: string): string[] {
  if (core.type === "union" && core.discriminator !== undefined)
    return core.choices.flatMap((choice) =>
      tagsOf(generator, resolve(generator, choice), discriminator),
    );
  const tags = (schema: Core): string[] => {
    const inner = resolve(generator, schema);
    if (inner.type === "default" || inner.type === "nullable") return tags(inner.schema);
    if (inner.type === "union") return inner.choices.flatMap(tags);
    if (inner.type === "literal") return inner.values.map(tagText);
    if (inner.type === "enum")
      return [...inner.class.members.values()].map(({ value }) => tagText(value));
    throw new SchemaError(
      "PydanticUserError",
      `the discriminator field \`${discriminator}\` must be a \`Literal\``,
    );
  };
  return tags(discriminatorField(core, discriminator).schema);
}

function tagText(value: Value): string {
  switch (value.kind) {
    case "str":
    case "int":
    case "bool":
      return String(value.value);
    case "none":
      return "null";
    case "member":
      return tagText(value.value);
    default:
      throw new SchemaError("PydanticUserError", "a discriminator's value must be a constant");
  }
}

/** The property's name on the wire: the alias that all choices share, if they have one. */
function propertyOf(
  generator: JsonSchemaGenerator,
  core: CoreOf<"union">,
  discriminator: string,
): string | null {
  const aliases = new Set<string | null>();
  for (const choice of core.choices) {
    const resolved = resolve(generator, choice);
    if (
      resolved.type === "model" ||
      resolved.type === "dataclass" ||
      resolved.type === "typed-dict"
    ) {
      aliases.add(discriminatorField(resolved, discriminator).validationAlias);
    }
  }
  const [alias] = aliases;
  return aliases.size === 1 && generator.byAlias && alias ? alias : discriminator;
}
