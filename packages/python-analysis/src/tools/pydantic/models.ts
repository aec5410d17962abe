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
      const title =
        args.length > 0 ? `${cls.name}[${args.map(displayArgument).join(", ")}]` : cls.name;
      if (cls.isSubclassOf("pydantic.RootModel"))
        return rootModel(generator, cls, title, config, types);
      const fields: FieldSchema[] = [];
      for (const [owner, annotation] of inheritedAnnotations(cls, () => true)) {
        const { name } = annotation;
        if (name === "model_config" || name.startsWith("_")) continue;
        const field = collectField(generator, owner, annotation, "class", types);
        if (
          !field ||
          field.qualifiers.has("ClassVar") ||
          (field.qualifiers.has("Final") && !isRequired(field))
        )
          continue;
        fields.push(fieldSchema(generator, cls, name, field, config));
      }
      fields.push(...computedFields(generator, cls, types));
      return withModelHooks(generator, cls, { type: "model", class: cls, title, fields, config });
    });
  });
}

function withModelHooks(generator: CoreGenerator, cls: ClassDefinition, schema: Core): Core {
  const hooks = modelHooks(cls);
  if (hooks.changesJsonSchema)
    generator.surroundings.note(`\`${cls.name}\` changes its own schema`);
  if (!hooks.serializer) return schema;
  return {
    ...schema,
    serialization: {
      returns: hooks.serializer.returns ? generator.generate(hooks.serializer.returns) : null,
    },
  };
}

function rootModel(
  generator: CoreGenerator,
  cls: ClassDefinition,
  title: string,
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
    cls.docstring !== null && root.metadata.updates?.["description"] !== undefined
      ? { updates: { description: cleanDocstring(cls.docstring) } }
      : {};
  return {
    type: "model",
    class: cls,
    title,
    fields: [],
    config,
    root: root.schema,
    metadata: mergeMetadata(root.metadata, updates),
  };
}

export function enumSchema(generator: CoreGenerator, cls: ClassDefinition): Core {
  const members = cls.members;
  const strange = members.find(({ value }) => value.kind === "unknown");
  if (strange || members.length === 0) {
    generator.surroundings.note(
      strange
        ? `a value of \`${cls.name}\` is known only at run time`
        : `\`${cls.name}\` has no members that can be read`,
    );
    return { type: "any" };
  }
  const description = cls.docstring === null ? {} : { description: cleanDocstring(cls.docstring) };
  return generator.define(fullReference(cls, []), () => ({
    type: "enum",
    class: cls,
    metadata: {
      functions: [(core, inner) => ({ ...inner(core), title: cls.name, ...description })],
    },
  }));
}
