import type { CapabilityMap } from "./map.js";

/** Modules of which a member may be meant where any may be: one of these matters. */
const LIKELY = new Set(
  "builtins os subprocess shutil pty socket ctypes pickle marshal importlib runpy urllib".split(
    " ",
  ),
);
/** Of members that are called alike, so many are named. */
const MOST_ALIKE = 4;
/** What tells of an object what it is called or where it is from. */
const DESCRIBES = new Set(
  "__all__ __annotations__ __author__ __cached__ __doc__ __file__ __module__ __name__ __package__ __path__ __qualname__ __version__".split(
    " ",
  ),
);
/** Methods of text and mappings, as the names and namespaces have that reflection gives beside modules. */
const EVERYDAY = new Set(
  (
    "capitalize casefold center clear copy count decode encode endswith expandtabs find format get index isalnum isalpha isdigit " +
    "exec_module isidentifier islower isupper items join keys ljust load_module lower lstrip partition pop popitem removeprefix removesuffix replace rfind " +
    "rpartition rsplit rstrip setdefault sort split splitlines startswith strip title translate update upper values zfill"
  ).split(" "),
);

/** Attributes by which more is reached. */
const LEADS = new Set(
  "modules frame f_back loader gi_frame tb_frame tb_next cr_frame ag_frame".split(" "),
);

/** Calls that give any module or member. */
const GIVERS = new Set([
  "_imp.create_builtin",
  "_imp.create_dynamic",
  "gc.get_objects",
  "gc.get_referents",
  "gc.get_referrers",
]);

const KEEP_NAMES = new Set([
  "argparse.Namespace",
  "builtins.dict",
  "collections.ChainMap",
  "collections.OrderedDict",
  "collections.UserDict",
  "copy.copy",
  "types.MappingProxyType",
  "types.SimpleNamespace",
]);

/** Whether a call gives any module or member whatever its arguments. */
export function givesAnything(path: string): boolean {
  return GIVERS.has(path);
}

/** Whether an attribute of this name, of something that nobody knows, is no module and no member. */
export function isEveryday(name: string): boolean {
  return DESCRIBES.has(name) || EVERYDAY.has(name);
}

/** The members of the modules that matter which are called like this. */
export function likelyMembers(map: CapabilityMap, name: string): readonly string[] {
  return map
    .membersNamed(name)
    .filter((path) => LIKELY.has(path.split(".", 1)[0]!))
    .slice(0, MOST_ALIKE);
}

/** Whether an attribute of this name may lead on to any module or member. */
export function mayLeadOn(name: string): boolean {
  return /^__\w+__$/.test(name) || LEADS.has(name);
}

/** Whether a module's members are those that matter most. */
export function isLikely(module: string): boolean {
  return LIKELY.has(module) || module === "sys" || module === "posix" || module === "nt";
}

/** Whether what has the names of a module, given to a call of `path`, is followed into the result. */
export function keepsNames(path: string): boolean {
  return KEEP_NAMES.has(path);
}
