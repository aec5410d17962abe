import { cleanDocstring } from "../../docstring/clean.js";
import type { ClassDefinition } from "../python/classes.js";
import { substitute } from "../python/subscripts.js";
import { type Value, form, isLibraryClass } from "../python/values.js";
import {
  type CollectedField,
  collectField,
  fieldSchema,
  inheritedAnnotations,
  insideOf,
  serializedBy,
  variablesOf,
} from "./class-fields.js";
import { type ModelConfig, modelConfig } from "./config.js";
import { type Core, type FieldSchema, mergeMetadata } from "./core.js";
import { computedFields, modelHooks } from "./decorators.js";
import { isRequired, makeField } from "./fields.js";
import type { CoreGenerator } from "./generate.js";
import { displayArgument, fullReference } from "./references.js";

export function modelSchema(
  generator: CoreGenerator,
  cls: ClassDefinition,
  args: readonly Value[],
): Core {
  return generator.define(fullReference(cls, args), () => {
    const config = modelConfig(cls);
    const types = variablesOf(cls, args);
    return generator.within(insideOf(cls), config, cls, () => {
      const name =
        args.length > 0 ? `${cls.name}[${args.map(displayArgument).join(", ")}]` : cls.name;
      const maker = config.get("model_title_generator");
      const isTitled = maker !== undefined && maker.kind !== "none" && !config.has("title");
      if (isTitled)
        generator.surroundings.note(`a function titles \`${cls.name}\``, "it has no title");
      const title = isTitled ? null : name;
      // A generic model with arguments is a class of its own, made without a docstring.
      const docstring = args.length > 0 ? null : cls.docstring;
      if (cls.isSubclassOf("pydantic.RootModel"))
        return rootModel(generator, cls, { title, docstring }, config, types);
      const fields: FieldSchema[] = [];
      for (const [owner, annotation] of inheritedAnnotations(cls, () => true)) {
        if (annotation.name === "model_config" || annotation.name.startsWith("_")) continue;
        const field = collectField(generator, owner, annotation, "class", types);
        if (
          !field ||
          field.qualifiers.has("ClassVar") ||
          (field.qualifiers.has("Final") && !isRequired(field))
        )
          continue;
        fields.push(fieldSchema(generator, cls, annotation.name, field, config));
      }
      fields.push(...computedFields(generator, cls, types));
      return withModelHooks(generator, cls, {
        type: "model",
        class: cls,
        title,
        docstring,
        fields,
        config,
      });
    });
  });
}

function withModelHooks(generator: CoreGenerator, cls: ClassDefinition, schema: Core): Core {
  const hooks = modelHooks(cls);
  if (hooks.changesJsonSchema)
    generator.surroundings.note(
      `\`${cls.name}\` changes its own schema`,
      "what it changes is not shown",
    );
  return serializedBy(generator, hooks.serializer, schema);
}

function rootModel(
  generator: CoreGenerator,
  cls: ClassDefinition,
  named: { title: string | null; docstring: string | null },
  config: ModelConfig,
  types: ReadonlyMap<Value, Value>,
): Core {
  const annotated = [...inheritedAnnotations(cls, () => true)].find(
    ([, field]) => field.name === "root",
  );
  let field: CollectedField | null = annotated
    ? collectField(generator, annotated[0], annotated[1], "class", types)
    : null;
  if (!field) {
    const base = cls.mro
      .flatMap((each) => (each.kind === "class" ? each.bases : []))
      .find((each) => each.kind === "alias" && isLibraryClass(each.origin, "pydantic.RootModel"));
    const type = base?.kind === "alias" ? substitute(base.args[0]!, types) : form("typing.Any");
    field = { ...makeField(type, "class"), docstring: null };
  }
  const root = fieldSchema(generator, cls, "root", field, config);
  // The docstring of the class comes before the description of the field.
  const updates =
    named.docstring !== null && root.metadata.updates?.["description"] !== undefined
      ? { updates: { description: cleanDocstring(named.docstring) } }
      : {};
  return {
    type: "model",
    class: cls,
    ...named,
    fields: [],
    config,
    root: root.schema,
    metadata: mergeMetadata(root.metadata, updates),
  };
}

export function enumSchema(generator: CoreGenerator, cls: ClassDefinition): Core {
  const members = cls.members;
  if (members.some(({ value }) => value.kind === "unknown")) {
    generator.surroundings.note(`a value of \`${cls.name}\` is known only at run time`);
    return { type: "any" };
  }
  const docstring = cleanDocstring(cls.docstring ?? "");
  // Python's own words for an enum without a docstring, in older versions.
  const description = ["", "An enumeration."].includes(docstring) ? {} : { description: docstring };
  if (members.length === 0) {
    const json = { title: cls.name, enum: [], ...description };
    return { type: "is-instance", of: cls.name, metadata: { functions: [() => json] } };
  }
  return generator.define(fullReference(cls, []), () => ({
    type: "enum",
    class: cls,
    metadata: {
      functions: [(core, inner) => ({ ...inner(core), title: cls.name, ...description })],
    },
  }));
}
