import type { ClassDefinition } from "../python/classes.js";
import { substitute } from "../python/subscripts.js";
import { truth } from "../python/truth.js";
import {
  type Call,
  type Value,
  form,
  isCallOf,
  isForm,
  isLibraryClass,
  str,
} from "../python/values.js";
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
  variablesOf,
} from "./class-fields.js";
import { attachedConfig, textSetting } from "./config.js";
import { type Core, type FieldSchema, SchemaError } from "./core.js";
import { computedFields } from "./decorators.js";
import { fieldParts, isRequired, makeField } from "./fields.js";
import type { CoreGenerator } from "./generate.js";
import { fullReference } from "./references.js";

export function dataclassSchema(
  generator: CoreGenerator,
  cls: ClassDefinition,
  args: readonly Value[],
): Core {
  return generator.define(fullReference(cls, args), () => {
    const config = attachedConfig(cls);
    const types = variablesOf(cls, args);
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
  });
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
  if (isOfTyping && generator.readableTypedDict !== cls) {
    throw new SchemaError(
      "PydanticUserError",
      "Please use `typing_extensions.TypedDict` instead of `typing.TypedDict` on Python < 3.12.",
    );
  }
  return generator.define(fullReference(cls, args), () => {
    const config = attachedConfig(cls);
    const types = variablesOf(cls, args);
    return generator.within(insideOf(cls), config, cls, () => {
      const fields: FieldSchema[] = [];
      for (const [owner, annotation] of inheritedAnnotations(cls, () => true)) {
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
        ...(items && { extras: generator.generate(substitute(items, types)) }),
      };
    });
  });
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
    const types = variablesOf(cls, args);
    return generator.within(insideOf(cls), null, cls, () => {
      const fields = [
        ...inheritedAnnotations(cls, (ancestor) => ancestor.hasBaseForm("NamedTuple")),
      ].map(([owner, annotation]) => {
        const type = resolved(generator, annotationType(owner, annotation));
        const field = makeField(
          substitute(type, types),
          "named-tuple",
          assignedValue(owner, annotation),
        );
        return {
          name: annotation.name,
          schema: parameterSchema(generator, field),
          required: isRequired(field),
        };
      });
      return { type: "named-tuple", fields };
    });
  });
}

/** `collections.namedtuple("P", "x y")` and `NamedTuple("P", [("x", int)])`. */
export function namedTupleCall(generator: CoreGenerator, call: Call): Core {
  const given = call.args[1] ?? call.kwargs.get("field_names") ?? call.kwargs.get("fields");
  const any = form("typing.Any");
  let names: readonly (readonly [string, Value])[] | null = null;
  if (given?.kind === "str")
    names = given.value
      .replaceAll(",", " ")
      .split(/\s+/)
      .filter(Boolean)
      .map((name) => [name, any]);
  else if (given?.kind === "list" || given?.kind === "tuple") {
    names = given.items.flatMap((item): (readonly [string, Value])[] => {
      if (item.kind === "str") return [[item.value, any]];
      const [name, type] = item.kind === "tuple" ? item.items : [];
      return name?.kind === "str" && type ? [[name.value, type]] : [];
    });
  }
  if (!names) {
    generator.surroundings.note("a named tuple whose fields are known only at run time");
    return { type: "any" };
  }
  const defaults = call.kwargs.get("defaults");
  const values = defaults?.kind === "tuple" || defaults?.kind === "list" ? defaults.items : [];
  const fieldNames = names;
  return generator.define(fullReference(call, []), () => ({
    type: "named-tuple",
    fields: fieldNames.map(([name, type], i) => {
      const field = makeField(type, "named-tuple", values[i - fieldNames.length + values.length]);
      return { name, schema: parameterSchema(generator, field), required: isRequired(field) };
    }),
  }));
}
