import type { ClassDefinition } from "../python/classes.js";
import type { Value } from "../python/values.js";
import type { Json, JsonObject } from "./json.js";
import type { ModelConfig } from "./config.js";

/**
 * What pydantic makes of a type before it makes JSON Schema of it: its "core schema", in the shapes that decide the JSON Schema.
 * Names and structure follow `pydantic_core.core_schema`, so that its rules can be followed one for one.
 */
export type Core = CoreCommon & CoreShape;

interface CoreCommon {
  /** Identity of what goes into `$defs`. */
  ref?: string;
  metadata?: CoreMetadata;
  /** What serialising gives instead, where that differs. */
  serialization?: { returns: Core | null; skipsNone?: boolean };
  /** What serialising makes of a default, where a function does it; `null` where that raises. */
  writes?: (value: Value) => Value | null;
}

export interface CoreMetadata {
  updates?: JsonObject;
  extra?: JsonObject;
  functions?: readonly JsonFunction[];
  annotationFunctions?: readonly JsonFunction[];
  unionTag?: string;
}

/** Changes the JSON Schema of a core schema; `inner` gives what it would be. */
export type JsonFunction = (
  core: Core,
  inner: (core: Core) => JsonObject,
  mode: "validation" | "serialization",
) => JsonObject;

/** Numbers and lengths, by pydantic's names: `ge`, `min_length`, `pattern`. */
export type Constraints = Readonly<Record<string, Json>>;

export interface FieldSchema {
  readonly name: string;
  readonly schema: Core;
  readonly metadata: CoreMetadata;
  readonly required: boolean;
  readonly validationAlias: string | null;
  readonly serializationAlias: string | null;
  readonly excluded: boolean;
  /** Left out by a condition. */
  readonly optional?: boolean;
  /** Titled by a function of the script's. */
  readonly untitled?: boolean;
  readonly computed: boolean;
}

/** One shape for each of several types, so that each can be told from the others by its `type`. */
type Each<T extends string, Rest = unknown> = T extends string ? { type: T } & Rest : never;

export type CoreShape =
  | Each<
      | "any"
      | "none"
      | "bool"
      | "complex"
      | "callable"
      | "is-subclass"
      | "ellipsis"
      | "date"
      | "time"
      | "datetime"
      | "timedelta"
      | "uuid"
    >
  | Each<
      "int" | "float" | "decimal" | "fraction" | "str" | "bytes" | "url" | "multi-host-url",
      { constraints?: Constraints }
    >
  | { type: "is-instance"; of: string }
  | { type: "literal"; values: readonly Value[] }
  | { type: "enum"; class: ClassDefinition }
  | Each<
      "list" | "deque" | "set" | "frozenset" | "generator",
      { items: Core; constraints?: Constraints }
    >
  | { type: "tuple"; items: readonly Core[]; variadic: boolean; constraints?: Constraints }
  | { type: "dict"; keys: Core; values: Core; constraints?: Constraints }
  | Each<
      "nullable" | "function" | "json-or-python" | "lax-or-strict" | "custom-error",
      { schema: Core; input?: Core }
    >
  | { type: "chain"; steps: readonly Core[] }
  | { type: "union"; choices: readonly Core[]; discriminator?: string }
  | { type: "default"; schema: Core; default: Value | null }
  | Each<"model" | "dataclass" | "typed-dict", StructuredShape>
  | { type: "named-tuple"; fields: readonly { name: string; schema: Core; required: boolean }[] }
  | { type: "arguments"; parameters: readonly { name: string; schema: Core; required: boolean }[] }
  | { type: "json"; schema: Core }
  | { type: "definition-ref"; to: string };

interface StructuredShape {
  readonly class: ClassDefinition | null;
  readonly title: string | null;
  /** Of the class itself, as `__doc__` has it. */
  readonly docstring?: string | null;
  readonly fields: readonly FieldSchema[];
  /** Of the class itself; `null` where that of the class around it holds. */
  readonly config: ModelConfig | null;
  /** What becomes of keys beyond the fields, where `config` does not say. */
  readonly extra?: string | undefined;
  /** What keys beyond the fields hold. */
  readonly extras?: Core;
  /** The one value of a root model. */
  readonly root?: Core;
}

export type CoreOf<T extends Core["type"]> = Extract<Core, { type: T }>;

/** What pydantic raises, by the name of its exception. */
export type SchemaErrorKind =
  | "PydanticSchemaGenerationError"
  | "PydanticInvalidForJsonSchema"
  | "PydanticUserError"
  | "PydanticUndefinedAnnotation"
  | "PydanticForbiddenQualifier";

export class SchemaError extends Error {
  constructor(
    readonly kind: SchemaErrorKind,
    message: string,
  ) {
    super(message);
  }
}

/** Metadata with more added; later keys win. */
export function mergeMetadata(target: CoreMetadata, more: CoreMetadata): CoreMetadata {
  return {
    ...target,
    ...(more.updates && { updates: { ...target.updates, ...more.updates } }),
    ...(more.extra && { extra: { ...target.extra, ...more.extra } }),
    ...(more.functions && { functions: [...(target.functions ?? []), ...more.functions] }),
    ...(more.annotationFunctions && {
      annotationFunctions: [...(target.annotationFunctions ?? []), ...more.annotationFunctions],
    }),
    ...(more.unionTag !== undefined && { unionTag: more.unionTag }),
  };
}

/** The union that a field's `discriminator` tells apart. */
export function discriminated(schema: Core, discriminator: Value): Core {
  if (schema.type === "nullable")
    return { ...schema, schema: discriminated(schema.schema, discriminator) };
  const { ref, metadata, serialization } = schema;
  return {
    type: "union",
    choices: schema.type === "union" ? schema.choices : [schema],
    discriminator: discriminator.kind === "str" ? discriminator.value : "callable",
    ...(ref !== undefined && { ref }),
    ...(metadata && { metadata }),
    ...(serialization && { serialization }),
  };
}
