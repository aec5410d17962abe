import { cleanDocstring } from "../../docstring/clean.js";
import { apply } from "../python/calls.js";
import type { ClassDefinition } from "../python/classes.js";
import { replaceTypes } from "../python/subscripts.js";
import { type Value, form, isLibraryClass } from "../python/values.js";
import {
  annotationType,
  type CollectedField,
  collectField,
  fieldSchema,
  inheritedAnnotations,
  insideOf,
  resolved,
  serializedBy,
  type Types,
  typesOf,
  typesOfOwners,
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
  const make = (): Core => {
    const config = modelConfig(cls);
    const types = typesOfOwners(cls, args);
    return generator.within(insideOf(cls), config, cls, () => {
      const name =
        args.length > 0 ? `${cls.name}[${args.map(displayArgument).join(", ")}]` : cls.name;
      const maker = config.get("model_title_generator");
      const isTitled = maker !== undefined && maker.kind !== "none" && !config.has("title");
      const made = isTitled ? apply(maker, [cls], new Map()) : undefined;
      if (isTitled && made?.kind !== "str")
        generator.surroundings.note(`a function titles \`${cls.name}\``, "it has no title");
      const title = isTitled ? (made?.kind === "str" ? made.value : null) : name;
      const changes = config.get("json_schema_extra");
      if (changes && changes.kind !== "dict" && changes.kind !== "none")
        generator.surroundings.note(
          `a function changes the schema of \`${cls.name}\``,
          "what it changes is not shown",
        );
      // A generic model with arguments is a class of its own, made without a docstring.
      const docstring = args.length > 0 ? null : cls.docstring;
      if (cls.isSubclassOf("pydantic.RootModel"))
        return rootModel(generator, cls, { title, docstring }, config, types);
      const fields: FieldSchema[] = [];
      for (const [owner, annotation] of inheritedAnnotations(cls, () => true)) {
        if (annotation.name === "model_config" || annotation.name.startsWith("_")) continue;
        const field = collectField(
          generator,
          owner,
          annotation,
          "class",
          types.get(owner) ?? new Map(),
        );
        if (
          !field ||
          field.qualifiers.has("ClassVar") ||
          (field.qualifiers.has("Final") && !isRequired(field))
        )
          continue;
        fields.push(fieldSchema(generator, cls, annotation.name, field, config));
      }
      const extras = extraTypes(generator, cls, types);
      fields.push(...computedFields(generator, cls, typesOf(cls, args)));
      return withModelHooks(generator, cls, {
        type: "model",
        class: cls,
        title,
        docstring,
        fields,
        config,
        ...(extras && { extras }),
      });
    });
  };
  return generator.define(fullReference(cls, args), make, true);
}

/** What `__pydantic_extra__: dict[str, …]` says of the values of keys beyond the fields. */
function extraTypes(
  generator: CoreGenerator,
  cls: ClassDefinition,
  types: ReadonlyMap<ClassDefinition, Types>,
): Core | undefined {
  const owner = cls.mro.find(
    (each) => each.kind === "class" && each.annotations.has("__pydantic_extra__"),
  );
  if (owner?.kind !== "class") return undefined;
  const type = resolved(
    generator,
    annotationType(owner, owner.annotations.get("__pydantic_extra__")!),
  );
  const values = type.kind === "alias" ? type.args[1] : undefined;
  return values && generator.generate(replaceTypes(values, types.get(owner) ?? new Map()));
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
  types: ReadonlyMap<ClassDefinition, Types>,
): Core {
  const annotated = [...inheritedAnnotations(cls, () => true)].find(
    ([, field]) => field.name === "root",
  );
  let field: CollectedField | null = annotated
    ? collectField(
        generator,
        annotated[0],
        annotated[1],
        "class",
        types.get(annotated[0]) ?? new Map(),
      )
    : null;
  if (!field) {
    const bases = cls.mro.flatMap((owner) =>
      owner.kind === "class" ? owner.bases.map((base) => [owner, base] as const) : [],
    );
    const [owner, base] =
      bases.find(
        ([, each]) => each.kind === "alias" && isLibraryClass(each.origin, "pydantic.RootModel"),
      ) ?? [];
    const type =
      owner && base?.kind === "alias"
        ? replaceTypes(base.args[0]!, types.get(owner) ?? new Map())
        : form("typing.Any");
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
  const members = [...cls.members.values()];
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
