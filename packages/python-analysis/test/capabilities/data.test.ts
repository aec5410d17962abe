/** Whether data/capabilities.json is whole: held against the public names of the standard library of Python 3.8 to 3.14. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { capabilityMap } from "../../src/capabilities/map.js";
import { type CapabilityData, sortedData } from "./sorted-data.js";
import { stdlibNames } from "./stdlib-names.js";

const map = capabilityMap();
const data = JSON.parse(
  readFileSync(new URL("../../data/capabilities.json", import.meta.url), "utf8"),
) as CapabilityData;
const library = stdlibNames();
const isStdlib = (path: string): boolean => Object.hasOwn(data.stdlib, path.split(".", 1)[0]!);

/**
 * Why a public name is not decided; `undefined` if it is: because it is named, or a rule was chosen for the others of its very
 * module, or all of a package is harmless and no table says more of the module. What some member of the module can do, which
 * holds for private names, decides nothing.
 */
function undecided(module: string, name: string): string | undefined {
  const path = map.canonical(`${module}.${name}`);
  const owner = path.slice(0, path.lastIndexOf("."));
  const rule = map.rule(path);
  if (rule === path || rule === `${owner}.*` || rule === "exception") return undefined;
  const isHarmless = map.lookup(path)?.length === 0;
  if (rule === "constant") {
    // Constants are not in the fixture: this is a function or class, which only a rule for all others can decide.
    const others = map.lookup(`${owner}.other`);
    return name.startsWith("__") || (others && others.length === 0) ? undefined : rule;
  }
  return isHarmless && !map.hasMembers(owner) ? undefined : (rule ?? "unknown");
}

describe("the standard library", () => {
  test("is known by thousands of names", () => {
    expect(library.size).toBeGreaterThan(700);
    expect(library.get("os")?.has("startfile")).toBe(true);
    expect(library.get("ctypes")?.has("CDLL")).toBe(true);
    expect(library.get("asyncore")?.has("dispatcher")).toBe(true);
    expect(library.get("concurrent.interpreters")?.has("create")).toBe(true);
  });

  test("every public name of every module is decided", () => {
    const found: string[] = [];
    for (const [module, names] of library) {
      for (const name of names.keys()) {
        const reason = undecided(module, name);
        if (reason !== undefined) found.push(`${module}.${name}: ${reason}`);
      }
    }
    expect(found).toEqual([]);
  });

  test.each(["os.never_heard_of", "subprocess.frobnicate", "importlib.conjure"])(
    "%s would not be",
    (path) => {
      const dot = path.lastIndexOf(".");
      expect(undecided(path.slice(0, dot), path.slice(dot + 1))).toBeDefined();
    },
  );

  test("the data has no public name that the library has not", () => {
    const unheard: string[] = [];
    for (const [owners, entries] of Object.entries(data.members)) {
      const sharing = owners.split(" ").filter(isStdlib);
      if (sharing.length === 0) continue;
      for (const name of Object.keys(entries).flatMap((names) => names.split(" "))) {
        if (
          name !== "*" &&
          !name.startsWith("_") &&
          !sharing.some((owner) => isKnown(`${owner}.${name}`))
        )
          unheard.push(`${owners}: ${name}`);
      }
    }
    expect(unheard).toEqual([]);
  });
});

/** Every path of the library by which the data may know it: modules, what is in them, and methods of classes. */
const paths = new Set<string>(
  [...library].flatMap(([module, names]) => [
    module,
    ...[...names].flatMap(([name, methods]) => {
      const path = map.canonical(`${module}.${name}`);
      return [path, ...methods.map((method) => `${path}.${method}`)];
    }),
  ]),
);

/** Real names that the fixture cannot show: left out of it, no function or class by their form, or gone before Python 3.8. */
const APART =
  /^(?:_overlapped\.|idlelib\.|lib2to3\.|test\.|sys\.(?:frozen|registry)$|os\.popen[234]$|platform\.popen$|sys\.monitoring$|tkinter\.T(?:cl|k)\.|unittest\.mock\.patch\.|builtins\.(?:execfile|raw_input|reload)$|urllib\.(?:FancyURLopener|URLopener|urlopen|urlretrieve)$)/;
/** What every mapping has. */
const MAPPING = /^os\.environb?\.(?:clear|pop|popitem|setdefault|update)$/;

/** Whether the library has a path; a name of a package may be that of a module in it. */
function isKnown(path: string): boolean {
  return (
    paths.has(path) ||
    APART.test(path) ||
    MAPPING.test(path) ||
    [...library.keys()].some((module) => module.startsWith(`${path}.`))
  );
}

describe("the form of the data", () => {
  test("it is in order: npm run sort:capabilities puts it so", () => {
    expect(JSON.stringify(data, null, 1)).toBe(JSON.stringify(sortedData(data), null, 1));
  });

  test("no name is in two places of a table", () => {
    const twice: string[] = [];
    for (const [section, tables] of Object.entries({
      members: data.members,
      methods: data.methods,
    }))
      for (const [owner, table] of Object.entries(tables)) {
        const names = Object.keys(table).flatMap((key) => key.split(" "));
        for (const name of names.filter((each, i) => names.indexOf(each) !== i))
          twice.push(`${section} ${owner}: ${name}`);
      }
    const owners = Object.keys(data.members).flatMap((key) => key.split(" "));
    twice.push(...owners.filter((each, i) => owners.indexOf(each) !== i));
    expect(twice).toEqual([]);
  });

  test("tables and classes are named by their own paths, not by aliases", () => {
    const named = [data.members, data.returns, data.properties].flatMap((section) =>
      Object.keys(section).flatMap((key) => key.split(" ")),
    );
    const types = [data.returns, data.properties].flatMap((section) =>
      Object.values(section).flatMap((types) => Object.keys(types)),
    );
    expect([...named, ...types].filter((path) => map.canonical(path) !== path)).toEqual([]);
    expect(types.filter((path) => !map.hasMembers(path))).toEqual([]);
  });

  test("each table belongs to a module that the data knows", () => {
    const owners = Object.keys(data.members).flatMap((key) => key.split(" "));
    // What is reached through `ctypes` is no Python module.
    const known = { ...data.stdlib, ...data.pypi, libc: [] };
    expect(owners.filter((path) => !Object.hasOwn(known, path.split(".", 1)[0]!))).toEqual([]);
  });
});
