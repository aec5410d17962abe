import {
  ELLIPSIS,
  PythonError,
  NONE,
  type Call,
  type Value,
  calleeId,
  equalityKey,
  form,
  isCallOf,
  isLibraryClass,
  libraryClass,
  str,
} from "../python/values.js";
import type { CoreMetadata } from "./core.js";
import { SchemaError } from "./core.js";
import { type Encoder } from "./encode.js";

/** pydantic's `FieldInfo`: a type, what was said about it, and constraints to apply to it. */
export interface FieldInfo {
  readonly annotation: Value;
  /** Arguments of `Field(…)` that were given, `default` among them, merged. */
  readonly attributes: ReadonlyMap<string, Value>;
  readonly metadata: readonly Value[];
  readonly qualifiers: ReadonlySet<string>;
}

/** In the order pydantic collects them. `pattern` and the like share one metadata object that comes last. */
const CONSTRAINT_ARGUMENTS: Readonly<Record<string, string>> = {
  strict: "pydantic.Strict",
  gt: "annotated_types.Gt",
  ge: "annotated_types.Ge",
  lt: "annotated_types.Lt",
  le: "annotated_types.Le",
  multiple_of: "annotated_types.MultipleOf",
  min_length: "annotated_types.MinLen",
  max_length: "annotated_types.MaxLen",
  allow_inf_nan: "pydantic.AllowInfNan",
  fail_fast: "pydantic.FailFast",
};
const GENERAL_ARGUMENTS = [
  "pattern",
  "coerce_numbers_to_str",
  "max_digits",
  "decimal_places",
  "union_mode",
];
const ATTRIBUTE_ARGUMENTS = new Set(
  `default default_factory alias alias_priority validation_alias serialization_alias title field_title_generator description examples
   exclude exclude_if discriminator deprecated json_schema_extra frozen validate_default repr init init_var kw_only`.split(
    /\s+/,
  ),
);
const RENAMED_ARGUMENTS: Readonly<Record<string, string>> = {
  min_items: "min_length",
  max_items: "max_length",
};
const IGNORED_ARGUMENTS = new Set(["include", "allow_mutation", "item_type"]);

const metadataCall = (
  id: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value> = new Map(),
): Call => ({
  kind: "call",
  callee: libraryClass(id),
  args,
  kwargs,
});

interface FieldParts {
  readonly attributes: ReadonlyMap<string, Value>;
  readonly metadata: readonly Value[];
}

const partsOfCalls = new WeakMap<Call, FieldParts>();

/** What a `Field(…)` call says. */
export function fieldParts(call: Call): FieldParts {
  let found = partsOfCalls.get(call);
  if (!found) partsOfCalls.set(call, (found = readFieldCall(call.args[0], call.kwargs)));
  return found;
}

function readFieldCall(
  positional: Value | undefined,
  kwargs: ReadonlyMap<string, Value>,
): FieldParts {
  const attributes = new Map<string, Value>();
  const constraints = new Map<string, Value>();
  const extra: [Value, Value][] = [];
  if (positional) attributes.set("default", positional);
  for (const [name, value] of kwargs) {
    if (ATTRIBUTE_ARGUMENTS.has(name)) attributes.set(name, value);
    else if (name in CONSTRAINT_ARGUMENTS || GENERAL_ARGUMENTS.includes(name))
      constraints.set(name, value);
    else if (name in RENAMED_ARGUMENTS) constraints.set(RENAMED_ARGUMENTS[name]!, value);
    else if (!IGNORED_ARGUMENTS.has(name)) extra.push([str(name), value]);
  }
  if (attributes.get("default")?.kind === "ellipsis") attributes.delete("default");
  const alias = attributes.get("alias");
  if (alias) {
    for (const name of ["validation_alias", "serialization_alias"]) {
      if (!attributes.has(name) || attributes.get(name)!.kind === "none")
        attributes.set(name, alias);
    }
  }
  if (extra.length > 0 && !attributes.has("json_schema_extra"))
    attributes.set("json_schema_extra", { kind: "dict", entries: extra });
  const metadata: Value[] = [];
  for (const [name, id] of Object.entries(CONSTRAINT_ARGUMENTS)) {
    const value = constraints.get(name);
    if (value && value.kind !== "none") metadata.push(metadataCall(id, [value]));
  }
  const general = new Map(
    [...constraints].filter(
      ([name, value]) => GENERAL_ARGUMENTS.includes(name) && value.kind !== "none",
    ),
  );
  if (general.size > 0) metadata.push(metadataCall("pydantic.GeneralMetadata", [], general));
  return { attributes, metadata };
}

export type AnnotationSource = "class" | "dataclass" | "typed-dict" | "named-tuple" | "function";

const ALLOWED_QUALIFIERS: Readonly<Record<AnnotationSource, readonly string[]>> = {
  class: ["Final", "ClassVar"],
  dataclass: ["Final", "ClassVar", "InitVar"],
  "typed-dict": ["Required", "NotRequired", "ReadOnly"],
  "named-tuple": [],
  function: [],
};
const QUALIFIERS = new Set(Object.values(ALLOWED_QUALIFIERS).flat());

export interface InspectedAnnotation {
  readonly type: Value;
  readonly qualifiers: ReadonlySet<string>;
  readonly metadata: readonly Value[];
}

/** Takes a type out of `Annotated[…]`, `ClassVar[…]` and the like around it. */
export function inspectAnnotation(
  annotation: Value,
  source: AnnotationSource,
): InspectedAnnotation {
  const qualifiers = new Set<string>();
  let metadata: readonly Value[] = [];
  let type = annotation;
  for (;;) {
    if (type.kind === "annotated") {
      metadata = [...type.metadata, ...metadata];
      type = type.type;
      continue;
    }
    const qualifier = qualifierOf(type);
    if (qualifier === undefined) return { type, qualifiers, metadata };
    if (!ALLOWED_QUALIFIERS[source].includes(qualifier)) {
      throw new SchemaError(
        "PydanticForbiddenQualifier",
        `the qualifier \`${qualifier}\` is not allowed here`,
      );
    }
    qualifiers.add(qualifier);
    type = type.kind === "alias" ? type.args[0]! : form("typing.Any");
  }
}

export function qualifierOf(type: Value): string | undefined {
  const head = type.kind === "alias" ? type.origin : type;
  if (isLibraryClass(head, "dataclasses.InitVar")) return "InitVar";
  if (head.kind !== "form") return undefined;
  const name = head.id.slice("typing.".length);
  return QUALIFIERS.has(name) ? name : undefined;
}

const TYPES = new Set(["form", "class", "library-class"]);

/** pydantic's `FieldInfo.from_annotation` and, with a default, `from_annotated_attribute`. */
export function makeField(
  annotation: Value,
  source: AnnotationSource,
  assigned?: Value,
): FieldInfo {
  if (assigned && TYPES.has(assigned.kind) && equalityKey(annotation) === equalityKey(assigned)) {
    throw new SchemaError("PydanticUserError", "the default is the annotation itself");
  }
  const inspected = inspectAnnotation(annotation, source);
  const attributes = new Map<string, Value>();
  const metadata: Value[] = [];
  const merge = (parts: FieldParts): void => {
    const existing = attributes.get("json_schema_extra");
    const more = parts.attributes.get("json_schema_extra");
    for (const [name, value] of parts.attributes) attributes.set(name, value);
    if (existing?.kind === "dict" && more?.kind === "dict") {
      attributes.set("json_schema_extra", {
        kind: "dict",
        entries: [...existing.entries, ...more.entries],
      });
    } else if (existing?.kind === "dict" && more) attributes.set("json_schema_extra", existing);
  };
  const assignedParts =
    assigned &&
    (isCallOf(assigned, "pydantic.Field") ? fieldParts(assigned) : dataclassFieldParts(assigned));
  if (assignedParts) metadata.push(...assignedParts.metadata);
  for (const item of inspected.metadata) {
    if (isCallOf(item, "pydantic.Field")) {
      const parts = fieldParts(item);
      metadata.push(...parts.metadata);
      merge(parts);
    } else if (isCallOf(item, "typing.deprecated")) attributes.set("deprecated", item);
    else metadata.push(item);
  }
  if (assignedParts) merge({ attributes: assignedParts.attributes, metadata: [] });
  else if (assigned && assigned.kind !== "ellipsis") attributes.set("default", assigned);
  else if (assigned) attributes.delete("default");
  const factory = attributes.get("default_factory") ?? NONE;
  if (factory.kind !== "none" && (attributes.get("default") ?? ELLIPSIS).kind !== "ellipsis")
    throw new PythonError("TypeError", "cannot specify both default and default_factory");
  return { annotation: inspected.type, attributes, metadata, qualifiers: inspected.qualifiers };
}

/** A `dataclasses.field(…)` as pydantic reads it: its `metadata` may hold arguments of `Field`. */
function dataclassFieldParts(assigned: Value): FieldParts | undefined {
  if (!isCallOf(assigned, "dataclasses.field")) return undefined;
  const described = assigned.kwargs.get("metadata");
  const options = new Map<string, Value>();
  if (described?.kind === "dict") {
    for (const [key, value] of described.entries) {
      if (
        key.kind === "str" &&
        (ATTRIBUTE_ARGUMENTS.has(key.value) ||
          key.value in CONSTRAINT_ARGUMENTS ||
          GENERAL_ARGUMENTS.includes(key.value))
      ) {
        options.set(key.value, value);
      }
    }
  }
  for (const name of ["default", "default_factory", "init", "kw_only"]) {
    const value = assigned.kwargs.get(name);
    if (value) options.set(name, value);
  }
  return readFieldCall(undefined, options);
}

export function isRequired(field: FieldInfo): boolean {
  const factory = field.attributes.get("default_factory");
  return !field.attributes.has("default") && (!factory || factory.kind === "none");
}

/** The default of a field; `null` when a factory makes it. */
export const defaultOf = (field: FieldInfo): Value | null => {
  const factory = field.attributes.get("default_factory");
  return factory && factory.kind !== "none" ? null : (field.attributes.get("default") ?? null);
};

/** What a field adds to the JSON Schema of its type. */
export function fieldMetadata(
  attributes: ReadonlyMap<string, Value>,
  encode: Encoder,
): CoreMetadata {
  const metadata: CoreMetadata = {};
  const updates: NonNullable<CoreMetadata["updates"]> = {};
  for (const name of ["title", "description", "examples"]) {
    const value = attributes.get(name) ?? NONE;
    if (value.kind === "none") continue;
    const encoded = encode(value, name);
    if (encoded !== undefined) updates[name] = encoded;
  }
  const deprecated = attributes.get("deprecated");
  if (
    deprecated &&
    deprecated.kind !== "none" &&
    !(deprecated.kind === "bool" && !deprecated.value)
  )
    updates["deprecated"] = true;
  if (Object.keys(updates).length > 0) metadata.updates = updates;
  const extra = attributes.get("json_schema_extra");
  if (extra && extra.kind !== "none") {
    const encoded = encode(extra, "json_schema_extra");
    if (encoded && typeof encoded === "object" && !Array.isArray(encoded)) metadata.extra = encoded;
  }
  return metadata;
}

/** The name an alias stands for: a string, or the first single name of `AliasChoices` and `AliasPath`. */
export function aliasName(alias: Value | undefined): string | null {
  if (alias?.kind === "str") return alias.value;
  if (alias?.kind !== "call") return null;
  const id = calleeId(alias);
  if (id === "pydantic.AliasChoices")
    return alias.args.map(aliasName).find((name) => name !== null) ?? null;
  return id === "pydantic.AliasPath" && alias.args.length === 1 ? aliasName(alias.args[0]) : null;
}
