import { TooMuchWork, type Value, calleeId, isCallOf, str, unknown } from "../python/values.js";
import {
  type Constraints,
  type Core,
  type CoreOf,
  type JsonFunction,
  SchemaError,
} from "./core.js";
import { type ModelConfig, textSetting } from "./config.js";
import { type Json, type JsonObject, fromEntries, sortKeys } from "./json.js";
import { Definitions } from "./definitions.js";
import { NotSerializable } from "./encode.js";
import { argumentsJson, namedTupleJson, structuredJson } from "./json-structures.js";
import { unionSchema, unionOfSchemas } from "./unions.js";

export type Mode = "validation" | "serialization";

export interface JsonSchemaOptions {
  readonly mode: Mode;
  /** Whether properties go by their aliases, as models are configured to be read or, with `by-model`, to be written. */
  readonly aliases: true | "configured" | "by-model";
  /** Whether what pydantic only warns about is refused. */
  readonly strict: boolean;
}

/** Encodes a value, or says of which parameter it could not be known. @throws NotSerializable where pydantic leaves it out */
export type ValueEncoder = (value: Value, parameter: string | null) => Json | undefined;

const NUMERIC: Readonly<Record<string, string>> = {
  multiple_of: "multipleOf",
  le: "maximum",
  ge: "minimum",
  lt: "exclusiveMaximum",
  gt: "exclusiveMinimum",
};
const LENGTH: Readonly<Record<string, string>> = {
  min_length: "minLength",
  max_length: "maxLength",
};
const TEXT = { ...LENGTH, pattern: "pattern" };
const ARRAY: Readonly<Record<string, string>> = { min_length: "minItems", max_length: "maxItems" };
const OBJECT: Readonly<Record<string, string>> = {
  min_length: "minProperties",
  max_length: "maxProperties",
};
const MOST_NODES = 50_000;

function constrained(
  json: JsonObject,
  constraints: Constraints | undefined,
  names: Readonly<Record<string, string>>,
): JsonObject {
  for (const [name, value] of Object.entries(constraints ?? {}))
    if (name in names) json[names[name]!] = value;
  return json;
}

/** Makes JSON Schema of core schemas, as pydantic's `GenerateJsonSchema` does. */
export class JsonSchemaGenerator {
  readonly definitions: Definitions;
  byAlias: boolean;
  /** The configuration of the class whose schema is being made. */
  config: ModelConfig = new Map();
  /** The parameter whose schema is being made. */
  parameter: string | null = null;
  #nodes = 0;

  /** @param cores - what `definition-ref` refers to */
  constructor(
    readonly options: JsonSchemaOptions,
    readonly cores: ReadonlyMap<string, Core>,
    private readonly encodeValue: ValueEncoder,
    /** Counts a part of a schema. @throws TooMuchWork */
    private readonly step: () => void,
  ) {
    this.definitions = new Definitions(options.mode);
    this.byAlias = options.aliases !== "by-model";
  }

  get mode(): Mode {
    const override = textSetting(this.config, "json_schema_mode_override");
    return override === "validation" || override === "serialization" ? override : this.options.mode;
  }

  /** The schema of a whole tool's input or output, with its `$defs`. */
  generate(core: Core): JsonObject {
    const json = this.definitions.finish(this.inner(core));
    return sortKeys(json) as JsonObject;
  }

  /** @throws SchemaError @throws Omitted */
  inner(core: Core): JsonObject {
    this.step();
    if (++this.#nodes > MOST_NODES) throw new TooMuchWork("a schema without end");
    if (core.ref !== undefined && this.definitions.isMade(core.ref))
      return this.definitions.referTo(core.ref);
    const { metadata = {} } = core;
    let handler = (schema: Core): JsonObject => this.#shape(schema);
    if (metadata.updates) {
      const inner = handler;
      handler = (schema) => ({ ...inner(schema), ...structuredClone(metadata.updates!) });
    }
    if (metadata.extra) {
      const inner = handler;
      handler = (schema) => ({ ...inner(schema), ...structuredClone(metadata.extra!) });
    }
    for (const change of metadata.functions ?? []) handler = this.#resolving(change, handler);
    for (const change of metadata.annotationFunctions ?? []) {
      const inner = handler;
      handler = (schema) => change(schema, inner, this.mode);
    }
    return this.#define(core, handler(core));
  }

  /** A change that sees through a reference to what it refers to. */
  #resolving(change: JsonFunction, inner: (core: Core) => JsonObject): (core: Core) => JsonObject {
    return (core) => {
      const json = this.#define(core, change(core, inner, this.mode));
      const target = this.definitions.resolve(json);
      const { $ref, ...siblings } = json;
      if ($ref !== undefined && Object.keys(siblings).length > 0) Object.assign(target, siblings);
      return target;
    };
  }

  #define(core: Core, json: JsonObject): JsonObject {
    return core.ref === undefined ? json : this.definitions.define(core.ref, json);
  }

  #shape(core: Core): JsonObject {
    if (this.mode === "serialization" && core.serialization?.returns)
      return this.#serialized(core, core.serialization.returns);
    switch (core.type) {
      case "any":
      case "is-subclass":
        return {};
      case "none":
        return { type: "null" };
      case "bool":
        return { type: "boolean" };
      case "int":
        return finite(constrained({ type: "integer" }, core.constraints, NUMERIC));
      case "float":
        return finite(constrained({ type: "number" }, core.constraints, NUMERIC));
      case "decimal":
      case "fraction":
        return this.#exactNumber(core);
      case "str":
        return this.#text(core.constraints);
      case "bytes":
        return constrained(
          { type: "string", format: this.#bytesFormat() },
          core.constraints,
          LENGTH,
        );
      case "complex":
        return { type: "string" };
      case "date":
      case "time":
        return this.#temporal(core.type, "ser_json_temporal");
      case "datetime":
        return this.#temporal("date-time", "ser_json_temporal");
      case "timedelta":
        return this.#temporal(
          "duration",
          this.config.has("ser_json_temporal") ? "ser_json_temporal" : "ser_json_timedelta",
        );
      case "uuid":
        return { type: "string", format: "uuid" };
      case "url":
        return constrained({ type: "string", format: "uri", minLength: 1 }, core.constraints, TEXT);
      case "multi-host-url":
        return constrained(
          { type: "string", format: "multi-host-uri", minLength: 1 },
          core.constraints,
          TEXT,
        );
      case "callable":
      case "ellipsis":
      case "is-instance":
        throw new SchemaError(
          "PydanticInvalidForJsonSchema",
          `JSON Schema has nothing for ${core.type === "is-instance" ? `instances of \`${core.of}\`` : `\`${core.type}\``}`,
        );
      case "literal":
        return this.#literal(core);
      case "enum":
        return this.#enum(core);
      case "list":
      case "deque":
      case "generator":
        return constrained(
          { type: "array", items: this.inner(core.items) },
          core.constraints,
          ARRAY,
        );
      case "set":
      case "frozenset":
        return constrained(
          { type: "array", uniqueItems: true, items: this.inner(core.items) },
          core.constraints,
          ARRAY,
        );
      case "tuple":
        return this.#tuple(core);
      case "dict":
        return this.#dict(core);
      case "function":
        return this.inner(core.input && this.mode === "validation" ? core.input : core.schema);
      case "json-or-python":
      case "lax-or-strict":
      case "custom-error":
        return this.inner(core.schema);
      case "chain":
        return this.inner(core.steps.at(this.mode === "validation" ? 0 : -1)!);
      case "nullable":
        return this.#nullable(core);
      case "union":
        return unionSchema(this, core);
      case "default":
        return this.#default(core);
      case "model":
      case "dataclass":
      case "typed-dict":
        return structuredJson(this, core);
      case "named-tuple":
        return namedTupleJson(this, core);
      case "arguments":
        return argumentsJson(this, core);
      case "json":
        if (this.mode === "serialization") return this.inner(core.schema);
        return {
          type: "string",
          contentMediaType: "application/json",
          contentSchema: this.inner(core.schema),
        };
      case "definition-ref":
        return this.#reference(core.to);
    }
  }

  #serialized(core: Core, returns: Core): JsonObject {
    const json = this.inner(returns);
    return core.serialization?.skipsNone && isNullable(core)
      ? unionOfSchemas([{ type: "null" }, json])
      : json;
  }

  /** A definition is made when it is first met; one that is still being made refers to itself. */
  #reference(ref: string): JsonObject {
    const core = this.cores.get(ref);
    if (core && this.definitions.begin(ref)) this.inner(core);
    return this.definitions.referTo(ref);
  }

  #text(constraints: Constraints | undefined): JsonObject {
    const json = constrained({ type: "string" }, constraints, TEXT);
    const least = this.config.get("str_min_length");
    const most = this.config.get("str_max_length");
    if (least?.kind === "int" && least.value !== 0n) json["minLength"] ??= Number(least.value);
    if (most?.kind === "int") json["maxLength"] ??= Number(most.value);
    return json;
  }

  #bytesFormat(): string {
    return textSetting(this.config, "ser_json_bytes") === "base64" ? "base64url" : "binary";
  }

  /** A point in time or a span of it, which the configuration may have written as a number. */
  #temporal(format: string, setting: string): JsonObject {
    const written = textSetting(this.config, setting) ?? "iso8601";
    return this.mode === "serialization" && written !== "iso8601"
      ? { type: "number" }
      : { type: "string", format };
  }

  #exactNumber(core: CoreOf<"decimal" | "fraction">): JsonObject {
    const text: JsonObject =
      core.type === "decimal" ? this.#text({}) : { type: "string", format: "fraction" };
    if (this.mode === "serialization") return text;
    const number: JsonObject = { type: "number" };
    for (const [name, value] of Object.entries(core.constraints ?? {})) {
      if (name in NUMERIC && (name !== "multiple_of" || core.type === "decimal"))
        number[NUMERIC[name]!] = typeof value === "object" ? value : Number(value);
    }
    return { anyOf: [finite(number), text] };
  }

  #literal(core: CoreOf<"literal">): JsonObject {
    const values = core.values.map((value) => this.#literalValue(value));
    const type = commonType(values, core.values);
    const shown: JsonObject = values.length === 1 ? { const: values[0]! } : { enum: values };
    return type === null ? shown : { ...shown, type };
  }

  /** What cannot be written as JSON is left out; where the runtime is strict that is an error. */
  encode(value: Value): Json | undefined {
    try {
      return this.encodeValue(value, this.parameter);
    } catch (error) {
      if (!(error instanceof NotSerializable)) throw error;
      if (this.options.strict)
        throw new SchemaError(
          "PydanticUserError",
          `a default is ${error.message}, which JSON cannot hold`,
        );
      return undefined;
    }
  }

  #literalValue(value: Value): Json {
    const encoded = this.encode(value);
    if (encoded === undefined)
      throw new SchemaError(
        "PydanticInvalidForJsonSchema",
        "a literal value is known only at run time",
      );
    return encoded;
  }

  #enum(core: CoreOf<"enum">): JsonObject {
    const members = [...core.class.members.values()];
    const values = members.map(({ value }) => this.#literalValue(value));
    const type = commonType(
      values,
      members.map(({ value }) => value),
    );
    // A null type is only named in literals.
    return {
      title: core.class.name,
      enum: values,
      ...(type !== null && type !== "null" && { type }),
    };
  }

  #tuple(core: CoreOf<"tuple">): JsonObject {
    const json: JsonObject = { type: "array" };
    if (core.variadic) json["items"] = this.inner(core.items[0]!);
    else {
      if (core.items.length > 0) json["prefixItems"] = core.items.map((item) => this.inner(item));
      json["minItems"] = json["maxItems"] = core.items.length;
    }
    return constrained(json, core.constraints, ARRAY);
  }

  #dict(core: CoreOf<"dict">): JsonObject {
    const keys = { ...this.inner(core.keys) };
    let pattern: Json | undefined;
    if (!("$ref" in keys)) {
      pattern = keys["pattern"];
      delete keys["pattern"];
      delete keys["title"];
    }
    const values = { ...this.inner(core.values) };
    delete values["title"];
    const json: JsonObject = { type: "object" };
    if (typeof pattern === "string") json["patternProperties"] = fromEntries([[pattern, values]]);
    else json["additionalProperties"] = Object.keys(values).length > 0 ? values : true;
    if ((keys["type"] === "string" && Object.keys(keys).length > 1) || "$ref" in keys) {
      delete keys["type"];
      json["propertyNames"] = keys;
    }
    return constrained(json, core.constraints, OBJECT);
  }

  #nullable(core: CoreOf<"nullable">): JsonObject {
    const inner = this.inner(core.schema);
    const isNull = Object.keys(inner).length === 1 && inner["type"] === "null";
    return isNull ? inner : unionOfSchemas([inner, { type: "null" }]);
  }

  /** A default as the configuration has it written. */
  #configured(value: Value): Value {
    const bytes = textSetting(this.config, "ser_json_bytes");
    if (value.kind === "list" || value.kind === "tuple")
      return { ...value, items: value.items.map((item) => this.#configured(item)) };
    if (value.kind === "bytes" && (bytes === "base64" || bytes === "hex")) {
      const text = Buffer.from(value.value, "latin1").toString(bytes);
      return str(text.replaceAll("+", "-").replaceAll("/", "_"));
    }
    if (this.mode === "serialization" && value.kind === "call") {
      const isSpan = isCallOf(value, "datetime.timedelta");
      const setting =
        isSpan && !this.config.has("ser_json_temporal")
          ? "ser_json_timedelta"
          : "ser_json_temporal";
      const written = textSetting(this.config, setting) ?? "iso8601";
      const isTime = calleeId(value).startsWith("datetime.");
      if (isTime && written !== "iso8601")
        return unknown("a point in time or a span of it as a number");
    }
    return value;
  }

  #default(core: CoreOf<"default">): JsonObject {
    const json = this.inner(core.schema);
    if (core.default === null) return json;
    let inner = core.schema;
    while (inner.type === "function" && !inner.writes) inner = inner.schema;
    const value =
      this.mode === "serialization" && inner.writes ? inner.writes(core.default) : core.default;
    const encoded = value === null ? undefined : this.encode(this.#configured(value));
    return encoded === undefined ? json : { ...json, default: encoded };
  }
}

function isNullable(core: Core): boolean {
  switch (core.type) {
    case "nullable":
      return true;
    case "default":
    case "function":
    case "json-or-python":
    case "lax-or-strict":
      return isNullable(core.schema);
    default:
      return false;
  }
}

function finite(json: JsonObject): JsonObject {
  return fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}

const JSON_TYPES: Readonly<Record<string, string>> = {
  str: "string",
  bytes: "string",
  int: "integer",
  float: "number",
  bool: "boolean",
  list: "array",
  tuple: "array",
  none: "null",
  member: "",
};

/** The JSON type of values that are all of one Python type. */
function commonType(values: readonly Json[], sources: readonly Value[]): string | null {
  const types = new Set(
    values.map((value, i) => {
      const source = plain(sources[i]!);
      return JSON_TYPES[source.kind] || (typeof value === "string" ? "string" : source.kind);
    }),
  );
  const [type] = types;
  return types.size === 1 && Object.values(JSON_TYPES).includes(type!) ? type! : null;
}

function plain(value: Value): Value {
  return value.kind === "member" ? plain(value.value) : value;
}
