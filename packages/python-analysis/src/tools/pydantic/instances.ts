import type { ClassDefinition } from "../python/classes.js";
import { apply } from "../python/calls.js";
import { truth } from "../python/truth.js";
import {
  type Call,
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
import { aliasName, fieldParts, qualifierOf } from "./fields.js";
import {
  annotationType,
  assignedValue,
  dataclassDefault,
  inheritedAnnotations,
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

function fieldValues(instance: Call, cls: ClassDefinition): (readonly [string, Value])[] {
  const isModel = cls.family === "model";
  const isDataclass = cls.family === "dataclass" || cls.family === "pydantic-dataclass";
  const values: (readonly [string, Value])[] = [];
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
    const options = optionsOf(assigned);
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
    const value = written ? validatedValue(cls, name, written) : defaultFrom(assigned, options);
    if (isTrue(options?.get("exclude"))) continue;
    values.push([
      alias ?? name,
      value ?? unknown(`\`${name}\` has a value known only at run time`),
    ]);
  }
  return values;
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
