import type { ClassDefinition } from "../python/classes.js";
import { apply } from "../python/calls.js";
import { truth } from "../python/truth.js";
import {
  type Call,
  type LibraryCall,
  type Value,
  PythonError,
  isCallOf,
  isLibraryClass,
  unknown,
} from "../python/values.js";
import type { FieldsOf } from "./encode.js";
import { applyAliasGenerator } from "./aliases.js";
import { attachedConfig, modelConfig } from "./config.js";
import { unwritable, validatedValue } from "./validated.js";
import { writtenBy } from "./metadata.js";
import { coerced } from "./coercion.js";
import { SchemaError } from "./core.js";
import { aliasName, fieldParts, inspectAnnotation, qualifierOf } from "./fields.js";
import {
  annotationType,
  assignedValue,
  dataclassDefault,
  inheritedAnnotations,
  insideOf,
} from "./class-fields.js";

/** The fields of an instance of a model, dataclass or named tuple that a script makes with constants. */
export const instanceFields: FieldsOf = (instance, cls) => {
  switch (cls.family) {
    case "model":
      if (cls.isSubclassOf("pydantic.RootModel")) return { root: rootValue(instance, cls) };
      return { fields: [...fieldValues(instance, cls), ...madeByMethods(cls, instance)] };
    case "dataclass":
    case "pydantic-dataclass":
      return { fields: [...fieldValues(instance, cls), ...madeByMethods(cls, instance)] };
    case "named-tuple":
      return { items: tupleItems(instance, cls) };
    case "unknown":
      return {
        fields: [["", unknown(`what \`${cls.name}\` is made from is known only at run time`)]],
      };
    default:
      return null;
  }
};

function rootValue(instance: Call, cls: ClassDefinition): Value {
  const field = cls.annotations.get("root");
  const assigned = field && assignedValue(cls, field);
  return (
    instance.args[0] ??
    instance.kwargs.get("root") ??
    defaultFrom(assigned, optionsOf(assigned)) ??
    unknown(`what \`${cls.name}\` holds is known only at run time`)
  );
}

/** What methods make or change when an instance is written. */
function madeByMethods(cls: ClassDefinition, instance: Call): (readonly [string, Value])[] {
  const reason = unwritable(cls, instance);
  return reason === null ? [] : [["", unknown(reason)]];
}

function tupleItems(instance: Call, cls: ClassDefinition): readonly Value[] {
  if (cls.tupleFields.length === 0) return fieldValues(instance, cls).map(([, value]) => value);
  return cls.tupleFields.map(
    ({ name, default: otherwise }, i) =>
      instance.args[i] ??
      instance.kwargs.get(name) ??
      otherwise ??
      unknown(`\`${name}\` has a value known only at run time`),
  );
}

interface FieldState {
  readonly name: string;
  /** What it is called where the instance is written. */
  readonly shownAs: string;
  readonly value: Value;
  readonly isShown: boolean;
  readonly type: Value;
}

const fieldValues = (instance: Call, cls: ClassDefinition): (readonly [string, Value])[] =>
  fieldStates(instance, cls)
    .filter(({ isShown }) => isShown)
    .map(({ shownAs, value, type }) => [shownAs, writtenAs(type, value)]);

function fieldStates(instance: Call, cls: ClassDefinition): FieldState[] {
  const isModel = cls.family === "model";
  const isDataclass = cls.family === "dataclass" || cls.family === "pydantic-dataclass";
  const states: FieldState[] = [];
  const positional = [...instance.args];
  const fields = inheritedAnnotations(cls, (each) => !isDataclass || each.isDataclassStatement);
  const marked = new Set<ClassDefinition>();
  for (const [owner, field] of fields) {
    const { name } = field;
    if (isDataclass && isLibraryClass(typeOf(owner, name), "dataclasses.KW_ONLY")) {
      marked.add(owner);
      continue;
    }
    if (isModel && (name.startsWith("_") || name === "model_config")) continue;
    if (isQualifiedBy(owner, name, "ClassVar")) continue;
    const assigned = isDataclass ? dataclassDefault(owner, field) : assignedValue(owner, field);
    const isPlainDataclass = cls.family === "dataclass";
    const options =
      isPlainDataclass && assigned && isCallOf(assigned, "pydantic.Field")
        ? undefined
        : optionsOf(assigned);
    const isKeyword =
      isModel ||
      isOff(options?.get("init")) ||
      isTrue(options?.get("kw_only") ?? (isDataclass && owner.dataclassOptions.get("kw_only"))) ||
      (marked.has(owner) && !options?.has("kw_only"));
    const given = instance.kwargs.get(name) ?? (isKeyword ? undefined : positional.shift());
    if (isQualifiedBy(owner, name, "InitVar")) continue;
    const attributes = new Map(options ?? []);
    const config = isModel ? modelConfig(cls) : (attachedConfig(cls) ?? new Map());
    applyAliasGenerator(name, attributes, config, () => {});
    const alias = aliasName(attributes.get("serialization_alias"));
    const byAlias = aliasName(attributes.get("validation_alias"));
    const written = given ?? (byAlias === null ? undefined : instance.kwargs.get(byAlias));
    const type = typeOf(owner, name);
    const value = written
      ? validatedValue(cls, name, written, (given) =>
          isPlainDataclass ? given : coercedField(owner, type, given),
        )
      : defaultFrom(assigned, options);
    states.push({
      name,
      shownAs: alias ?? name,
      value: value ?? unknown(`\`${name}\` has a value known only at run time`),
      isShown: !isTrue(options?.get("exclude")),
      type,
    });
  }
  return states;
}

function coercedField(owner: ClassDefinition, type: Value, given: Value): Value {
  try {
    return coerced(inspectAnnotation(type, "class").type, given, {
      resolve: (text) => owner.interpreter.evaluateText(text, insideOf(owner)),
      step: () => owner.interpreter.step(),
    });
  } catch (error) {
    if (error instanceof PythonError || error instanceof SchemaError) return unknown(error.message);
    throw error;
  }
}

/** A field's value as the serializers in its annotation write it. */
function writtenAs(type: Value, value: Value): Value {
  if (type.kind === "annotated") {
    const serializer = type.metadata.findLast(isSerializer);
    if (serializer) return writtenBy(serializer, value);
  }
  return hasSerializer(type)
    ? unknown("what a serializer makes of it is known only at run time")
    : value;
}

const isSerializer = (item: Value): item is LibraryCall =>
  isCallOf(item, "pydantic.PlainSerializer") || isCallOf(item, "pydantic.WrapSerializer");

function hasSerializer(type: Value): boolean {
  switch (type.kind) {
    case "annotated":
      return type.metadata.some(isSerializer) || hasSerializer(type.type);
    case "union":
      return type.members.some(hasSerializer);
    case "alias":
      return type.args.some(hasSerializer);
    default:
      return false;
  }
}

/** Methods with which attributes are other than what class bodies say. */
const ATTRIBUTE_METHODS = [
  "__init__",
  "__new__",
  "__post_init__",
  "model_post_init",
  "__getattr__",
  "__getattribute__",
  "__setattr__",
];

/** What `instance.name` gives, where fields and class bodies tell. */
export function instanceAttribute(
  instance: Call,
  cls: ClassDefinition,
  name: string,
): Value | undefined {
  const isOwn = cls.mro.every(
    (each) =>
      each.kind !== "class" || !ATTRIBUTE_METHODS.some((method) => each.methods.has(method)),
  );
  if (!isOwn || name.startsWith("__")) return undefined;
  switch (cls.family) {
    case "model":
    case "dataclass":
    case "pydantic-dataclass":
    case "named-tuple": {
      const position = cls.tupleFields.findIndex((each) => each.name === name);
      if (position >= 0) return tupleItems(instance, cls)[position];
      const field = fieldStates(instance, cls).find((each) => each.name === name);
      if (field) return field.value;
      break;
    }
    case "plain":
      break;
    default:
      return undefined;
  }
  const found = cls.attribute(name);
  return found?.kind === "function" ? undefined : found;
}

const isTrue = (value: Value | false | undefined): boolean => !!value && truth(value) === true;
const isOff = (value: Value | undefined): boolean => value?.kind === "bool" && !value.value;

/** The arguments of a `Field(…)` or `field(…)`. */
function optionsOf(assigned: Value | undefined): ReadonlyMap<string, Value> | undefined {
  if (!assigned || assigned.kind !== "call") return undefined;
  if (isCallOf(assigned, "pydantic.Field")) return fieldParts(assigned).attributes;
  return isCallOf(assigned, "dataclasses.field") ? assigned.kwargs : undefined;
}

function defaultFrom(
  assigned: Value | undefined,
  options: ReadonlyMap<string, Value> | undefined,
): Value | undefined {
  if (!assigned) return undefined;
  if (!options) return assigned;
  const factory = options.get("default_factory");
  return factory && factory.kind !== "none"
    ? apply(factory, [], new Map())
    : options.get("default");
}

const isQualifiedBy = (cls: ClassDefinition, name: string, qualifier: string): boolean =>
  qualifierOf(typeOf(cls, name)) === qualifier;

function typeOf(cls: ClassDefinition, name: string): Value {
  try {
    return annotationType(cls, cls.annotations.get(name)!);
  } catch (error) {
    if (error instanceof PythonError) return unknown(error.message);
    throw error;
  }
}
