import type { ClassDefinition } from "../python/classes.js";
import { substitute } from "../python/subscripts.js";
import { type Call, type Value, form, isForm, isLibraryClass, str } from "../python/values.js";
import {
  annotationType,
  assignedValue,
  collectField,
  fieldSchema,
  inheritedAnnotations,
  insideOf,
  parameterSchema,
  resolved,
  variablesOf,
} from "./class-fields.js";
import { type ModelConfig, attachedConfig } from "./config.js";
import { type Core, type FieldSchema, SchemaError } from "./core.js";
import { computedFields } from "./decorators.js";
import { isRequired, makeField } from "./fields.js";
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
        const init = field.attributes.get("init");
        if (init?.kind === "bool" && !init.value && isRequired(field)) continue;
        const option = field.attributes.get("kw_only") ?? owner.dataclassOptions.get("kw_only");
        const last = option ? option.kind === "bool" && option.value : markers.has(owner);
        (last ? keywordOnly : plain).push(
          fieldSchema(generator, cls, annotation.name, field, generator.config),
        );
      }
      const fields = [...plain, ...keywordOnly, ...computedFields(generator, cls, types)];
      return {
        type: "dataclass",
        class: cls,
        title: cls.name,
        fields,
        config: config ?? inheritedExtra(generator.config),
      };
    });
  });
}

/** A dataclass without a configuration takes over whether the model around it allows more than it knows. */
function inheritedExtra(config: ModelConfig): ModelConfig {
  const extra = config.get("extra");
  return new Map(extra ? [["extra", extra]] : []);
}

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
      const closed = cls.keywords.get("closed");
      const settings = new Map(config ?? []);
      if (closed?.kind === "bool" && closed.value) settings.set("extra", str("forbid"));
      const more = cls.keywords.get("extra_items");
      if (more) settings.set("extra", str("allow"));
      return {
        type: "typed-dict",
        class: cls,
        title: cls.name,
        fields,
        config: settings,
        ...(more && { extras: generator.generate(more) }),
      };
    });
  });
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
