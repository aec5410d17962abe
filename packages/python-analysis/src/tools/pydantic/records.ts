import type { ClassDefinition, FieldAnnotation } from "../python/classes.js";
import { replaceTypes } from "../python/subscripts.js";
import { truth } from "../python/truth.js";
import { type Value, form, isCallOf, isForm, isLibraryClass, str } from "../python/values.js";
import {
  annotationType,
  assignedValue,
  dataclassDefault,
  collectField,
  fieldSchema,
  inheritedAnnotations,
  insideOf,
  parameterSchema,
  resolved,
  typesOf,
} from "./class-fields.js";
import { applyAliasGenerator } from "./aliases.js";
import { attachedConfig, textSetting } from "./config.js";
import { type Core, type FieldSchema, SchemaError } from "./core.js";
import { computedFields } from "./decorators.js";
import { aliasName, fieldParts, isRequired, makeField } from "./fields.js";
import type { CoreGenerator } from "./generate.js";
import { fullReference } from "./references.js";

export function dataclassSchema(
  generator: CoreGenerator,
  cls: ClassDefinition,
  args: readonly Value[],
): Core {
  const make = (): Core => {
    const config = attachedConfig(cls);
    const types = typesOf(cls, args);
    return generator.within(insideOf(cls), config, cls, () => {
      const plain: FieldSchema[] = [];
      const keywordOnly: FieldSchema[] = [];
      const markers = new Set<ClassDefinition>();
      for (const [owner, annotation] of inheritedAnnotations(
        cls,
        (ancestor) => ancestor.isDataclassStatement,
      )) {
        const field = collectField(generator, owner, annotation, "dataclass", types);
        if (!field || field.qualifiers.has("ClassVar")) continue;
        if (isLibraryClass(field.annotation, "dataclasses.KW_ONLY")) {
          markers.add(owner);
          continue;
        }
        const assigned = dataclassDefault(owner, annotation);
        const isModelField = assigned !== undefined && isCallOf(assigned, "pydantic.Field");
        const init = field.attributes.get("init");
        const isLeftOut = isModelField
          ? isTrue(fieldParts(assigned).attributes.get("init_var"))
          : init?.kind === "bool" && !init.value && isRequired(field);
        if (isLeftOut) continue;
        // pydantic's `Field` says for itself whether it is keyword-only.
        const option = isModelField
          ? fieldParts(assigned).attributes.get("kw_only")
          : (field.attributes.get("kw_only") ?? owner.dataclassOptions.get("kw_only"));
        const last = isTrue(option) || (!option && !isModelField && markers.has(owner));
        (last ? keywordOnly : plain).push(
          fieldSchema(generator, cls, annotation.name, field, generator.config),
        );
      }
      // pydantic takes the signature that `dataclasses` writes for a docstring of the script's where a parent is its own.
      if (
        cls.docstring === null &&
        cls.family === "pydantic-dataclass" &&
        cls.isDecoratedWith("dataclasses.dataclass")
      )
        generator.surroundings.note(
          `the signature of \`${cls.name}\`, which describes it, is not worked out`,
          "it has no description",
        );
      const fields = [...plain, ...keywordOnly, ...computedFields(generator, cls, types)];
      return {
        type: "dataclass",
        class: cls,
        title: cls.name,
        docstring: cls.docstring,
        fields,
        config,
        // Whether the model around it allows more than it knows is taken over all the same.
        extra: textSetting(generator.config, "extra"),
      };
    });
  };
  const isKept = cls.family === "pydantic-dataclass" && args.length === 0;
  return generator.define(fullReference(cls, args), make, isKept);
}

const isTrue = (value: Value | undefined): boolean => value !== undefined && truth(value) === true;

export function typedDictSchema(
  generator: CoreGenerator,
  cls: ClassDefinition,
  args: readonly Value[],
): Core {
  const ancestors = cls.mro.filter((ancestor) => ancestor.kind === "class");
  const isOfTyping = ancestors.some((ancestor) =>
    ancestor.bases.some((base) => isForm(base, "typing.TypedDict")),
  );
  const isReadable = generator.surroundings.needsPython312 || generator.readableTypedDict === cls;
  if (isOfTyping && !isReadable) {
    throw new SchemaError(
      "PydanticUserError",
      "Please use `typing_extensions.TypedDict` instead of `typing.TypedDict` on Python < 3.12.",
    );
  }
  return generator.define(fullReference(cls, args), () => {
    const config = attachedConfig(cls);
    const types = typesOf(cls, args);
    return generator.within(insideOf(cls), config, cls, () => {
      const fields: FieldSchema[] = [];
      for (const [owner, annotation] of dictionaryItems(cls).values()) {
        const field = collectField(generator, owner, annotation, "typed-dict", types);
        if (!field) continue;
        const total = owner.keywords.get("total");
        const isTotal = !(total?.kind === "bool" && !total.value);
        const required =
          (isTotal || field.qualifiers.has("Required")) && !field.qualifiers.has("NotRequired");
        const schema = fieldSchema(
          generator,
          cls,
          annotation.name,
          { ...field, docstring: annotation.docstring },
          generator.config,
        );
        fields.push({ ...schema, required: required && schema.required });
      }
      const { isClosed, items } = extraItems(ancestors);
      const settings = new Map(config);
      if (isClosed) settings.set("extra", str("forbid"));
      if (items) settings.set("extra", str("allow"));
      return {
        type: "typed-dict",
        class: cls,
        title: cls.name,
        docstring: cls.docstring,
        fields,
        config: settings.size > 0 || config ? settings : null,
        extra: textSetting(generator.config, "extra"),
        ...(items && { extras: generator.generate(replaceTypes(items, types)) }),
      };
    });
  });
}

/** The items of a typed dictionary: those of its bases in the order that it names them, then its own. */
function dictionaryItems(
  cls: ClassDefinition,
): Map<string, readonly [ClassDefinition, FieldAnnotation]> {
  const items = new Map<string, readonly [ClassDefinition, FieldAnnotation]>();
  for (const base of cls.bases) {
    const origin = base.kind === "alias" ? base.origin : base;
    if (origin.kind !== "class" || !cls.mro.includes(origin)) continue;
    for (const [name, item] of dictionaryItems(origin)) items.set(name, item);
  }
  for (const field of cls.annotations.values()) items.set(field.name, [cls, field]);
  return items;
}

/** What the nearest class that says so allows beside the items of a typed dictionary. */
function extraItems(ancestors: readonly ClassDefinition[]): { isClosed: boolean; items?: Value } {
  for (const { keywords } of ancestors) {
    const closed = keywords.get("closed");
    if (closed && closed.kind !== "none") return { isClosed: truth(closed) === true };
    const given = keywords.get("extra_items");
    if (!given) continue;
    const isReadOnly = given.kind === "alias" && isForm(given.origin, "typing.ReadOnly");
    const items = isReadOnly ? given.args[0]! : given;
    const isNever = isForm(items, "typing.Never");
    return isNever ? { isClosed: true } : { isClosed: false, items };
  }
  return { isClosed: false };
}

export function namedTupleSchema(
  generator: CoreGenerator,
  cls: ClassDefinition,
  args: readonly Value[],
): Core {
  return generator.define(fullReference(cls, args), () => {
    const types = typesOf(cls, args);
    return generator.within(insideOf(cls), null, cls, () => {
      const parameter = (name: string, type: Value, given: Value | undefined): Parameter => {
        const field = makeField(type, "named-tuple", given);
        // An alias shows in the title, that of the model around it among them.
        const attributes = new Map(field.attributes);
        applyAliasGenerator(name, attributes, generator.config, (reason) =>
          generator.surroundings.note(reason, "the item goes by its own name"),
        );
        return {
          name: aliasName(attributes.get("validation_alias")) ?? name,
          schema: parameterSchema(generator, field),
          required: isRequired(field),
        };
      };
      const annotated = [...inheritedAnnotations(cls, () => true)];
      // Those of `collections.namedtuple` are not annotated, so anything goes.
      if (annotated.length === 0) {
        const any = form("typing.Any");
        const fields = cls.tupleFields.map((each) => parameter(each.name, any, each.default));
        return { type: "named-tuple", fields };
      }
      const defaults = tupleDefaults(cls);
      const fields = annotated.map(([owner, annotation]) => {
        const type = resolved(generator, annotationType(owner, annotation));
        return parameter(annotation.name, replaceTypes(type, types), defaults.get(annotation.name));
      });
      return { type: "named-tuple", fields };
    });
  });
}

interface Parameter {
  readonly name: string;
  readonly schema: Core;
  readonly required: boolean;
}

/** The defaults that the statement gave which made the tuple; what a subclass assigns is none. */
function tupleDefaults(cls: ClassDefinition): ReadonlyMap<string, Value> {
  const defaults = new Map<string, Value>();
  for (const { name, default: value } of cls.tupleFields) if (value) defaults.set(name, value);
  for (const ancestor of cls.mro) {
    if (ancestor.kind !== "class" || !ancestor.hasBaseForm("NamedTuple")) continue;
    for (const annotation of ancestor.annotations.values()) {
      const value = assignedValue(ancestor, annotation);
      if (value) defaults.set(annotation.name, value);
    }
  }
  return defaults;
}
