import { type Call, type Value, calleeId, str, unknown } from "./values.js";

/** Linux's own limit. */
const LONGEST_PATH = 4096;

const POSIX = new Set([
  "pathlib.Path",
  "pathlib.PurePath",
  "pathlib.PosixPath",
  "pathlib.PurePosixPath",
]);

/** `str(Path(…))`, as POSIX has it: slashes collapsed, `.` left out, an absolute part starting anew. */
export function pathText(value: Value): string | undefined {
  if (value.kind !== "call" || !POSIX.has(calleeId(value))) return undefined;
  let text = "";
  for (const part of value.args) {
    const piece = part.kind === "str" ? part.value : pathText(part);
    if (piece === undefined) return undefined;
    text = piece.startsWith("/") || text === "" ? piece : `${text.replace(/\/$/, "")}/${piece}`;
  }
  const root = /^\/\/[^/]/.test(text) ? "//" : text.startsWith("/") ? "/" : "";
  const names = text.split("/").filter((name) => name !== "" && name !== ".");
  return root + names.join("/") || ".";
}

const pathLike = (call: Call, text: string): Value => ({
  ...call,
  args: [str(text)],
  kwargs: new Map(),
});

interface Name {
  readonly name: string;
  readonly stem: string;
  readonly suffix: string;
}

function nameOf(text: string): Name {
  const name = text === "." ? "" : text.slice(text.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot > 0 && dot < name.length - 1
    ? { name, stem: name.slice(0, dot), suffix: name.slice(dot) }
    : { name, stem: name, suffix: "" };
}

function parentOf(text: string): string {
  const cut = text.lastIndexOf("/");
  if (cut < 0) return ".";
  return cut === 0 ? "/" : text.slice(0, cut);
}

/** An attribute of a path that is told without looking at the file system. */
export function pathAttribute(path: Call, name: string): Value | undefined {
  const text = pathText(path);
  if (text === undefined) return undefined;
  const parts = nameOf(text);
  switch (name) {
    case "name":
      return str(parts.name);
    case "stem":
      return str(parts.stem);
    case "suffix":
      return str(parts.suffix);
    case "parent":
      return pathLike(path, parentOf(text));
    case "parts": {
      const names = text === "." ? [] : text.split("/").filter(Boolean);
      return { kind: "tuple", items: [...(text.startsWith("/") ? ["/"] : []), ...names].map(str) };
    }
    default:
      return undefined;
  }
}

/** What a method of a path gives that is told without looking at the file system. */
export function pathMethod(path: Call, name: string, args: readonly Value[]): Value | undefined {
  const text = pathText(path);
  if (text === undefined) return undefined;
  const [first] = args;
  const given = first?.kind === "str" && args.length === 1 ? first.value : undefined;
  const parts = nameOf(text);
  const sibling = (sibling: string): Value =>
    pathLike(path, text.slice(0, text.length - parts.name.length) + sibling);
  switch (name) {
    case "joinpath":
      return args.reduce(joinPaths, path);
    case "as_posix":
      return args.length === 0 ? str(text) : undefined;
    case "is_absolute":
      return { kind: "bool", value: text.startsWith("/") };
    case "with_suffix":
      return given === undefined || parts.name === "" ? undefined : sibling(parts.stem + given);
    case "with_name":
      return given === undefined || parts.name === "" ? undefined : sibling(given);
    case "with_stem":
      return given === undefined || parts.name === "" ? undefined : sibling(given + parts.suffix);
    default:
      return undefined;
  }
}

/** `os.path`'s functions of texts alone, on POSIX. */
export function osPathFunction(name: string, args: readonly Value[]): Value | undefined {
  const texts = args.map((arg) => (arg.kind === "str" ? arg.value : pathText(arg)));
  if (texts.length === 0 || texts.includes(undefined)) return undefined;
  const [first = "", ...rest] = texts as string[];
  const cut = first.lastIndexOf("/") + 1;
  switch (name) {
    case "join":
      return str(
        rest.reduce(
          (joined, part) =>
            part.startsWith("/")
              ? part
              : joined === "" || joined.endsWith("/")
                ? joined + part
                : `${joined}/${part}`,
          first,
        ),
      );
    case "basename":
      return str(first.slice(cut));
    case "dirname":
      return str(dirname(first.slice(0, cut)));
    case "split":
      return { kind: "tuple", items: [str(dirname(first.slice(0, cut))), str(first.slice(cut))] };
    case "splitext": {
      const name = first.slice(cut);
      const dot = name.lastIndexOf(".");
      const isExtension = dot > 0 && /[^.]/.test(name.slice(0, dot));
      const at = isExtension ? cut + dot : first.length;
      return { kind: "tuple", items: [str(first.slice(0, at)), str(first.slice(at))] };
    }
    case "isabs":
      return { kind: "bool", value: first.startsWith("/") };
    case "normpath":
      return str(normalised(first));
    default:
      return undefined;
  }
}

const dirname = (head: string): string => (/^\/*$/.test(head) ? head : head.replace(/\/+$/, ""));

function normalised(path: string): string {
  const root = /^\/\/[^/]/.test(path) ? "//" : path.startsWith("/") ? "/" : "";
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== ".." || (root === "" && (names.length === 0 || names.at(-1) === "..")))
      names.push(name);
    else names.pop();
  }
  return root + names.join("/") || ".";
}

/** `Path / "name"`, and `"name" / Path`. */
export function joinPaths(left: Value, right: Value): Value {
  const path = [left, right].find((side) => side.kind === "call" && POSIX.has(calleeId(side)));
  if (path?.kind !== "call") return unknown("an operation on values known only at run time");
  const joined = pathText({ ...path, args: [left, right] });
  return joined === undefined || joined.length > LONGEST_PATH
    ? unknown("a path known only at run time")
    : pathLike(path, joined);
}
