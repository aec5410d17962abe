import { type Call, type Value, isCallOf } from "../python/values.js";
import { applyConstraint, expandGrouped } from "./constraints.js";
import {
  type Core,
  type CoreMetadata,
  type JsonFunction,
  discriminated,
  mergeMetadata,
} from "./core.js";
import { fieldMetadata, fieldParts } from "./fields.js";
import type { CoreGenerator } from "./generate.js";
import { applyKnownMetadata } from "./metadata.js";
import { metadataText } from "./references.js";

/** The schema of `Annotated[type, …]`; a `Field` in it may give it a default. */
export function annotatedSchema(
  generator: CoreGenerator,
  type: Value,
  metadata: readonly Value[],
): Core {
  let schema = applyAnnotations(generator, type, metadata);
  for (const item of metadata) {
    if (!isCallOf(item, "pydantic.Field")) continue;
    const { attributes } = fieldParts(item);
    const factory = attributes.get("default_factory");
    const given = attributes.get("default");
    if (factory && factory.kind !== "none") schema = { type: "default", schema, default: null };
    else if (given) schema = { type: "default", schema, default: given };
  }
  return schema;
}

/**
 * pydantic's `_apply_annotations`: the schema of a type with each piece of metadata applied, from left to right.
 *
 * @param transform - changes the schema of the type itself
 */
export function applyAnnotations(
  generator: CoreGenerator,
  type: Value,
  metadata: readonly Value[],
  transform: (schema: Core) => Core = (schema) => schema,
): Core {
  const expanded = expandGrouped(
    metadata.flatMap((item) =>
      isCallOf(item, "pydantic.Field")
        ? [...fieldParts(item).metadata, withoutConstraints(item)]
        : [item],
    ),
  );
  let schema = transform(generator.generate(type));
  const functions: JsonFunction[] = [];
  for (const item of expanded) {
    const known = applyKnownMetadata(generator, schema, item, type);
    if (known) {
      schema = known.schema;
      if (known.annotationFunction) functions.push(known.annotationFunction);
    } else if (isCallOf(item, "pydantic.Field")) schema = applyField(generator, schema, item);
    else schema = applyConstraintTo(generator, schema, item);
  }
  return functions.length === 0
    ? schema
    : saidOf(generator, schema, { annotationFunctions: functions });
}

/** A schema with more said of it. What pydantic says of the one reference that it keeps with a model stays said. */
function saidOf(generator: CoreGenerator, schema: Core, more: CoreMetadata): Core {
  const metadata = mergeMetadata(schema.metadata ?? {}, more);
  const isKept =
    schema.type === "definition-ref" &&
    generator.surroundings.keptReferences.get(schema.to) === schema;
  return isKept ? Object.assign(schema, { metadata }) : { ...schema, metadata };
}

function withoutConstraints(field: Call): Call {
  return { ...field, args: [], kwargs: fieldParts(field).attributes };
}

function applyField(generator: CoreGenerator, schema: Core, field: Call): Core {
  const { attributes } = fieldParts(field);
  const discriminator = attributes.get("discriminator");
  const applied =
    discriminator && discriminator.kind !== "none" ? discriminated(schema, discriminator) : schema;
  return saidOf(generator, applied, fieldMetadata(attributes, generator.encode));
}

/** Constraints of what may be `None` are those of what it is otherwise. */
function applyConstraintTo(generator: CoreGenerator, schema: Core, metadata: Value): Core {
  if (schema.type === "nullable")
    return { ...schema, schema: applyConstraintTo(generator, schema.schema, metadata) };
  const referred =
    schema.type === "definition-ref" ? generator.definitions.get(schema.to) : undefined;
  // A constraint makes another definition of what is referred to.
  const target: Core = referred
    ? { ...referred, ref: `${referred.ref}_${metadataText(metadata)}` }
    : schema;
  return applyConstraint(target, metadata, generator.encode) ?? schema;
}
