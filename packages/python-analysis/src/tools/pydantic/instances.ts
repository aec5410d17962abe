import type { ClassDefinition } from "../python/classes.js";
import { type Call, type Value, PythonError, isCallOf, unknown } from "../python/values.js";
import type { FieldsOf } from "./encode.js";
import { aliasName, fieldParts, qualifierOf } from "./fields.js";
import { annotationType, assignedValue } from "./class-fields.js";

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
  const values: (readonly [string, Value])[] = [];
  let position = 0;
  for (const ancestor of [...cls.mro].reverse()) {
    if (ancestor.kind !== "class") continue;
    for (const field of ancestor.annotations.values()) {
      if (isModel && (field.name.startsWith("_") || field.name === "model_config")) continue;
      if (isClassVariable(ancestor, field.name)) continue;
      if (isInitOnly(ancestor, field.name)) {
        position++;
        continue;
      }
      const given =
        instance.kwargs.get(field.name) ?? (isModel ? undefined : instance.args[position]);
      position++;
      const assigned = assignedValue(ancestor, field);
      const parts =
        assigned && isCallOf(assigned, "pydantic.Field")
          ? fieldParts(assigned).attributes
          : undefined;
      const alias = isModel ? aliasName(parts?.get("serialization_alias")) : null;
      const byAlias = alias === null ? undefined : instance.kwargs.get(alias);
      const value = given ?? byAlias ?? defaultFrom(assigned, parts);
      values.push([
        alias ?? field.name,
        value ?? unknown(`\`${field.name}\` has a value known only at run time`),
      ]);
    }
  }
  return values;
}

function defaultFrom(
  assigned: Value | undefined,
  parts: ReadonlyMap<string, Value> | undefined,
): Value | undefined {
  if (!assigned) return undefined;
  const options = parts ?? (isCallOf(assigned, "dataclasses.field") ? assigned.kwargs : undefined);
  if (!options) return assigned;
  const factory = options.get("default_factory");
  if (factory?.kind === "library-class") {
    if (factory.id === "builtins.list") return { kind: "list", items: [] };
    if (factory.id === "builtins.dict") return { kind: "dict", entries: [] };
  }
  return factory ? undefined : options.get("default");
}

const isClassVariable = (cls: ClassDefinition, name: string): boolean =>
  isQualifiedBy(cls, name, "ClassVar");
const isInitOnly = (cls: ClassDefinition, name: string): boolean =>
  isQualifiedBy(cls, name, "InitVar");

function isQualifiedBy(cls: ClassDefinition, name: string, qualifier: string): boolean {
  try {
    return qualifierOf(annotationType(cls, cls.annotations.get(name)!)) === qualifier;
  } catch (error) {
    if (error instanceof PythonError) return false;
    throw error;
  }
}
