import { ClassDefinition, type FieldAnnotation, type TupleField } from "./classes.js";
import type { Interpreter } from "./interpreter.js";
import { truth } from "./truth.js";
import type { Frame } from "./scope.js";
import { type Value, form, isNoneType, libraryClass, str } from "./values.js";

type Arguments = ReadonlyMap<string, Value>;

type Field = readonly [name: string, type: Value, value?: Value | undefined];

interface Parts {
  readonly name: string;
  readonly qualifiedName?: string;
  readonly bases: readonly Value[];
  readonly keywords?: Arguments;
  readonly fields?: readonly Field[];
  readonly tupleFields?: readonly TupleField[];
  /** What is assigned in it without an annotation. */
  readonly assigned?: readonly (readonly [string, Value])[];
  readonly docstring?: string | null;
  /** The decorator it is as if it had, with its arguments. */
  readonly decorator?: readonly [id: string, options: Arguments];
}

/** A class that a call made: `Enum("Color", "RED BLUE")`. */
class MadeClass extends ClassDefinition {
  readonly #annotations: ReadonlyMap<string, FieldAnnotation>;

  constructor(
    interpreter: Interpreter,
    frame: Frame,
    private readonly parts: Parts,
  ) {
    super(
      interpreter,
      // Below Python 3.12 what `make_dataclass` makes belongs to another module, so its strings see nothing of the script's.
      parts.decorator ? interpreter.builtins : frame.scope.module,
      null,
      [],
      frame,
      parts.name,
      parts.qualifiedName ?? parts.name,
    );
    this.#annotations = new Map(
      (parts.fields ?? []).map(([name, annotation, value]): [string, FieldAnnotation] => [
        name,
        { name, annotation, value: value ?? null, at: frame.before, docstring: null },
      ]),
    );
  }

  override get bases(): readonly Value[] {
    return this.parts.bases;
  }

  override get keywords(): Arguments {
    return this.parts.keywords ?? new Map();
  }

  override get annotations(): ReadonlyMap<string, FieldAnnotation> {
    return this.#annotations;
  }

  override get docstring(): string | null {
    return this.parts.docstring ?? null;
  }

  override get tupleFields(): readonly TupleField[] {
    return this.parts.tupleFields ?? super.tupleFields;
  }

  protected override get decoratorIds(): readonly string[] {
    return this.parts.decorator ? [this.parts.decorator[0]] : [];
  }

  override get dataclassOptions(): Arguments {
    return this.parts.decorator?.[1] ?? new Map();
  }

  override ownAttribute(name: string): Value | undefined {
    return this.parts.assigned?.find(([each]) => each === name)?.[1];
  }

  override *assignments(): Generator<readonly [string, Value]> {
    yield* this.parts.assigned ?? [];
  }
}

/** The class that calling something makes; `undefined` if it makes none, or one that only running it tells. */
export function makeClass(
  interpreter: Interpreter,
  frame: Frame,
  callee: Value,
  args: readonly Value[],
  kwargs: Arguments,
): Value | undefined {
  const parts = partsOf(callee, args, kwargs);
  return parts && new MadeClass(interpreter, frame, parts);
}

function partsOf(callee: Value, args: readonly Value[], kwargs: Arguments): Parts | undefined {
  const given = args[0] ?? kwargs.get("typename") ?? kwargs.get("value") ?? kwargs.get("name");
  const name = given?.kind === "str" ? given.value : undefined;
  const isEnum =
    callee.kind === "library-class"
      ? /^enum\.(Enum|IntEnum|StrEnum|Flag|IntFlag|ReprEnum)$/.test(callee.id)
      : callee.kind === "class" && callee.isEnum && callee.members.size === 0;
  if (isEnum) return name === undefined ? undefined : enumParts(callee, name, args, kwargs);
  if (callee.kind !== "form" && callee.kind !== "library-function") return undefined;
  switch (callee.id) {
    case "typing.TypedDict":
    case "typing_extensions.TypedDict":
      return name === undefined ? undefined : typedDictParts(callee, name, args[1], kwargs);
    case "typing.NamedTuple":
    case "typing_extensions.NamedTuple": {
      const fields = pairsOf(args[1] ?? kwargs.get("fields"));
      if (name === undefined || !fields) return undefined;
      return { name, bases: [callee], fields };
    }
    case "collections.namedtuple":
      return name === undefined ? undefined : namedTupleParts(name, args[1], kwargs);
    case "dataclasses.make_dataclass":
      return name === undefined ? undefined : dataclassParts(name, args[1], kwargs);
    case "pydantic.create_model": {
      const title = given ?? kwargs.get("model_name");
      return title?.kind === "str" ? modelParts(title.value, kwargs) : undefined;
    }
    default:
      return undefined;
  }
}

/** The items of a list or tuple of pairs whose first is a string. */
function pairsOf(value: Value | undefined): (readonly [string, Value])[] | undefined {
  if (value?.kind === "dict")
    return value.entries.every(([key]) => key.kind === "str")
      ? value.entries.map(([key, item]) => [key.kind === "str" ? key.value : "", item])
      : undefined;
  if (value?.kind !== "list" && value?.kind !== "tuple") return undefined;
  const pairs: (readonly [string, Value])[] = [];
  for (const item of value.items) {
    if (item.kind !== "tuple" && item.kind !== "list") return undefined;
    const [key, second] = item.items;
    if (key?.kind !== "str" || !second || item.items.length !== 2) return undefined;
    pairs.push([key.value, second]);
  }
  return pairs;
}

/** `"a b"`, `"a, b"`, `["a", "b"]`. */
function namesOf(value: Value | undefined): string[] | undefined {
  if (value?.kind === "str") return value.value.replaceAll(",", " ").split(/\s+/).filter(Boolean);
  if (value?.kind !== "list" && value?.kind !== "tuple") return undefined;
  const names = value.items.flatMap((item) => (item.kind === "str" ? [item.value] : []));
  return names.length === value.items.length ? names : undefined;
}

/** @see https://docs.python.org/3/howto/enum.html#functional-api */
function enumParts(
  callee: Value,
  name: string,
  args: readonly Value[],
  kwargs: Arguments,
): Parts | undefined {
  const given = args[1] ?? kwargs.get("names");
  if (!given) return undefined;
  const names = namesOf(given);
  const auto: Value = {
    kind: "call",
    callee: libraryClass("enum.auto"),
    args: [],
    kwargs: new Map(),
  };
  const start = kwargs.get("start");
  const assigned =
    names?.map((each, i): [string, Value] => [each, i === 0 && start ? start : auto]) ??
    pairsOf(given);
  if (!assigned) return undefined;
  const type = kwargs.get("type");
  const qualifiedName = kwargs.get("qualname");
  return {
    name,
    ...(qualifiedName?.kind === "str" && { qualifiedName: qualifiedName.value }),
    bases: type && type.kind !== "none" ? [type, callee] : [callee],
    assigned,
  };
}

function typedDictParts(
  callee: Value,
  name: string,
  given: Value | undefined,
  kwargs: Arguments,
): Parts | undefined {
  const options = new Map<string, Value>();
  const named: (readonly [string, Value])[] = [];
  for (const [key, value] of kwargs) {
    if (["total", "closed", "extra_items"].includes(key)) options.set(key, value);
    // Fields as keywords: deprecated, and gone in Python 3.13.
    else if (key !== "typename" && key !== "fields") named.push([key, value]);
  }
  const fields = given ? pairsOf(given) : named;
  return fields && { name, bases: [callee], keywords: options, fields };
}

function namedTupleParts(
  name: string,
  given: Value | undefined,
  kwargs: Arguments,
): Parts | undefined {
  const written = namesOf(given ?? kwargs.get("field_names"));
  const defaults = kwargs.get("defaults");
  const values =
    defaults?.kind === "tuple" || defaults?.kind === "list"
      ? defaults.items
      : defaults && defaults.kind !== "none"
        ? undefined
        : [];
  if (!written || !values) return undefined;
  const rename = kwargs.get("rename");
  const names = written.map((each, i) => {
    const isFine =
      /^[\p{L}\p{Nl}][\p{L}\p{Nl}\p{Nd}_]*$/u.test(each) && written.indexOf(each) === i;
    return rename && truth(rename) === true && !isFine ? `_${i}` : each;
  });
  const tupleFields = names.map((each, i) => ({
    name: each,
    default: values[i - names.length + values.length],
  }));
  return { name, bases: [form("typing.NamedTuple")], tupleFields };
}

/** @see https://docs.python.org/3/library/dataclasses.html#dataclasses.make_dataclass */
function dataclassParts(
  name: string,
  given: Value | undefined,
  kwargs: Arguments,
): Parts | undefined {
  const listed = given ?? kwargs.get("fields");
  if (listed?.kind !== "list" && listed?.kind !== "tuple") return undefined;
  const fields: Field[] = [];
  for (const item of listed.items) {
    const parts = item.kind === "tuple" || item.kind === "list" ? item.items : [item];
    const [field, type, value] = parts;
    if (field?.kind !== "str") return undefined;
    fields.push([field.value, type ?? str("typing.Any"), value]);
  }
  const bases = kwargs.get("bases");
  if (bases && bases.kind !== "tuple") return undefined;
  const options = new Map([...kwargs].filter(([key]) => key !== "bases" && key !== "fields"));
  if (options.has("namespace")) return undefined;
  return {
    name,
    bases: bases?.items ?? [],
    fields,
    decorator: ["dataclasses.dataclass", options],
  };
}

/** pydantic's `create_model`: a field is a type, or a type and a default. */
function modelParts(name: string, kwargs: Arguments): Parts | undefined {
  const fields: Field[] = [];
  const keywords = new Map<string, Value>();
  const assigned: (readonly [string, Value])[] = [];
  let bases: readonly Value[] = [libraryClass("pydantic.BaseModel")];
  let docstring: string | null = null;
  for (const [key, value] of kwargs) {
    switch (key) {
      case "__base__":
        bases = value.kind === "tuple" ? value.items : isNoneType(value) ? bases : [value];
        continue;
      case "__config__":
        if (value.kind !== "none") assigned.push(["model_config", value]);
        continue;
      case "__doc__":
        docstring = value.kind === "str" ? value.value : null;
        continue;
      case "__module__":
      case "__validators__":
      case "model_name":
        continue;
      case "__cls_kwargs__":
        if (value.kind !== "dict") return undefined;
        for (const [name, each] of value.entries)
          if (name.kind === "str") keywords.set(name.value, each);
        continue;
    }
    if (value.kind !== "tuple") fields.push([key, value]);
    else if (value.items.length === 2) fields.push([key, value.items[0]!, value.items[1]!]);
    else return undefined;
  }
  return { name, bases, keywords, fields, assigned, docstring };
}
