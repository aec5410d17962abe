import { TYPING_ALIASES } from "../python/library.js";
import { floatRepr } from "../python/numbers.js";
import { type Call, type Value, equalityKey, isCallOf } from "../python/values.js";
import { fieldParts } from "./fields.js";

/**
 * The module that classes of a script belong to. It shows in `$defs` only where two classes share a name; which name the
 * script will be imported by is not known, so it is the one it has when it is run.
 */
const MODULE = "__main__";

/** The identity of a class, with its arguments, as pydantic writes it: `module.Qualified:id[int:id]`. */
export function fullReference(type: Value, args: readonly Value[]): string {
  const name =
    type.kind === "class"
      ? type.qualifiedName
      : type.kind === "type-alias"
        ? type.name
        : displayType(type);
  return withArguments(`${MODULE}.${name}:${idOf(type)}`, args);
}

/** The identity of what a class is with arguments, from that of the class. */
export function withArguments(identity: string, args: readonly Value[]): string {
  const shown = args.map((arg) => `${displayArgument(arg)}:${idOf(arg)}`).join();
  return args.length > 0 ? `${identity}[${shown}]` : identity;
}

/** A string that is itself an argument is shown as it is. */
export const displayArgument = (arg: Value): string =>
  arg.kind === "forward" ? arg.text : displayType(arg);

/** In digits, so that it holds none of the characters that the text around it is split at. */
const idOf = (value: Value): string => Buffer.from(equalityKey(value)).toString("hex");

/** pydantic's `display_as_type`: a type much as it is written. */
function displayType(type: Value): string {
  switch (type.kind) {
    case "none":
      return "NoneType";
    case "ellipsis":
      return "...";
    case "library-class":
      return type.name;
    case "class":
      return type.qualifiedName;
    case "type-alias":
      return type.name;
    case "form":
      return type.id.slice(type.id.indexOf(".") + 1);
    case "alias": {
      const isTyping = type.spelling === "typing" && type.origin.kind === "library-class";
      const origin =
        (isTyping ? TYPING_NAMES.get(type.origin.id) : undefined) ?? displayType(type.origin);
      const isModel = type.origin.kind === "class" && type.origin.family === "model";
      return `${origin}[${type.args.map(isModel ? displayArgument : displayType).join(", ")}]`;
    }
    case "union":
      return `Union[${type.members.map(displayType).join(", ")}]`;
    case "annotated":
      return `Annotated[${[displayType(type.type), ...type.metadata.map(displayMetadata)].join(", ")}]`;
    case "literal":
      return `Literal[${type.values.map(representation).join(", ")}]`;
    case "forward":
      return `ForwardRef('${type.text}')`;
    case "call": {
      if (isCallOf(type, "typing.NewType")) return "NewType";
      const name = type.args[0];
      return name?.kind === "str"
        ? type.callee.kind === "library-function" && type.callee.id === "typing.TypeVar"
          ? `~${name.value}`
          : name.value
        : "object";
    }
    default:
      return type.kind;
  }
}

const TYPING_NAMES = new Map([...TYPING_ALIASES].map(([name, id]) => [id, name]));

/** What `Field(…)` makes is shown with all it says, any other metadata as its class. */
const displayMetadata = (metadata: Value): string =>
  isCallOf(metadata, "pydantic.Field") ? fieldText(metadata) : classOf(metadata);

/** The attributes of a `FieldInfo`, in the order that its `repr` writes them. */
const FIELD_ATTRIBUTES =
  `default default_factory alias alias_priority validation_alias serialization_alias title field_title_generator description
   examples exclude discriminator deprecated json_schema_extra frozen validate_default repr init init_var kw_only`.split(
    /\s+/,
  );

function fieldText(call: Call): string {
  const { attributes, metadata } = fieldParts(call);
  const shown = new Map<string, string>();
  const alias = attributes.get("alias");
  for (const name of FIELD_ATTRIBUTES) {
    if (name === "alias_priority" && alias && !attributes.has(name)) shown.set(name, "2");
    const value = attributes.get(name);
    if (!value || (value.kind === "none" && name !== "default")) continue;
    if (name.endsWith("_alias") && value === alias) continue;
    if (value.kind === "bool" && value.value === (name === "repr")) {
      if (name === "repr" || name === "frozen") continue;
    }
    shown.set(name, name === "default_factory" ? displayType(value) : representation(value));
  }
  const given = [...shown].map(([name, text]) => `${name}=${text}`);
  if (metadata.length > 0) given.push(`metadata=[${metadata.map(metadataText).join(", ")}]`);
  const isRequired = !attributes.has("default") && !attributes.has("default_factory");
  return `FieldInfo(${["annotation=NoneType", `required=${isRequired ? "True" : "False"}`, ...given].join(", ")})`;
}

/** The class of a piece of metadata. */
function classOf(metadata: Value): string {
  if (metadata.kind === "none") return "NoneType";
  if (isCallOf(metadata, "pydantic.GeneralMetadata")) return "_PydanticGeneralMetadata";
  if (metadata.kind !== "call") return metadata.kind;
  const id = metadata.callee.kind === "class" ? metadata.callee.name : metadata.callee.id;
  return id.slice(id.lastIndexOf(".") + 1);
}

/** A piece of metadata as Python's `repr` writes it: `Ge(ge=1)`. */
export function metadataText(metadata: Value): string {
  if (metadata.kind !== "call") return metadata.kind;
  const name = classOf(metadata);
  const parameter = name
    .replace(/[A-Z]/g, (letter, i) => `${i > 0 ? "_" : ""}${letter.toLowerCase()}`)
    .replace(/_len$/, "_length");
  const given = [
    ...metadata.args.map((arg): [string, Value] => [parameter, arg]),
    ...metadata.kwargs,
  ];
  return `${name}(${given.map(([key, value]) => `${key}=${representation(value)}`).join(", ")})`;
}

function representation(value: Value): string {
  switch (value.kind) {
    case "none":
      return "None";
    case "member":
      return `<${value.class.name}.${value.name}: ${representation(value.value)}>`;
    case "str":
      return `'${value.value}'`;
    case "bool":
      return value.value ? "True" : "False";
    case "int":
      return String(value.value);
    case "float":
      return floatRepr(value.value);
    case "list":
      return `[${value.items.map(representation).join(", ")}]`;
    case "dict":
      return `{${value.entries.map((entry) => entry.map(representation).join(": ")).join(", ")}}`;
    default:
      return displayType(value);
  }
}

/** Names to try for a definition, the plainest first; the last is its own alone. */
export function definitionNames(
  ref: string,
  mode: "Input" | "Output",
  occurrence: (qualified: string) => number,
): readonly string[] {
  const components = ref.split(/([\][,])/).map((part) => part.replace(/:[^:]*$/, ""));
  const qualified = normalize(components.join(""));
  const short = normalize(
    components.map((part) => part.replace(/(?:[^.[\]]+\.)+((?:[^.[\]]+))/g, "$1")).join(""),
  );
  const number = occurrence(qualified);
  return [
    short,
    `${short}-${mode}`,
    qualified,
    `${qualified}-${mode}`,
    `${qualified}__${number}`,
    `${qualified}-${mode}__${number}`,
  ];
}

const normalize = (name: string): string =>
  name.replace(/[^a-zA-Z0-9.\-_]/gu, "_").replaceAll(".", "__");
