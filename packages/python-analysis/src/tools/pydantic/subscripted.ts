import { TYPING_ALIASES } from "../python/library.js";
import {
  type Call,
  type LibraryClass,
  PythonError,
  type Value,
  form,
  isCallOf,
  isForm,
  isLibraryClass,
  isNoneType,
} from "../python/values.js";
import { type Core, SchemaError } from "./core.js";
import { fieldParts } from "./fields.js";
import type { CoreGenerator } from "./generate.js";
import { LIBRARY_TYPES } from "./library-types.js";

/** Mappings, which need the types of both keys and values. */
const TAKES_TWO = /\.(dict|OrderedDict|defaultdict|Mapping|MutableMapping)$/;

/** Values that a `defaultdict` can be filled up with: what these classes make without arguments. */
const FACTORIES =
  /^(builtins\.(tuple|list|set|frozenset|dict|str|int|float|bool)|collections\.(OrderedDict|Counter)|collections\.abc\.(Sequence|MutableSequence|Set|MutableSet|Mapping|MutableMapping))$/;

/** The schema of a subscripted class of the standard library: `dict[str, int]`. */
export function subscriptedSchema(
  generator: CoreGenerator,
  origin: LibraryClass,
  args: readonly Value[],
): Core {
  if (origin.id === "builtins.tuple") return tupleSchema(generator, args);
  if (origin.id === "builtins.type")
    return subclassSchema(generator, args[0] ?? form("typing.Any"));
  if (origin.id === "os.PathLike" && !isPathKind(args[0])) {
    throw new SchemaError(
      "PydanticUserError",
      "`os.PathLike` can only be used with `str`, `bytes` or `Any`",
    );
  }
  if (TAKES_TWO.test(origin.id) && args.length < 2)
    throw new PythonError("TypeError", `Expected two type arguments for ${origin.id}, got 1`);
  const schema = LIBRARY_TYPES[origin.id]?.((inner) => generator.generate(inner), args);
  if (origin.id === "collections.defaultdict") refuseWithoutFactory(resolved(generator, args[1]!));
  return schema ?? generator.arbitrary(origin.id, origin.id !== "dataclasses.InitVar");
}

function resolved(generator: CoreGenerator, type: Value): Value {
  if (type.kind === "forward") return generator.resolve(type.text);
  return type.kind === "str" ? generator.resolve(type.value) : type;
}

function tupleSchema(generator: CoreGenerator, args: readonly Value[]): Core {
  const [first] = args;
  if (args.at(-1)?.kind === "ellipsis") {
    if (args.length !== 2)
      throw new PythonError("ValueError", "Variable tuples can only have one type");
    return { type: "tuple", items: [generator.generate(first!)], variadic: true };
  }
  if (args.length === 1 && first?.kind === "tuple" && first.items.length === 0)
    return { type: "tuple", items: [], variadic: false };
  return { type: "tuple", items: args.map((arg) => generator.generate(arg)), variadic: false };
}

/** `type[X]`. */
function subclassSchema(generator: CoreGenerator, given: Value): Core {
  const type = given.kind === "annotated" ? given.type : resolved(generator, given);
  if (isForm(type, "typing.Any")) return generator.libraryClass("builtins.type");
  if (type.kind === "union")
    return oneOf(type.members.map((member) => subclassSchema(generator, member)));
  if (isCallOf(type, "typing.TypeVar")) {
    const bound = type.kwargs.get("bound");
    if (bound?.kind === "union") return subclassSchema(generator, bound);
    if (bound) return { type: "is-subclass" };
    const constraints = type.args.slice(1);
    if (constraints.length === 0) return generator.libraryClass("builtins.type");
    return oneOf(constraints.map((each) => subclassSchema(generator, each)));
  }
  if (type.kind === "type-alias") return subclassSchema(generator, type.value());
  const isModel =
    type.kind === "alias" && type.origin.kind === "class" && type.origin.family === "model";
  if (type.kind === "literal" || (type.kind === "alias" && !isModel)) {
    throw new SchemaError(
      "PydanticUserError",
      "Subscripting `type[]` with an already parametrized type is not supported.",
    );
  }
  const isClass = ["class", "library-class", "alias", "unknown", "form", "call", "none"].includes(
    type.kind,
  );
  if (
    !isClass ||
    (type.kind === "form" && !isForm(type, "typing.Self")) ||
    isCallOf(type, "typing.NewType")
  )
    throw new PythonError("TypeError", "Expected a class");
  if (type.kind === "unknown") generator.surroundings.note(type.reason);
  return { type: "is-subclass" };
}

/** A type variable that nothing stands for: its default, its constraints, its bound or anything. */
export function typeVariableSchema(generator: CoreGenerator, variable: Call): Core {
  const fallback = variable.kwargs.get("default");
  if (fallback) return generator.generate(fallback);
  const constraints = variable.args.slice(1);
  if (constraints.length > 0) return generator.unionOf(constraints);
  const bound = variable.kwargs.get("bound");
  if (!bound || isNoneType(bound)) return { type: "any" };
  return generator.generate(resolved(generator, bound));
}

export const oneOf = (choices: readonly Core[]): Core =>
  choices.length === 1 ? choices[0]! : { type: "union", choices };

/** @throws SchemaError for values that a `defaultdict` cannot be filled up with */
export function refuseWithoutFactory(values: Value): void {
  const field =
    values.kind === "annotated"
      ? values.metadata.find((item) => isCallOf(item, "pydantic.Field"))
      : undefined;
  if (field?.kind === "call" && fieldParts(field).attributes.has("default_factory")) return;
  const head = values.kind === "alias" ? values.origin : values;
  if (head.kind === "unknown" || isCallOf(head, "typing.TypeVar")) return;
  let id: string | undefined;
  if (head.kind === "form") id = TYPING_ALIASES.get(head.id.slice("typing.".length));
  else if (head.kind === "library-class") id = head.id;
  if (id === undefined || !FACTORIES.test(id)) {
    throw new SchemaError(
      "PydanticSchemaGenerationError",
      "a defaultdict of such values needs a default factory",
    );
  }
}

function isPathKind(type: Value | undefined): boolean {
  if (!type || isForm(type, "typing.Any")) return true;
  return isLibraryClass(type, "builtins.str") || isLibraryClass(type, "builtins.bytes");
}
