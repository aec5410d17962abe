import type { ClassDefinition } from "../python/classes.js";
import { truth } from "../python/truth.js";
import { type Call, type Value, PythonError, isCallOf, unknown } from "../python/values.js";
import type { FieldsOf } from "./encode.js";
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
    case "dataclass":
    case "pydantic-dataclass":
      return { fields: fieldValues(instance, cls) };
    case "named-tuple":
      return { items: fieldValues(instance, cls).map(([, value]) => value) };
    case "unknown":
      return {
        fields: [["", unknown(`what \`${cls.name}\` is made from is known only at run time`)]],
      };
    default:
      return null;
  }
};

function fieldValues(instance: Call, cls: ClassDefinition): (readonly [string, Value])[] {
  const isModel = cls.family === "model";
  const isDataclass = cls.family === "dataclass" || cls.family === "pydantic-dataclass";
  const values: (readonly [string, Value])[] = [];
  const positional = [...instance.args];
  const fields = inheritedAnnotations(cls, (each) => !isDataclass || each.isDataclassStatement);
  for (const [owner, field] of fields) {
    const { name } = field;
    if (isModel && (name.startsWith("_") || name === "model_config")) continue;
    if (isQualifiedBy(owner, name, "ClassVar")) continue;
    const assigned = isDataclass ? dataclassDefault(owner, field) : assignedValue(owner, field);
    const options = optionsOf(assigned);
    const isKeyword =
      isModel ||
      isOff(options?.get("init")) ||
      isTrue(options?.get("kw_only") ?? (isDataclass && owner.dataclassOptions.get("kw_only")));
    const given = instance.kwargs.get(name) ?? (isKeyword ? undefined : positional.shift());
    if (isQualifiedBy(owner, name, "InitVar")) continue;
    const alias = isModel ? aliasName(options?.get("serialization_alias")) : null;
    const byAlias = alias === null ? undefined : instance.kwargs.get(alias);
    const value = given ?? byAlias ?? defaultFrom(assigned, options);
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
  if (factory?.kind === "library-class") {
    if (factory.id === "builtins.list") return { kind: "list", items: [] };
    if (factory.id === "builtins.dict") return { kind: "dict", entries: [] };
  }
  return factory ? undefined : options.get("default");
}

function isQualifiedBy(cls: ClassDefinition, name: string, qualifier: string): boolean {
  try {
    return qualifierOf(annotationType(cls, cls.annotations.get(name)!)) === qualifier;
  } catch (error) {
    if (error instanceof PythonError) return false;
    throw error;
  }
}
