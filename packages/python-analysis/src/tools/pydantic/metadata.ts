import { apply } from "../python/calls.js";
import {
  type Call,
  PythonError,
  type Value,
  argument,
  calleeId,
  isLibraryClass,
  unknown,
} from "../python/values.js";
import { type Core, type JsonFunction, SchemaError, discriminated, mergeMetadata } from "./core.js";
import type { CoreGenerator } from "./generate.js";
import { isObject } from "./json.js";

/** Raised for what is to be left out of the JSON Schema. */
export class Omitted extends Error {}

interface Applied {
  readonly schema: Core;
  /** Changes the JSON Schema without looking through references. */
  readonly annotationFunction?: JsonFunction;
}

const PATH_FORMATS: Readonly<Record<string, string>> = { file: "file-path", dir: "directory-path" };

/**
 * Applies metadata that brings its own way of making a schema: validators, serializers, `WithJsonSchema`.
 *
 * @returns `null` for metadata of any other kind
 */
export function applyKnownMetadata(
  generator: CoreGenerator,
  schema: Core,
  metadata: Value,
  source: Value,
): Applied | null {
  if (isLibraryClass(metadata, "pydantic.SkipValidation")) return skipped(schema);
  // A model as metadata answers pydantic's call for a schema with its own.
  if (metadata.kind === "class" && metadata.family === "model")
    return { schema: generator.generate(metadata) };
  if (metadata.kind !== "call") return null;
  const id = calleeId(metadata);
  const first = metadata.args[0];
  switch (id) {
    case "pydantic.AfterValidator":
      return { schema: { type: "function", schema } };
    case "pydantic.BeforeValidator":
    case "pydantic.WrapValidator": {
      const given = metadata.kwargs.get("json_schema_input_type");
      return {
        schema: { type: "function", schema, ...(given && { input: generator.generate(given) }) },
      };
    }
    case "pydantic.PlainValidator": {
      const given = metadata.kwargs.get("json_schema_input_type");
      const input: Core = given ? generator.generate(given) : { type: "any" };
      return {
        schema: {
          type: "json-or-python",
          schema: input,
          serialization: { returns: generator.generate(source) },
        },
      };
    }
    case "pydantic.PlainSerializer":
    case "pydantic.WrapSerializer": {
      const given = metadata.kwargs.get("return_type");
      if (!given && first?.kind === "function")
        generator.surroundings.note(`what \`${first.name}\` returns is not read`);
      const skipsNone = passesNone(metadata);
      const serialized: Core = {
        ...schema,
        serialization: { returns: given ? generator.generate(given) : null, skipsNone },
      };
      if (id === "pydantic.WrapSerializer") return { schema: serialized };
      const writes = (value: Value): Value => writtenBy(metadata, value);
      return { schema: { ...serialized, writes } };
    }
    case "pydantic.SkipValidation":
      return skipped(schema);
    case "pydantic.Json":
      return { schema: { type: "json", schema } };
    case "pydantic.InstanceOf":
      return { schema: { type: "json-or-python", schema } };
    case "pydantic.SerializeAsAny":
      return { schema };
    case "pydantic.OnErrorOmit":
      return { schema: { type: "function", schema } };
    case "pydantic.ImportString":
      return {
        schema: {
          type: "function",
          schema,
          metadata: { functions: [() => ({ type: "string" })] },
        },
      };
    case "pydantic.SkipJsonSchema":
      return {
        schema,
        annotationFunction: () => {
          throw new Omitted();
        },
      };
    case "pydantic.WithJsonSchema": {
      const given = first ?? metadata.kwargs.get("json_schema");
      const only = argument(metadata, 1, "mode");
      const isOmitted = given?.kind === "none";
      const json = given && !isOmitted ? generator.encode(given, "WithJsonSchema") : undefined;
      if (!isOmitted && !isObject(json)) return { schema };
      return {
        schema,
        annotationFunction: (core, inner, mode) => {
          if (only?.kind === "str" && only.value !== mode) return inner(core);
          if (!isObject(json)) throw new Omitted();
          return { ...json };
        },
      };
    }
    case "pydantic.UuidVersion":
      refuseOther(schema, "uuid", id);
      return withFormat(schema, first?.kind === "int" ? `uuid${first.value}` : "uuid");
    case "pydantic.PathType":
      return withFormat(
        schema,
        first?.kind === "str" ? (PATH_FORMATS[first.value] ?? "path") : "path",
      );
    case "pydantic.EncodedBytes":
    case "pydantic.EncodedStr":
      refuseOther(schema, id === "pydantic.EncodedStr" ? "str" : "bytes", id);
      return withFormat(
        { type: "function", schema },
        first?.kind === "str" ? first.value : "base64",
      );
    case "pydantic.UrlConstraints":
      return { schema: withUrlConstraints(schema, metadata.kwargs.get("max_length") ?? first) };
    case "pydantic.Tag": {
      const tag = first ?? metadata.kwargs.get("tag");
      return {
        schema: {
          ...schema,
          metadata: mergeMetadata(
            schema.metadata ?? {},
            tag?.kind === "str" ? { unionTag: tag.value } : {},
          ),
        },
      };
    }
    case "pydantic.Discriminator": {
      const by = first ?? metadata.kwargs.get("discriminator");
      return { schema: by ? discriminated(schema, by) : schema };
    }
    case "pydantic.GetPydanticSchema":
      generator.surroundings.note("`GetPydanticSchema` makes its own schema");
      return { schema: { type: "any" } };
    default:
      if (
        metadata.callee.kind === "class" &&
        metadata.callee.mro.some((cls) => cls.kind === "class" && makesItsOwn(cls.methods))
      ) {
        generator.surroundings.note(`\`${metadata.callee.name}\` makes its own schema`);
        return { schema: { type: "any" } };
      }
      return null;
  }
}

function passesNone(serializer: Call): boolean {
  const used = serializer.kwargs.get("when_used");
  return used?.kind === "str" && used.value.endsWith("unless-none");
}

/** What a `PlainSerializer` or `WrapSerializer` makes of a value. */
export function writtenBy(serializer: Call, value: Value): Value {
  if (passesNone(serializer) && value.kind === "none") return value;
  const untold = unknown("what a serializer makes of it is known only at run time");
  const callee = serializer.args[0] ?? serializer.kwargs.get("func");
  if (!callee || calleeId(serializer) !== "pydantic.PlainSerializer") return untold;
  try {
    return apply(callee, [value], new Map()) ?? untold;
  } catch (error) {
    if (error instanceof PythonError) return untold;
    throw error;
  }
}

/** pydantic's `_check_annotated_type`. */
function refuseOther(schema: Core, wanted: Core["type"], id: string): void {
  if (schema.type !== wanted && schema.type !== "any")
    throw new SchemaError("PydanticUserError", `\`${id}\` cannot annotate \`${schema.type}\``);
}

const makesItsOwn = (methods: ReadonlyMap<string, unknown>): boolean =>
  methods.has("__get_pydantic_core_schema__") || methods.has("__get_pydantic_json_schema__");

const skipped = (schema: Core): Applied => ({
  schema: { type: "any", metadata: { annotationFunctions: [(_, inner) => inner(schema)] } },
});

const withFormat = (schema: Core, format: string): Applied => ({
  schema,
  annotationFunction: (core, inner) => {
    const { anyOf: _, ...json } = inner(core);
    return { ...json, type: "string", format };
  },
});

function withUrlConstraints(schema: Core, longest: Value | undefined): Core {
  if (longest?.kind !== "int") return schema;
  const constraints = { max_length: Number(longest.value) };
  if (schema.type === "function")
    return { ...schema, schema: withUrlConstraints(schema.schema, longest) };
  return schema.type === "url" || schema.type === "multi-host-url"
    ? { ...schema, constraints: { ...schema.constraints, ...constraints } }
    : schema;
}
