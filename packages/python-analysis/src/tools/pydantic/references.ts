import { type Value, equalityKey } from "../python/values.js";

/**
 * The module that classes of a script belong to. It shows in `$defs` only where two classes share a name; which name the
 * script will be imported by is not known, so it is the one it has when it is run.
 */
const MODULE = "__main__";

/** The identity of a class, with its arguments, as pydantic writes it: `module.Qualified:id[int:id]`. */
export function fullReference(type: Value, args: readonly Value[]): string {
  const name = type.kind === "class" ? type.qualifiedName : type.kind === "type-alias" ? type.name : displayType(type);
  const shown = args.map((arg) => `${displayType(arg)}:${idOf(arg)}`).join();
  return `${MODULE}.${name}:${idOf(type)}${args.length > 0 ? `[${shown}]` : ""}`;
}

/** In digits, so that it holds none of the characters that the text around it is split at. */
const idOf = (value: Value): string => Buffer.from(equalityKey(value)).toString("hex");

/** pydantic's `display_as_type`: a type much as it is written. */
export function displayType(type: Value): string {
  switch (type.kind) {
    case "none":
      return "NoneType";
    case "ellipsis":
      return "...";
    case "library-class":
      return type.name;
    case "class":
      return type.qualifiedName;
    case "form":
      return type.id.slice(type.id.indexOf(".") + 1);
    case "alias": {
      const origin = displayType(type.origin);
      const shown = type.spelling === "typing" && type.origin.kind === "library-class" ? origin[0]!.toUpperCase() + origin.slice(1) : origin;
      return `${shown}[${type.args.map(displayType).join(", ")}]`;
    }
    case "union":
      return `Union[${type.members.map(displayType).join(", ")}]`;
    case "annotated":
      return `Annotated[${displayType(type.type)}, ...]`;
    case "literal":
      return `Literal[${type.values.map(representation).join(", ")}]`;
    case "forward":
      return `ForwardRef('${type.text}')`;
    case "call": {
      const name = type.args[0];
      return name?.kind === "str" ? (type.callee.kind === "library-function" && type.callee.id === "typing.TypeVar" ? `~${name.value}` : name.value) : "object";
    }
    default:
      return type.kind;
  }
}

function representation(value: Value): string {
  if (value.kind === "str") return `'${value.value}'`;
  if (value.kind === "bool") return value.value ? "True" : "False";
  return value.kind === "int" ? String(value.value) : displayType(value);
}

/** Names to try for a definition, the plainest first; the last is its own alone. */
export function definitionNames(ref: string, mode: "Input" | "Output", occurrence: (qualified: string) => number): readonly string[] {
  const components = ref.split(/([\][,])/).map((part) => part.replace(/:[^:]*$/, ""));
  const qualified = normalize(components.join(""));
  const short = normalize(components.map((part) => part.replace(/(?:[^.[\]]+\.)+((?:[^.[\]]+))/g, "$1")).join(""));
  const number = occurrence(qualified);
  return [short, `${short}-${mode}`, qualified, `${qualified}-${mode}`, `${qualified}__${number}`, `${qualified}-${mode}__${number}`];
}

const normalize = (name: string): string => name.replace(/[^a-zA-Z0-9.\-_]/gu, "_").replaceAll(".", "__");
