import { TYPING_ALIASES, isKnownModule } from "../python/library.js";
import type { Frame } from "../python/scope.js";
import { replaceTypes } from "../python/subscripts.js";
import {
  type Alias,
  type Call,
  type Value,
  PythonError,
  TooMuchWork,
  calleeId,
  form,
  isNoneType,
} from "../python/values.js";
import { annotatedSchema } from "./annotations.js";
import { bareEnum } from "./bare-enums.js";
import { type ModelConfig, isOn } from "./config.js";
import { type Core, SchemaError } from "./core.js";
import type { Encoder } from "./encode.js";
import { qualifierOf } from "./fields.js";
import { LIBRARY_TYPES } from "./library-types.js";
import { enumSchema, modelSchema } from "./models.js";
import { dataclassSchema, namedTupleSchema, typedDictSchema } from "./records.js";
import { displayArgument, fullReference, withArguments } from "./references.js";
import { CONTEXTS } from "./runtime-contexts.js";
import {
  oneOf,
  refuseWithoutFactory,
  subscriptedSchema,
  typeVariableSchema,
} from "./subscripted.js";

/** What generating schemas needs of its surroundings. */
export interface Surroundings {
  readonly encode: Encoder;
  /** Counts a part of a schema. @throws TooMuchWork */
  step(): void;
  /** Tells the reader of the tool what could not be known, and what that does to the schema, once each. */
  note(reason: string, effect?: string): void;
  /** Whether the script can only be run by Python 3.12 or later, by which pydantic can read `typing.TypedDict`. */
  readonly needsPython312: boolean;
  /**
   * The references that pydantic keeps with recursive models: the first in each schema to refer to such a model is given that one
   * object, so what is said of the model there is said wherever it comes up again.
   */
  readonly keptReferences: Map<string, Core>;
  /** Evaluates a string as a type. @throws PythonError */
  evaluateText(text: string, frame: Frame | null): Value;
}

/** What is known here by what calling it gives, but is a class. */
const CLASSES_TOO = new Set(
  ["TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "TypeAliasType"].map(
    (name) => `typing.${name}`,
  ),
);

/** Classes of pydantic's and the runtimes' that have schemas which are not described here. */
const UNMODELLED =
  /^(pydantic\.(RootModel|EncodedBytes|EncodedStr)|(mcp|fastmcp)\.(\w+Content|ResourceLink|EmbeddedResource|\w+Result|ToolAnnotations|Icon))$/;

/** Nodes of one tool's schema, after which it is called too much work. */
const MOST_NODES = 20_000;
const DEEPEST = 150;

/** Makes core schemas of types, as pydantic's `GenerateSchema` does. */
export class CoreGenerator {
  readonly definitions = new Map<string, Core>();
  readonly #configs: ModelConfig[];
  readonly #frames: (Frame | null)[];
  /** The models that have been referred to, in each of the schemas being made: a model's is one of its own. */
  readonly #met: Set<string>[];
  readonly #making: string[] = [];
  readonly #recursive = new Set<string>();
  readonly classes: Value[] = [];
  /** The one `typing.TypedDict` that the runtime makes readable for pydantic below Python 3.12. */
  readableTypedDict: Value | null = null;
  #nodes = 0;
  #depth = 0;

  /**
   * @param frame - what strings inside types see; `null` for code of the runtime's, which sees only builtins
   * @param met - the models that have been referred to in the schema that this is part of
   */
  constructor(
    readonly surroundings: Surroundings,
    frame: Frame | null,
    config: ModelConfig,
    met = new Set<string>(),
  ) {
    this.#frames = [frame];
    this.#met = [met];
    this.#configs = [config];
  }

  get config(): ModelConfig {
    return this.#configs.at(-1)!;
  }

  get encode(): Encoder {
    return this.surroundings.encode;
  }

  /** Runs `make` with the names and the configuration of a class. */
  within<T>(
    frame: Frame | undefined,
    config: ModelConfig | null,
    cls: Value | null,
    make: () => T,
  ): T {
    this.#frames.push(frame ?? this.#frames.at(-1)!);
    this.#configs.push(config ?? this.config);
    if (cls) this.classes.push(cls);
    try {
      return make();
    } finally {
      this.#frames.pop();
      this.#configs.pop();
      if (cls) this.classes.pop();
    }
  }

  /**
   * Makes what goes into `$defs` under `ref`, once, and refers to it.
   *
   * @param isKept - whether pydantic keeps the schema with the class, as it does for its own
   */
  define(ref: string, make: () => Core, isKept = false): Core {
    const at = this.#making.indexOf(ref);
    if (at >= 0) {
      for (const each of this.#making.slice(at)) this.#recursive.add(each);
      return { type: "definition-ref", to: ref };
    }
    if (!this.definitions.has(ref)) {
      this.#making.push(ref);
      if (isKept) this.#met.push(new Set());
      try {
        this.definitions.set(ref, { ...make(), ref });
      } finally {
        this.#making.pop();
        if (isKept) this.#met.pop();
      }
    }
    return this.#reference(ref, isKept);
  }

  #reference(ref: string, isKept: boolean): Core {
    const met = this.#met.at(-1)!;
    const isFirst = !met.has(ref);
    met.add(ref);
    if (!isKept || !isFirst || !this.#recursive.has(ref))
      return { type: "definition-ref", to: ref };
    const { keptReferences } = this.surroundings;
    let kept = keptReferences.get(ref);
    if (!kept) keptReferences.set(ref, (kept = { type: "definition-ref", to: ref }));
    return kept;
  }

  /** @throws SchemaError as pydantic does @throws PythonError for strings that do not evaluate */
  generate(type: Value): Core {
    this.surroundings.step();
    if (++this.#nodes > MOST_NODES) throw new TooMuchWork("a schema without end");
    if (this.#depth >= DEEPEST) throw new TooMuchWork("a type nested too deep");
    this.#depth++;
    try {
      return this.#match(type);
    } finally {
      this.#depth--;
    }
  }

  #match(type: Value): Core {
    switch (type.kind) {
      case "none":
        return { type: "none" };
      case "library-class":
        return this.libraryClass(type.id);
      case "class":
        return this.#class(type, []);
      case "form":
        return this.#form(type.id);
      case "alias":
        return this.#alias(type);
      case "union":
        return this.unionOf(type.members);
      case "annotated":
        return annotatedSchema(this, type.type, type.metadata);
      case "literal":
        return { type: "literal", values: type.values };
      case "forward":
        return this.generate(this.resolve(type.text));
      case "str":
        return this.generate(this.resolve(type.value));
      case "type-alias":
        return this.define(fullReference(type, []), () => this.generate(type.value()));
      case "call":
        return this.#call(type);
      case "unknown":
        this.surroundings.note(type.reason);
        return { type: "any" };
      case "module":
        if (isKnownModule(type.name)) return this.arbitrary(`module ${type.name}`, false);
        this.surroundings.note(`what \`${type.name}\` is is not known here`);
        return { type: "any" };
      case "dict":
        throw new SchemaError("PydanticUserError", "a dictionary is no type");
      case "function":
        return this.arbitrary(type.name, false);
      case "library-function":
        return this.arbitrary(type.id, CLASSES_TOO.has(type.id));
      default:
        return this.arbitrary(type.kind, false);
    }
  }

  /** The type that a string stands for, where the class or function that holds it stands. */
  resolve(text: string): Value {
    try {
      return this.surroundings.evaluateText(text, this.#frames.at(-1)!);
    } catch (error) {
      if (error instanceof PythonError && error.exception === "NameError") {
        throw new SchemaError("PydanticUndefinedAnnotation", error.message);
      }
      throw error;
    }
  }

  /** The first string in a type that names nothing, where types are evaluated as a whole before schemas are made of them. */
  unresolved(type: Value, seen: readonly string[] = []): string | null {
    const text = type.kind === "forward" ? type.text : type.kind === "str" ? type.value : null;
    if (text !== null) {
      if (seen.includes(text)) return null;
      try {
        return this.unresolved(this.resolve(text), [...seen, text]);
      } catch (error) {
        if (error instanceof SchemaError) return text;
        throw error;
      }
    }
    if (type.kind === "alias" && type.origin.kind === "class" && type.origin.family === "model")
      return null;
    const parts =
      type.kind === "alias"
        ? type.args
        : type.kind === "union"
          ? type.members
          : type.kind === "annotated"
            ? [type.type]
            : [];
    for (const part of parts) {
      const found = this.unresolved(part, seen);
      if (found !== null) return found;
    }
    return null;
  }

  /** What pydantic does not know: refused, unless arbitrary types are allowed. */
  arbitrary(name: string, isClass: boolean): Core {
    if (!isOn(this.config, "arbitrary_types_allowed")) {
      throw new SchemaError(
        "PydanticSchemaGenerationError",
        `pydantic has no schema for \`${name}\``,
      );
    }
    return isClass ? { type: "is-instance", of: name } : { type: "any" };
  }

  libraryClass(id: string): Core {
    if (id === "builtins.tuple") return { type: "tuple", items: [{ type: "any" }], variadic: true };
    if (id === "collections.defaultdict") refuseWithoutFactory(form("typing.Any"));
    const make = LIBRARY_TYPES[id];
    if (make) return make((type) => this.generate(type), []);
    if (id === "pydantic.BaseModel") {
      return this.define("pydantic.main.BaseModel:0", () => ({
        type: "model",
        class: null,
        title: "BaseModel",
        fields: [],
        config: new Map(),
      }));
    }
    const context = CONTEXTS[id];
    if (context) return this.define(context.identity, () => context.schema);
    const bare = bareEnum(id);
    if (bare) return bare;
    if (UNMODELLED.test(id)) {
      this.surroundings.note(`\`${id}\` is not known here`);
      return { type: "any" };
    }
    return this.arbitrary(id, true);
  }

  #class(cls: Extract<Value, { kind: "class" }>, args: readonly Value[]): Core {
    if (cls.methods.has("__get_pydantic_core_schema__") || cls.methods.has("__get_validators__")) {
      this.surroundings.note(`\`${cls.name}\` makes its own schema`);
      return { type: "any" };
    }
    switch (cls.family) {
      case "model":
        return modelSchema(this, cls, args);
      case "dataclass":
      case "pydantic-dataclass":
        return dataclassSchema(this, cls, args);
      case "typed-dict":
        return typedDictSchema(this, cls, args);
      case "named-tuple":
        return namedTupleSchema(this, cls, args);
      case "enum":
        return enumSchema(this, cls);
      case "unknown":
        this.surroundings.note(`what \`${cls.name}\` is made from is known only at run time`);
        return { type: "any" };
      case "plain":
        if (cls.isProtocolForChecking)
          throw new SchemaError(
            "PydanticSchemaGenerationError",
            `\`${cls.name}\` is a protocol that instances cannot be checked for`,
          );
        return this.arbitrary(cls.qualifiedName, true);
    }
  }

  #form(id: string): Core {
    const name = id.slice(id.indexOf(".") + 1);
    if (id === "typing.Any" || id === "typing.Final") return { type: "any" };
    if (id === "typing.Self") {
      const self = this.classes.at(-1);
      if (!self)
        throw new SchemaError("PydanticUserError", "`typing.Self` is invalid in this context");
      return this.generate(self);
    }
    // These are functions, whose arguments have no JSON Schema.
    if (id === "typing.NamedTuple" || id === "typing.TypedDict") return { type: "callable" };
    const alias = TYPING_ALIASES.get(name);
    if (alias !== undefined) return this.libraryClass(alias);
    return this.arbitrary(id, name === "Generic");
  }

  #alias(type: Alias): Core {
    const { origin } = type;
    if (origin.kind === "class") {
      const variables = origin.family === "model" ? origin.variables : [];
      const isItself =
        variables.length === type.args.length &&
        variables.every((variable, i) => variable === type.args[i]);
      return this.#class(origin, isItself ? [] : type.args);
    }
    if (origin.kind === "type-alias") {
      const types = new Map(origin.parameters.map((each, i) => [each, type.args[i] ?? each]));
      return this.define(fullReference(origin, type.args), () =>
        this.generate(replaceTypes(origin.value(), types)),
      );
    }
    if (qualifierOf(type) === "Final") return this.generate(type.args[0]!);
    if (origin.kind !== "library-class")
      return this.arbitrary(origin.kind === "form" ? origin.id : origin.kind, false);
    return this.#context(origin.id, type.args) ?? subscriptedSchema(this, origin, type.args);
  }

  /** `Context[ServerSession, None]`: a model of its own, without the docstring. */
  #context(id: string, given: readonly Value[]): Core | undefined {
    const context = CONTEXTS[id];
    if (context?.schema.type !== "model") return undefined;
    const args = given.length === 1 ? [...given, form("typing.Any")] : given;
    const unclear = args.find((arg) => arg.kind === "unknown");
    if (unclear?.kind === "unknown") {
      this.surroundings.note(unclear.reason);
      return { type: "any" };
    }
    const title = `${context.schema.title}[${args.map(displayArgument).join(", ")}]`;
    const { schema } = context;
    return this.define(withArguments(context.identity, args), () => ({
      ...schema,
      title,
      docstring: null,
    }));
  }

  unionOf(members: readonly Value[]): Core {
    const choices = members
      .filter((member) => !isNoneType(member))
      .map((member) => this.generate(member));
    if (choices.length === 0) return { type: "none" };
    const schema = oneOf(choices);
    return choices.length < members.length ? { type: "nullable", schema } : schema;
  }

  #call(type: Call): Core {
    switch (calleeId(type)) {
      case "typing.NewType": {
        const base = type.args[1] ?? type.kwargs.get("tp");
        return this.generate(base ?? form("typing.Any"));
      }
      case "typing.TypeVar":
        return typeVariableSchema(this, type);
      default:
        return this.arbitrary("an instance", false);
    }
  }
}
