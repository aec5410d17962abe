import { readFileSync } from "node:fs";
import { z } from "zod";

/** How a call's arguments decide whether a capability is used; see `data/README.md` for the meaning of each. */
export const CONDITIONS = [
  "mode",
  "mode0",
  "flags",
  "attribute",
  "namespace",
  "name",
  "3-arg",
  "called",
  "string",
  "annotations",
  "eval_str",
  "filename",
  "module",
  "allow_pickle",
  "inplace",
  "file",
  "Loader",
  "url",
  "file://",
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** A capability of a member, perhaps only under a condition on the call. */
export interface Grant {
  readonly capability: string;
  /** The other capability that `mode` and `flags` choose between: reading is `capability`, writing is this one. */
  readonly otherwise: string | null;
  readonly condition: Condition | null;
}

/** What a member gives; nothing for a harmless one. */
export type Grants = readonly Grant[];

/** A method that is told by its name in scripts that import `module`. */
export interface Method {
  readonly module: string;
  /** As it is reported, such as `pandas.*.to_csv`. */
  readonly path: string;
  readonly grants: Grants;
}

/** What a path gives, and by which rule of the data. */
interface Found {
  readonly grants: Grants;
  readonly rule: string;
}

/** Of more paths than scripts have in common no answers are kept. */
const MOST_ANSWERS = 10_000;

const names = z.string();
const table = z.record(names, z.string());
const schema = z.strictObject({
  capabilities: z.record(z.string(), z.string()),
  stdlib: z.record(z.string(), z.array(z.string())),
  members: z.record(names, table),
  "any-attribute": table,
  methods: z.record(z.string(), table),
  returns: z.record(names, table),
  properties: z.record(names, table),
  aliases: table,
  reexported: z.string(),
  "on-import": table,
  pypi: z.record(z.string(), z.array(z.string())),
});

const GRANT = /^([a-z.]+)(?:\|([a-z.]+))?\??(?:\((.+)\))?$/;
const HARMLESS: Grants = [];
/** Of more parts is no name in the data's `aliases`. */
const DEEPEST_ALIAS = 4;
/** Exception classes: a reference to one catches or raises, whatever the module can do. */
const EXCEPTION = /(?:Error|Exception|Warning|Timeout|^error|^timeout)$/;
/** Harmless modules that hold no other module, so that a member of an unknown name is harmless, too. */
const SELF_CONTAINED = new Set("__future__ cmath errno itertools math select token".split(" "));
const CONSTANT = /^(?:_*[A-Z][A-Z0-9_]*|__\w+__)$/;

/**
 * What every known module and member lets a script do: `data/capabilities.json`, read once and looked up by dotted path.
 */
export class CapabilityMap {
  /** Capability → what it means. */
  readonly descriptions: ReadonlyMap<string, string>;
  readonly #members = new Map<string, Grants>();
  readonly #others = new Map<string, Grants>();
  readonly #stdlibMembers = new Map<string, string[]>();
  /** The names among {@link #members} that are Python's own. */
  readonly #builtins: ReadonlySet<string>;
  readonly #tables = new Set<string>();
  /** What has members in {@link #members}, which a class within a module has, too. */
  readonly #owners = new Set<string>();
  readonly #modules = new Map<string, Grants>();
  readonly #stdlib: ReadonlySet<string>;
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #reexported: ReadonlySet<string>;
  readonly #anyAttribute = new Map<string, { grants: Grants; when: string | null }>();
  readonly #methods = new Map<string, Method[]>();
  /** Modules that {@link #methods} has methods of. */
  readonly #withMethods: readonly string[];
  readonly #returns: ReadonlyMap<string, string>;
  readonly #properties: ReadonlyMap<string, string>;
  /** Answers that were given before. */
  readonly #found = new Map<string, Found | null>();
  readonly #idle = new Map<string, boolean>();
  readonly #onImport: ReadonlyMap<string, Grants>;
  /** What has something below it that the data names. */
  readonly #inner: ReadonlySet<string>;

  /** @throws Error when the data is not of the documented form */
  constructor(data: unknown) {
    const map = schema.parse(data);
    this.descriptions = new Map(Object.entries(map.capabilities));
    this.#stdlib = new Set(Object.keys(map.stdlib));
    for (const [module, capabilities] of [
      ...Object.entries(map.pypi),
      ...Object.entries(map.stdlib),
    ]) {
      this.#modules.set(module, this.#grants(capabilities.join(" ")));
    }
    for (const [modules, members] of Object.entries(map.members)) {
      for (const module of modules.split(" ")) this.#addMembers(module, members);
    }
    this.#builtins = new Set(
      [...this.#members.keys()].flatMap((path) =>
        path.startsWith("builtins.") ? [path.slice("builtins.".length)] : [],
      ),
    );
    for (const [attributes, grants] of Object.entries(map["any-attribute"])) {
      for (const [, name, when] of attributes.matchAll(/(\w+)(?:\(([^)]*)\))?/g)) {
        this.#anyAttribute.set(name!, { grants: this.#grants(grants), when: when ?? null });
      }
    }
    this.#withMethods = Object.keys(map.methods).flatMap((modules) => modules.split(" "));
    for (const [modules, methods] of Object.entries(map.methods)) {
      for (const [name, text] of flatten(methods)) {
        const grants = this.#grants(text);
        const known = this.#methods.get(name) ?? [];
        this.#methods.set(name, known);
        for (const module of modules.split(" "))
          known.push({ module, path: `${module}.*.${name}`, grants });
      }
    }
    this.#returns = memberTypes(map.returns);
    this.#properties = memberTypes(map.properties);
    this.#aliases = new Map(flatten(map.aliases));
    this.#reexported = new Set(map.reexported.split(" "));
    this.#inner = ancestors([
      ...this.#members.keys(),
      ...[...this.#tables].map((owner) => `${owner}.*`),
      ...this.#returns.keys(),
      ...this.#properties.keys(),
    ]);
    this.#onImport = new Map(
      flatten(map["on-import"]).map(([module, grants]) => [module, this.#grants(grants)]),
    );
  }

  #addMembers(module: string, members: Readonly<Record<string, string>>): void {
    this.#tables.add(module);
    for (const [name, grants] of flatten(members)) {
      if (name === "*") this.#others.set(module, this.#grants(grants));
      else {
        const path = `${module}.${name}`;
        this.#members.set(path, this.#grants(grants));
        this.#owners.add(path.slice(0, path.lastIndexOf(".")));
        if (this.#stdlib.has(module) && this.#members.get(path)!.length > 0) {
          const member = name.slice(name.lastIndexOf(".") + 1);
          const alike = this.#stdlibMembers.get(member);
          if (alike) alike.push(path);
          else this.#stdlibMembers.set(member, [path]);
        }
      }
    }
  }

  #grants(text: string): Grants {
    if (text === "") return HARMLESS;
    return text.split(" ").map((part) => {
      const [, capability, otherwise, condition] = GRANT.exec(part) ?? [];
      for (const name of [capability, otherwise]) {
        if (name !== undefined && !this.descriptions.has(name))
          throw new Error(`unknown capability ${name} in "${text}"`);
      }
      if (capability === undefined || (condition !== undefined && !isCondition(condition))) {
        throw new Error(
          `"${part}" is not of the form capability, capability?(condition) or reading|writing(condition)`,
        );
      }
      return { capability, otherwise: otherwise ?? null, condition: condition ?? null };
    });
  }

  /** The path by which the data knows what is also reachable as `path`: `posix.system` is `os.system`. */
  canonical(path: string): string {
    let end = path.indexOf(".");
    for (let depth = 0; depth < DEEPEST_ALIAS; depth++) {
      const head = end < 0 ? path : path.slice(0, end);
      const alias = this.#aliases.get(head);
      if (alias !== undefined) return alias + path.slice(head.length);
      if (end < 0) break;
      end = path.indexOf(".", end + 1);
    }
    return path;
  }

  /** What reaching `path`, such as `os.system`, gives; `undefined` for a module itself, and for what nobody knows. */
  lookup(path: string): Grants | undefined {
    return this.#find(path)?.grants;
  }

  /**
   * The rule of the data that {@link lookup} takes for `path`: the path of a member that it names, `module.*` for the others of
   * a module or class, `constant` or `exception` for what is told by its form, and the name of a module alone where the data
   * only says what some member of that can do.
   */
  rule(path: string): string | undefined {
    return this.#find(path)?.rule;
  }

  #find(path: string): Found | undefined {
    let found = this.#found.get(path);
    if (found === undefined) {
      found = this.#search(path) ?? null;
      remember(this.#found, path, found);
    }
    return found ?? undefined;
  }

  #search(path: string): Found | undefined {
    const full = this.canonical(path);
    for (let end = full.length; end > 0;) {
      const prefix = full.slice(0, end);
      const dot = prefix.lastIndexOf(".");
      if (dot < 0) break;
      const found = this.#members.get(prefix);
      if (found) return { grants: found, rule: prefix };
      const owner = prefix.slice(0, dot);
      const others = this.#others.get(owner);
      // What is in something is no constant, however that is written: `Crypto.Cipher.AES.new`.
      if (others) {
        const isLast = end === full.length;
        return (
          byForm(prefix.slice(dot + 1), isLast) ??
          this.#methodOf(full) ?? { grants: others, rule: `${owner}.*` }
        );
      }
      end = dot;
    }
    const [module, ...parts] = full.split(".");
    const grants = this.#modules.get(module!);
    if (!grants || parts.length === 0) return undefined;
    const hasTable = this.#tables.has(module!);
    for (const part of parts) {
      const harmless = byForm(part, hasTable);
      if (harmless) return harmless;
    }
    return { grants, rule: module! };
  }

  /** `pandas.DataFrame.to_csv` is the method that is told by its name, though nothing is said of the class. */
  #methodOf(path: string): { readonly grants: Grants; readonly rule: string } | undefined {
    const known = this.#methods.get(path.slice(path.lastIndexOf(".") + 1));
    const method = known?.find(({ module }) => path.startsWith(`${module}.`));
    return method && { grants: method.grants, rule: method.path };
  }

  /** Whether all members of a module are harmless, whatever their names. */
  isHarmless(module: string): boolean {
    return SELF_CONTAINED.has(module);
  }

  /** What a member gives that the data names itself; for `module.*` what every member does that it does not name. */
  member(path: string): Grants | undefined {
    const full = this.canonical(path);
    return full.endsWith(".*") ? this.#others.get(full.slice(0, -2)) : this.#members.get(full);
  }

  /** The members of standard modules that are called like this and let a script do something, such as `os.system`. */
  membersNamed(name: string): readonly string[] {
    return this.#stdlibMembers.get(name) ?? [];
  }

  /** What the data says a module can do at all; `undefined` for a module it does not name. */
  module(path: string): Grants | undefined {
    return this.#modules.get(path) ?? this.#modules.get(this.canonical(path));
  }

  /** Whether `path` names a module of the standard library or a well-known package. */
  isModule(path: string): boolean {
    return this.module(path) !== undefined || path === "os.path";
  }

  /** Whether `name` is one of Python's own functions or types. */
  isBuiltin(name: string): boolean {
    return this.#builtins.has(name);
  }

  /**
   * Whether `from module import *` may bind a name: one that the data names, or, if nothing else binds it, any of a module
   * whose members are not all named.
   */
  mayExport(module: string, name: string, isFree: boolean): boolean {
    const path = this.canonical(module);
    if (this.#members.has(`${path}.${name}`)) return true;
    const others =
      this.#others.get(path) ?? (this.#tables.has(path) ? HARMLESS : this.#modules.get(path));
    return isFree && others !== undefined && others.length > 0;
  }

  /** Whether `from module import *` may bind any name that matters. */
  hasExports(module: string): boolean {
    const path = this.canonical(module);
    return this.#owners.has(path) || this.#others.has(path) || this.#modules.has(path);
  }

  /** Whether nothing that is reached through `path` does anything, so that it need not be told apart from `path` itself. */
  isIdle(path: string): boolean {
    let idle = this.#idle.get(path);
    if (idle === undefined) remember(this.#idle, path, (idle = this.#reachesNothing(path)));
    return idle;
  }

  #reachesNothing(path: string): boolean {
    const full = this.canonical(path);
    return (
      this.lookup(full)?.length === 0 &&
      !this.isModule(full) &&
      !this.#inner.has(full) &&
      !this.#withMethods.some((module) => full.startsWith(`${module}.`))
    );
  }

  /** Whether the methods of what `path` makes are known one by one. */
  hasMembers(path: string): boolean {
    return this.#tables.has(this.canonical(path));
  }

  /**
   * What `path.name` is another name of: one of the data's `aliases`, or a module which other modules import and so expose
   * (`shutil.os` is `os`).
   */
  exposed(path: string, name: string): string | undefined {
    const alias = this.#aliases.get(`${path}.${name}`);
    if (alias !== undefined) return alias;
    const module = name.startsWith("_") && !this.#stdlib.has(name) ? name.slice(1) : name;
    if (
      !this.#reexported.has(module) ||
      path === module ||
      this.#members.has(`${this.canonical(path)}.${name}`) ||
      this.#tables.has(`${path}.${name}`)
    ) {
      return undefined;
    }
    const top = path.slice(0, (path.indexOf(".") + path.length + 1) % (path.length + 1));
    return this.#stdlib.has(top) || module === "os" || module === "sys" ? module : undefined;
  }

  /** What reaching an attribute of this name gives, whatever the object. */
  anyAttribute(
    name: string,
  ): { readonly grants: Grants; readonly when: string | null } | undefined {
    return this.#anyAttribute.get(name);
  }

  /** A method that is told by its name alone in a script that imports one of `modules`. */
  method(name: string, modules: ReadonlySet<string>): Method | undefined {
    return this.#methods.get(name)?.find(({ module }) => modules.has(module));
  }

  /** The class of what calling `path` gives, where the data says. */
  returns(path: string): string | undefined {
    return this.#returns.get(this.canonical(path));
  }

  /** The class of the property `path`, where the data says. */
  property(path: string): string | undefined {
    return this.#properties.get(this.canonical(path));
  }

  /** What merely importing a module does. */
  onImport(module: string): Grants {
    return this.#onImport.get(module) ?? HARMLESS;
  }
}

/** Exceptions are harmless whatever their module can do, and so are constants where the members are listed. */
function byForm(
  name: string,
  isListed: boolean,
): { readonly grants: Grants; readonly rule: string } | undefined {
  if (EXCEPTION.test(name)) return { grants: HARMLESS, rule: "exception" };
  return isListed && CONSTANT.test(name) ? { grants: HARMLESS, rule: "constant" } : undefined;
}

function remember<T>(answers: Map<string, T>, path: string, answer: T): void {
  if (answers.size >= MOST_ANSWERS) answers.clear();
  answers.set(path, answer);
}

function isCondition(text: string): text is Condition {
  return (CONDITIONS as readonly string[]).includes(text);
}

function ancestors(paths: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const path of paths) {
    for (let end = path.lastIndexOf("."); end > 0; end = path.lastIndexOf(".", end - 1)) {
      found.add(path.slice(0, end));
    }
  }
  return found;
}

function flatten(entries: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(entries).flatMap(([key, value]) =>
    key.split(" ").map((name): [string, string] => [name, value]),
  );
}

function memberTypes(
  entries: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Map<string, string> {
  const types = new Map<string, string>();
  for (const [classes, members] of Object.entries(entries)) {
    for (const owner of classes.split(" ")) {
      for (const [type, list] of Object.entries(members)) {
        for (const name of list.split(" ")) types.set(`${owner}.${name}`, type);
      }
    }
  }
  return types;
}

let shipped: CapabilityMap | undefined;

/** The map that comes with the analyser. */
export function capabilityMap(): CapabilityMap {
  return (shipped ??= new CapabilityMap(
    JSON.parse(readFileSync(new URL("../../data/capabilities.json", import.meta.url), "utf8")),
  ));
}
