import type { SyntaxNode } from "../structure/types.js";

/** What an expression may stand for, as far as it matters to what the script can do. */
export type Value =
  /** Something outside the script by its dotted path: a module, or a member of one. */
  | { readonly kind: "path"; readonly path: string; readonly isModule: boolean }
  /** What calling `of` gives. */
  | { readonly kind: "instance"; readonly of: string }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "function" | "class" | "container"; readonly node: SyntaxNode }
  /** The names of a module as a mapping; of this script's own module for `null`. */
  | { readonly kind: "namespace"; readonly of: string | null }
  /** Anything else that is no module: it cannot be told. */
  | { readonly kind: "opaque" }
  /**
   * Something that reflection gave, or more than is followed: any module, member or namespace. `of` is the module that it is a
   * member of, where that is known.
   */
  | { readonly kind: "wild"; readonly of: string | null };

/** Everything that an expression may stand for: a set in order of discovery. Each value exists once, so `===` compares. */
export type Values = readonly Value[];

export const OPAQUE: Value = { kind: "opaque" };
export const WILD: Value = { kind: "wild", of: null };
/** More than is followed. */
export const MANY: Value = { kind: "wild", of: null };
export const NOTHING: Values = [];
export const ANYTHING: Values = [OPAQUE];

/** Longer sets of modules, containers and the like only come from scripts that are made to be hard to read. */
const MOST_VALUES = 32;
/** As for values that hide nothing when they are left out. */
const MOST_IDLE_VALUES = 32;
const LONGEST_PATH = 160;
/** Paths of more parts name no module and no member that is known. */
export const DEEPEST_PATH = 8;
/** As {@link LONGEST_STRING}, of strings that may be code to be run. */
export const LONGEST_CODE = 131_072;
/** Longer strings name no module and no attribute. */
const LONGEST_STRING = 512;

/**
 * Whether leaving a value out hides nothing: members of modules are counted where they are written. A harmless script may well
 * give one name many strings or functions, one after the other.
 */
function isIdle(value: Value): boolean {
  if (value.kind === "path") return !value.isModule;
  return value.kind === "string" || value.kind === "function" || value.kind === "class";
}

/** Both sets; the first itself when the second adds nothing. What is past the limit is not dropped silently. */
export function union(first: Values, second: Values): Values {
  if (first === second || second.length === 0) return first;
  if (first.length === 0) return second;
  let result: Value[] | undefined;
  for (const value of second) {
    if ((result ?? first).includes(value)) continue;
    const kept = withinLimit(value, result ?? first);
    if ((result ?? first).includes(kept)) continue;
    result ??= [...first];
    result.push(kept);
  }
  return result ?? first;
}

function withinLimit(value: Value, values: Values): Value {
  if (values.length < MOST_VALUES || value === OPAQUE || value === MANY) return value;
  const idle = values.reduce((count, each) => count + (isIdle(each) ? 1 : 0), 0);
  if (isIdle(value)) return idle < MOST_IDLE_VALUES ? value : OPAQUE;
  return values.length - idle < MOST_VALUES ? value : MANY;
}

/** Makes each value once. */
export class ValueFactory {
  readonly #paths = new Map<string, Value>();
  readonly #instances = new Map<string, Value>();
  readonly #strings = new Map<string, Value>();
  readonly #namespaces = new Map<string | null, Value>();
  readonly #membersOf = new Map<string, Value>();
  readonly #byNode = new Map<SyntaxNode, Value>();

  path(path: string, isModule: (path: string) => boolean): Value {
    const known = this.#paths.get(path);
    if (known) return known;
    return once(this.#paths, path, () =>
      path.length > LONGEST_PATH || path.split(".").length > DEEPEST_PATH
        ? OPAQUE
        : { kind: "path", path, isModule: isModule(path) },
    );
  }

  instance(of: string): Value {
    return once(this.#instances, of, () => ({ kind: "instance", of }));
  }

  /** @param longest - those that are written out may be code */
  string(text: string, longest = LONGEST_STRING): Value {
    return text.length > longest
      ? OPAQUE
      : once(this.#strings, text, () => ({ kind: "string", text }));
  }

  namespace(of: string | null): Value {
    return once(this.#namespaces, of, () => ({ kind: "namespace", of }));
  }

  /** Some member of a module. */
  memberOf(module: string | null): Value {
    return module === null
      ? WILD
      : once(this.#membersOf, module, () => ({ kind: "wild", of: module }));
  }

  node(kind: "function" | "class" | "container", node: SyntaxNode): Value {
    let value = this.#byNode.get(node);
    if (!value) this.#byNode.set(node, (value = { kind, node }));
    return value;
  }
}

function once<K>(values: Map<K, Value>, key: K, make: () => Value): Value {
  let value = values.get(key);
  if (!value) values.set(key, (value = make()));
  return value;
}

/** Whether a value is subscripted by names of members. */
export function isMapping(value: Value): boolean {
  if (value.kind === "path") return value.path === "builtins";
  return value.kind === "namespace" || value.kind === "wild";
}

/** The module that a value is, has the names of, or is some member of. */
export function moduleOf(value: Value): string | null {
  if (value.kind === "path") return value.path;
  return value.kind === "namespace" || value.kind === "wild" ? value.of : null;
}
