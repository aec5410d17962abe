import { cleanDocstring } from "../../docstring/clean.js";
import type { ClassDefinition, FieldAnnotation } from "../python/classes.js";
import type { Frame } from "../python/scope.js";
import { typeVariables } from "../python/subscripts.js";
import { type Call, type Value, PythonError, form, isCallOf, isForm, isLibraryClass, str, unknown } from "../python/values.js";
import { applyAliasGenerator } from "./aliases.js";
import { type ModelConfig, attachedConfig, isOn, modelConfig } from "./config.js";
import { type Core, type FieldSchema, SchemaError, mergeMetadata } from "./core.js";
import { computedFields, fieldHooks, modelHooks } from "./decorators.js";
import { type AnnotationSource, type FieldInfo, aliasName, defaultOf, fieldMetadata, isRequired, makeField, qualifierOf } from "./fields.js";
import { type CoreGenerator, discriminated } from "./generate.js";
import { displayArgument, fullReference } from "./references.js";

/** What strings inside a class's annotations see. */
const insideOf = (cls: ClassDefinition): Frame => ({ scope: cls.scope, before: Infinity });

const annotationTypes = new WeakMap<FieldAnnotation, Value>();
const assignedValues = new WeakMap<FieldAnnotation, Value>();

/**
 * The type that a field's annotation names.
 *
 * @throws PythonError where evaluating it raises
 */
export function annotationType(cls: ClassDefinition, field: FieldAnnotation): Value {
  let type = annotationTypes.get(field);
  if (!type) {
    const before = cls.scope.defersAnnotations ? Infinity : field.at;
    const value = cls.interpreter.evaluate(field.annotation, { scope: cls.scope, before });
    type = value.kind === "str" ? { kind: "forward", text: value.value } : value;
    annotationTypes.set(field, type);
  }
  return type;
}

/** What is assigned to a field, or `undefined` if nothing is. */
export function assignedValue(cls: ClassDefinition, field: FieldAnnotation): Value | undefined {
  if (!field.value) return undefined;
  let value = assignedValues.get(field);
  if (value) return value;
  try {
    value = cls.interpreter.evaluate(field.value, { scope: cls.scope, before: field.value.startIndex });
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    value = unknown(`the default of \`${field.name}\` raises ${error.exception}`);
  }
  assignedValues.set(field, value);
  return value;
}

/** A string annotation is looked into before its qualifiers are, as pydantic evaluates it first. */
function resolved(generator: CoreGenerator, type: Value): Value {
  return type.kind === "forward" ? generator.resolve(type.text) : type;
}

/** The type variables of a generic class, in the order of its arguments. */
export function classVariables(cls: ClassDefinition): readonly Call[] {
  const found: Call[] = [];
  const explicit = cls.bases.find((base) => base.kind === "alias" && (isForm(base.origin, "typing.Generic") || isForm(base.origin, "typing.Protocol")));
  for (const base of explicit ? [explicit] : cls.bases) typeVariables(base, found);
  return found;
}

/** The types that stand for the variables of a class and, through its bases' arguments, of its ancestors. */
function variablesOf(generator: CoreGenerator, cls: ClassDefinition, args: readonly Value[]): ReadonlyMap<Value, Value> {
  const types = new Map<Value, Value>(args.length > 0 ? generator.typeVariables(classVariables(cls), args) : []);
  for (const base of cls.bases) {
    if (base.kind !== "alias" || base.origin.kind !== "class") continue;
    const given = base.args.map((arg) => generator.substitute(arg, types));
    for (const [variable, type] of variablesOf(generator, base.origin, given)) if (!types.has(variable)) types.set(variable, type);
  }
  return types;
}

interface CollectedField extends FieldInfo {
  readonly docstring: string | null;
}

/** The schema of a field of a structured type, with its default around it. */
function fieldSchema(generator: CoreGenerator, cls: ClassDefinition, name: string, field: CollectedField, config: ModelConfig): FieldSchema {
  const attributes = new Map(field.attributes);
  if (isOn(config, "use_attribute_docstrings") && field.docstring !== null && !attributes.has("description")) {
    attributes.set("description", str(cleanDocstring(field.docstring)));
  }
  applyAliasGenerator(name, attributes, config, (reason) => generator.surroundings.note(reason));
  const hooks = fieldHooks(cls, name);
  const described = modelFieldSchema(generator, name, { ...field, attributes, metadata: [...field.metadata, ...hooks.validators] });
  if (!hooks.serializer) return described;
  const returns = hooks.serializer.returns ? generator.generate(hooks.serializer.returns) : null;
  return { ...described, schema: { ...described.schema, serialization: { returns } } };
}

/** The schema of a field of a model: what was said of it stays beside the schema of its type. */
export function modelFieldSchema(generator: CoreGenerator, name: string, field: FieldInfo): FieldSchema {
  const { attributes } = field;
  const discriminator = attributes.get("discriminator");
  const transform = (schema: Core): Core => (discriminator && discriminator.kind !== "none" ? discriminated(schema, discriminator) : schema);
  const schema = generator.apply(field.annotation, field.metadata, transform);
  const required = isRequired(field);
  const excluded = attributes.get("exclude");
  return {
    name,
    schema: required ? schema : { type: "default", schema, default: defaultOf(field) },
    metadata: fieldMetadata(attributes, generator.encode),
    required,
    validationAlias: aliasName(attributes.get("validation_alias")),
    serializationAlias: aliasName(attributes.get("serialization_alias")),
    excluded: excluded?.kind === "bool" && excluded.value,
    computed: false,
  };
}

/** The annotated names of a class and its ancestors, a child's in the place of its parent's. */
function* inheritedAnnotations(cls: ClassDefinition, of: (ancestor: ClassDefinition) => boolean): Generator<readonly [ClassDefinition, FieldAnnotation]> {
  const order = new Map<string, readonly [ClassDefinition, FieldAnnotation]>();
  for (const ancestor of [...cls.mro].reverse()) {
    if (ancestor.kind !== "class" || !of(ancestor)) continue;
    for (const field of ancestor.annotations.values()) order.set(field.name, [ancestor, field]);
  }
  yield* order.values();
}

export function modelSchema(generator: CoreGenerator, cls: ClassDefinition, args: readonly Value[]): Core {
  return generator.define(fullReference(cls, args), () => {
    const config = modelConfig(cls);
    const types = variablesOf(generator, cls, args);
    return generator.within(insideOf(cls), config, cls, () => {
      const title = args.length > 0 ? `${cls.name}[${args.map(displayArgument).join(", ")}]` : cls.name;
      if (cls.isSubclassOf("pydantic.RootModel")) return rootModel(generator, cls, title, config, types);
      const fields: FieldSchema[] = [];
      for (const [owner, annotation] of inheritedAnnotations(cls, () => true)) {
        const { name } = annotation;
        if (name === "model_config" || name.startsWith("_")) continue;
        const field = collect(generator, owner, annotation, "class", types);
        if (!field || field.qualifiers.has("ClassVar") || (field.qualifiers.has("Final") && !isRequired(field))) continue;
        fields.push(fieldSchema(generator, cls, name, field, config));
      }
      fields.push(...computedFields(generator, cls, types));
      return withModelHooks(generator, cls, { type: "model", class: cls, title, fields, config });
    });
  });
}

function withModelHooks(generator: CoreGenerator, cls: ClassDefinition, schema: Core): Core {
  const hooks = modelHooks(cls);
  if (hooks.changesJsonSchema) generator.surroundings.note(`\`${cls.name}\` changes its own schema`);
  if (!hooks.serializer) return schema;
  return { ...schema, serialization: { returns: hooks.serializer.returns ? generator.generate(hooks.serializer.returns) : null } };
}

function collect(
  generator: CoreGenerator,
  owner: ClassDefinition,
  annotation: FieldAnnotation,
  source: AnnotationSource,
  types: ReadonlyMap<Value, Value>,
): CollectedField | null {
  const evaluate = (): CollectedField | null => {
    const type = resolved(generator, annotationType(owner, annotation));
    if (qualifierOf(type) === "ClassVar") return null;
    const field = makeField(type, source, assignedValue(owner, annotation));
    return { ...field, annotation: generator.substitute(field.annotation, types), docstring: annotation.docstring };
  };
  return generator.within(insideOf(owner), null, null, evaluate);
}

function rootModel(generator: CoreGenerator, cls: ClassDefinition, title: string, config: ModelConfig, types: ReadonlyMap<Value, Value>): Core {
  const annotated = [...inheritedAnnotations(cls, () => true)].find(([, field]) => field.name === "root");
  let field: CollectedField | null = annotated ? collect(generator, annotated[0], annotated[1], "class", types) : null;
  if (!field) {
    const base = cls.mro.flatMap((each) => (each.kind === "class" ? each.bases : [])).find((each) => each.kind === "alias" && isLibraryClass(each.origin, "pydantic.RootModel"));
    const type = base?.kind === "alias" ? generator.substitute(base.args[0]!, types) : form("typing.Any");
    field = { ...makeField(type, "class"), docstring: null };
  }
  const root = fieldSchema(generator, cls, "root", field, config);
  // The docstring of the class comes before the description of the field.
  const updates = cls.docstring !== null && root.metadata.updates?.["description"] !== undefined ? { updates: { description: cleanDocstring(cls.docstring) } } : {};
  return { type: "model", class: cls, title, fields: [], config, root: root.schema, metadata: mergeMetadata(root.metadata, updates) };
}

export function dataclassSchema(generator: CoreGenerator, cls: ClassDefinition, args: readonly Value[]): Core {
  return generator.define(fullReference(cls, args), () => {
    const config = attachedConfig(cls);
    const types = variablesOf(generator, cls, args);
    return generator.within(insideOf(cls), config, cls, () => {
      const plain: FieldSchema[] = [];
      const keywordOnly: FieldSchema[] = [];
      const markers = new Set<ClassDefinition>();
      for (const [owner, annotation] of inheritedAnnotations(cls, (ancestor) => ancestor.isDataclassStatement)) {
        const field = collect(generator, owner, annotation, "dataclass", types);
        if (!field || field.qualifiers.has("ClassVar")) continue;
        if (isLibraryClass(field.annotation, "dataclasses.KW_ONLY")) {
          markers.add(owner);
          continue;
        }
        const init = field.attributes.get("init");
        if (init?.kind === "bool" && !init.value && isRequired(field)) continue;
        const option = field.attributes.get("kw_only") ?? owner.dataclassOptions.get("kw_only");
        const last = option ? option.kind === "bool" && option.value : markers.has(owner);
        (last ? keywordOnly : plain).push(fieldSchema(generator, cls, annotation.name, field, generator.config));
      }
      const fields = [...plain, ...keywordOnly, ...computedFields(generator, cls, types)];
      return { type: "dataclass", class: cls, title: cls.name, fields, config: config ?? inheritedExtra(generator.config) };
    });
  });
}

/** A dataclass without a configuration takes over whether the model around it allows more than it knows. */
function inheritedExtra(config: ModelConfig): ModelConfig {
  const extra = config.get("extra");
  return new Map(extra ? [["extra", extra]] : []);
}

export function typedDictSchema(generator: CoreGenerator, cls: ClassDefinition, args: readonly Value[]): Core {
  const ancestors = cls.mro.filter((ancestor) => ancestor.kind === "class");
  const isOfTyping = ancestors.some((ancestor) => ancestor.bases.some((base) => isForm(base, "typing.TypedDict")));
  if (isOfTyping && generator.readableTypedDict !== cls) {
    throw new SchemaError("PydanticUserError", "Please use `typing_extensions.TypedDict` instead of `typing.TypedDict` on Python < 3.12.");
  }
  return generator.define(fullReference(cls, args), () => {
    const config = attachedConfig(cls);
    const types = variablesOf(generator, cls, args);
    return generator.within(insideOf(cls), config, cls, () => {
      const fields: FieldSchema[] = [];
      for (const [owner, annotation] of inheritedAnnotations(cls, () => true)) {
        const field = collect(generator, owner, annotation, "typed-dict", types);
        if (!field) continue;
        const total = owner.keywords.get("total");
        const isTotal = !(total?.kind === "bool" && !total.value);
        const required = (isTotal || field.qualifiers.has("Required")) && !field.qualifiers.has("NotRequired");
        const schema = fieldSchema(generator, cls, annotation.name, { ...field, docstring: annotation.docstring }, generator.config);
        fields.push({ ...schema, required: required && schema.required });
      }
      const closed = cls.keywords.get("closed");
      const settings = new Map(config ?? []);
      if (closed?.kind === "bool" && closed.value) settings.set("extra", str("forbid"));
      const more = cls.keywords.get("extra_items");
      if (more) settings.set("extra", str("allow"));
      return { type: "typed-dict", class: cls, title: cls.name, fields, config: settings, ...(more && { extras: generator.generate(more) }) };
    });
  });
}

/** A field of a named tuple or a parameter of a function: what was said of it becomes part of its own schema. */
export function parameterSchema(generator: CoreGenerator, field: FieldInfo): Core {
  const asField: Value = { kind: "call", callee: { kind: "library-function", id: "pydantic.Field" }, args: [], kwargs: field.attributes };
  const schema = generator.apply(field.annotation, [...field.metadata, asField]);
  return isRequired(field) ? schema : { type: "default", schema, default: defaultOf(field) };
}

export function namedTupleSchema(generator: CoreGenerator, cls: ClassDefinition, args: readonly Value[]): Core {
  return generator.define(fullReference(cls, args), () => {
    const types = variablesOf(generator, cls, args);
    return generator.within(insideOf(cls), null, cls, () => {
      const fields = [...inheritedAnnotations(cls, (ancestor) => ancestor.hasBaseForm("NamedTuple"))].map(([owner, annotation]) => {
        const type = resolved(generator, annotationType(owner, annotation));
        const field = makeField(generator.substitute(type, types), "named-tuple", assignedValue(owner, annotation));
        return { name: annotation.name, schema: parameterSchema(generator, field), required: isRequired(field) };
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
  if (given?.kind === "str") names = given.value.replaceAll(",", " ").split(/\s+/).filter(Boolean).map((name) => [name, any]);
  else if (given?.kind === "list" || given?.kind === "tuple") {
    names = given.items.flatMap((item): (readonly [string, Value])[] => {
      if (item.kind === "str") return [[item.value, any]];
      const [name, type] = item.kind === "tuple" ? item.items : [];
      return name?.kind === "str" && type ? [[name.value, type]] : [];
    });
  }
  if (!names || !isCallOf(call, call.callee.kind === "class" ? "" : call.callee.id)) {
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

export function enumSchema(generator: CoreGenerator, cls: ClassDefinition): Core {
  const members = cls.members;
  const strange = members.find(({ value }) => value.kind === "unknown");
  if (strange || members.length === 0) {
    generator.surroundings.note(strange ? `a value of \`${cls.name}\` is known only at run time` : `\`${cls.name}\` has no members that can be read`);
    return { type: "any" };
  }
  const description = cls.docstring === null ? {} : { description: cleanDocstring(cls.docstring) };
  return generator.define(fullReference(cls, []), () => ({
    type: "enum",
    class: cls,
    metadata: { functions: [(core, inner) => ({ ...inner(core), title: cls.name, ...description })] },
  }));
}
