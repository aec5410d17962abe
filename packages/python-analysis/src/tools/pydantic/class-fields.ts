import { cleanDocstring } from "../../docstring/clean.js";
import { apply } from "../python/calls.js";
import type { ClassDefinition, FieldAnnotation } from "../python/classes.js";
import type { Frame } from "../python/scope.js";
import { truth } from "../python/truth.js";
import { replaceTypes } from "../python/subscripts.js";
import { PythonError, type Value, isCallOf, str, unknown } from "../python/values.js";
import { applyAliasGenerator } from "./aliases.js";
import { applyAnnotations } from "./annotations.js";
import { type ModelConfig, isOn } from "./config.js";
import { type Core, type FieldSchema, SchemaError, discriminated } from "./core.js";
import { type Serializer, fieldHooks } from "./decorators.js";
import {
  type AnnotationSource,
  type FieldInfo,
  aliasName,
  defaultOf,
  fieldMetadata,
  isRequired,
  makeField,
  qualifierOf,
} from "./fields.js";
import type { CoreGenerator } from "./generate.js";

/** What strings inside a class's annotations see: the class itself under its name, before anything else. */
export const insideOf = (cls: ClassDefinition): Frame => ({
  scope: cls.scope,
  before: Infinity,
  locals: new Map([[cls.name, cls]]),
});

const annotationTypes = new WeakMap<FieldAnnotation, Value>();
const assignedValues = new WeakMap<FieldAnnotation, Value>();

/**
 * The type that a field's annotation names.
 *
 * @throws PythonError where evaluating it raises
 */
export function annotationType(cls: ClassDefinition, field: FieldAnnotation): Value {
  let type = annotationTypes.get(field);
  if (!type) {
    const value =
      "kind" in field.annotation
        ? field.annotation
        : cls.interpreter.evaluate(
            field.annotation,
            cls.scope.defersAnnotations ? insideOf(cls) : { scope: cls.scope, before: field.at },
          );
    type = value.kind === "str" ? { kind: "forward", text: value.value } : value;
    annotationTypes.set(field, type);
  }
  return type;
}

const valueOf = (cls: ClassDefinition, value: NonNullable<FieldAnnotation["value"]>): Value =>
  "kind" in value
    ? value
    : cls.interpreter.evaluate(value, { scope: cls.scope, before: value.startIndex });

/** What is assigned to a field, or `undefined` if nothing is. */
export function assignedValue(cls: ClassDefinition, field: FieldAnnotation): Value | undefined {
  let value = assignedValues.get(field);
  if (value) return value;
  try {
    value = field.value ? valueOf(cls, field.value) : cls.ownAttribute(field.name);
    if (!value) return undefined;
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    value = unknown(`the default of \`${field.name}\` raises ${error.exception}`);
  }
  assignedValues.set(field, value);
  return value;
}

/** What a model's field has for a default: if nothing is assigned to it, an attribute of an ancestor's that is no field. */
function modelDefault(cls: ClassDefinition, field: FieldAnnotation): Value | undefined {
  const assigned = assignedValue(cls, field);
  if (assigned) return assigned;
  for (const ancestor of cls.mro) {
    if (ancestor === cls || ancestor.kind !== "class") continue;
    const own = ancestor.annotations.get(field.name);
    const qualifier = own && qualifierOf(annotationType(ancestor, own));
    // A model's fields are no attributes of its class.
    if (ancestor.family === "model" && qualifier !== "ClassVar" && qualifier !== "Final") continue;
    const value = own ? assignedValue(ancestor, own) : ancestor.ownAttribute(field.name);
    if (value) return value;
  }
  return undefined;
}

/** The default of a data class's field: if nothing is assigned to it, what the ancestors have under its name. */
export function dataclassDefault(cls: ClassDefinition, field: FieldAnnotation): Value | undefined {
  const assigned = assignedValue(cls, field);
  if (assigned) return assigned;
  const inherited = attributeOf(cls.mro.slice(1), field.name);
  return inherited === SLOT ? undefined : inherited;
}

/** What an instance's slot is in its class: nothing that JSON could hold. */
const SLOT: Value = { kind: "library-function", id: "types.MemberDescriptorType" };

/** What the first of the classes that has an attribute of this name has there, once `@dataclass` has been at work. */
export function attributeOf(classes: ClassDefinition["mro"], name: string): Value | undefined {
  for (const cls of classes) {
    if (cls.kind !== "class") continue;
    const own = cls.annotations.get(name);
    const value = own ? assignedValue(cls, own) : cls.ownAttribute(name);
    if (hasSlot(cls, name)) return SLOT;
    // What `dataclasses.field(…)` is assigned to keeps its default only.
    const kept =
      value && isCallOf(value, "dataclasses.field") ? value.kwargs.get("default") : value;
    if (kept) return kept;
  }
  return undefined;
}

function hasSlot(cls: ClassDefinition, name: string): boolean {
  if (cls.ownAttribute("__slots__")) return cls.annotations.has(name);
  const option = cls.dataclassOptions.get("slots");
  if (!option || truth(option) !== true) return false;
  return cls.mro.some((each) => each.kind === "class" && each.annotations.has(name));
}

/** A string annotation is looked into before its qualifiers are, as pydantic evaluates it first. */
export function resolved(generator: CoreGenerator, type: Value): Value {
  return type.kind === "forward" ? generator.resolve(type.text) : type;
}

/** A type with the strings inside it evaluated, as they are before types stand for variables in it. */
function resolvedInside(generator: CoreGenerator, type: Value): Value {
  const again = (part: Value): Value => resolvedInside(generator, part);
  switch (type.kind) {
    case "forward":
      try {
        return generator.resolve(type.text);
      } catch (error) {
        if (error instanceof SchemaError || error instanceof PythonError) return type;
        throw error;
      }
    case "alias":
      return { ...type, args: type.args.map(again) };
    case "union":
      return { ...type, members: type.members.map(again) };
    case "annotated":
      return { ...type, type: again(type.type) };
    default:
      return type;
  }
}

/** The types that stand for type variables. */
export type Types = ReadonlyMap<Value, Value>;

/** The types that stand for a class's own variables; none where it is not subscripted. */
export const typesOf = (cls: ClassDefinition, args: readonly Value[]): Types =>
  args.length > 0
    ? new Map(cls.variables.map((variable, i) => [variable, args[i] ?? variable]))
    : new Map();

/**
 * The types that stand for the variables of a model's fields, of each class that has some: a model that is subscripted is a class
 * with fields of its own, so what stands for a parent's variables stands for them in the parent's fields only.
 */
export function typesOfOwners(
  cls: ClassDefinition,
  args: readonly Value[],
  found = new Map<ClassDefinition, Types>(),
): ReadonlyMap<ClassDefinition, Types> {
  const types = typesOf(cls, args);
  if (!found.has(cls)) found.set(cls, types);
  for (const base of cls.bases) {
    const origin = base.kind === "alias" ? base.origin : base;
    if (origin.kind !== "class" || found.has(origin)) continue;
    const given = base.kind === "alias" ? base.args.map((arg) => replaceTypes(arg, types)) : [];
    typesOfOwners(origin, given, found);
  }
  return found;
}

export interface CollectedField extends FieldInfo {
  readonly docstring: string | null;
}

/** The schema of a field of a structured type, with its default around it. */
export function fieldSchema(
  generator: CoreGenerator,
  cls: ClassDefinition,
  name: string,
  field: CollectedField,
  config: ModelConfig,
): FieldSchema {
  const attributes = new Map(field.attributes);
  if (
    isOn(config, "use_attribute_docstrings") &&
    field.docstring !== null &&
    !attributes.has("description")
  ) {
    attributes.set("description", str(cleanDocstring(field.docstring)));
  }
  applyAliasGenerator(name, attributes, config, (reason) =>
    generator.surroundings.note(reason, "the field goes by its own name"),
  );
  const titled = applyTitleGenerator(name, attributes, config);
  if (titled) generator.surroundings.note(`a function titles \`${name}\``, "it has no title");
  const changes = attributes.get("json_schema_extra");
  if (changes && changes.kind !== "dict" && changes.kind !== "none")
    generator.surroundings.note(
      `a function changes the schema of \`${name}\``,
      "what it changes is not shown",
    );
  const hooks = fieldHooks(cls, name);
  const described = {
    ...modelFieldSchema(generator, name, {
      ...field,
      attributes,
      metadata: [...field.metadata, ...hooks.validators],
    }),
    untitled: titled,
  };
  return { ...described, schema: serializedBy(generator, hooks.serializer, described.schema) };
}

/** Titles a field by its `field_title_generator` or its model's; whether there is one whose titles are not known. */
function applyTitleGenerator(
  name: string,
  attributes: Map<string, Value>,
  config: ModelConfig,
): boolean {
  const maker = [attributes, config]
    .map((each) => each.get("field_title_generator"))
    .find((each) => each && each.kind !== "none");
  const given = attributes.get("title");
  if (!maker || (given && given.kind !== "none")) return false;
  const made = apply(maker, [str(name), unknown("a field")], new Map());
  if (made?.kind !== "str") return true;
  attributes.set("title", made);
  return false;
}

/** A schema whose values a method of the class serialises. */
export function serializedBy(
  generator: CoreGenerator,
  serializer: Serializer | null,
  schema: Core,
): Core {
  if (!serializer) return schema;
  const returns = serializer.returns ? generator.generate(serializer.returns) : null;
  return { ...schema, serialization: { returns, skipsNone: serializer.skipsNone } };
}

/** The schema of a field of a model: what was said of it stays beside the schema of its type. */
export function modelFieldSchema(
  generator: CoreGenerator,
  name: string,
  field: FieldInfo,
): FieldSchema {
  const { attributes } = field;
  const discriminator = attributes.get("discriminator");
  const transform = (schema: Core): Core =>
    discriminator && discriminator.kind !== "none" ? discriminated(schema, discriminator) : schema;
  const schema = applyAnnotations(generator, field.annotation, field.metadata, transform);
  const required = isRequired(field);
  const excluded = attributes.get("exclude");
  const condition = attributes.get("exclude_if");
  return {
    name,
    schema: required ? schema : { type: "default", schema, default: defaultOf(field) },
    metadata: fieldMetadata(attributes, generator.encode),
    required,
    validationAlias: aliasName(attributes.get("validation_alias")),
    serializationAlias: aliasName(attributes.get("serialization_alias")),
    excluded: excluded?.kind === "bool" && excluded.value,
    optional: condition !== undefined && condition.kind !== "none",
    computed: false,
  };
}

/** The annotated names of a class and its ancestors, a child's in the place of its parent's. */
export function* inheritedAnnotations(
  cls: ClassDefinition,
  of: (ancestor: ClassDefinition) => boolean,
): Generator<readonly [ClassDefinition, FieldAnnotation]> {
  const order = new Map<string, readonly [ClassDefinition, FieldAnnotation]>();
  for (const ancestor of [...cls.mro].reverse()) {
    if (ancestor.kind !== "class" || !of(ancestor)) continue;
    for (const field of ancestor.annotations.values()) order.set(field.name, [ancestor, field]);
  }
  yield* order.values();
}

/** A field as it is annotated and assigned to; `null` for what is no field but a class variable. */
export function collectField(
  generator: CoreGenerator,
  owner: ClassDefinition,
  annotation: FieldAnnotation,
  source: AnnotationSource,
  types: Types,
): CollectedField | null {
  const evaluate = (): CollectedField | null => {
    const written = resolved(generator, annotationType(owner, annotation));
    const type = types.size > 0 ? resolvedInside(generator, written) : written;
    if (qualifierOf(type) === "ClassVar") return null;
    const { docstring } = annotation;
    const assigned =
      source === "dataclass"
        ? dataclassDefault(owner, annotation)
        : source === "class"
          ? modelDefault(owner, annotation)
          : assignedValue(owner, annotation);
    // A model reads its fields anew once the types are known, other classes take the types into what they have read.
    if (source === "class")
      return { ...makeField(replaceTypes(type, types), source, assigned), docstring };
    const field = makeField(type, source, assigned);
    return { ...field, annotation: replaceTypes(field.annotation, types), docstring };
  };
  return generator.within(insideOf(owner), null, null, evaluate);
}

/** A field of a named tuple or a parameter of a function: what was said of it becomes part of its own schema. */
export function parameterSchema(generator: CoreGenerator, field: FieldInfo): Core {
  const asField: Value = {
    kind: "call",
    callee: { kind: "library-function", id: "pydantic.Field" },
    args: [],
    kwargs: field.attributes,
  };
  const schema = applyAnnotations(generator, field.annotation, [...field.metadata, asField]);
  return isRequired(field) ? schema : { type: "default", schema, default: defaultOf(field) };
}
