/**
 * Writes test/fixtures/stdlib-names.json: the public names of every module of Python's standard library, on every platform, from
 * 3.8 to the version that judges scripts.
 *
 *     npm run fixtures:stdlib -w packages/python-analysis -- STUBS [PYTHON…]
 *
 * STUBS is the folder `stdlib` of typeshed; the npm package pyright carries it as `dist/typeshed-fallback/stdlib` (the fixture was
 * made from that of pyright 1.1.414, whose typeshed is 289e5d3568961c8bcd33d01eef5b7ec5e1ad33ad). Each PYTHON is an older Python
 * whose library is to be known, too (it was made with CPython 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1 and 3.13.0 for Linux).
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";

/** Module → name → members of a class, `null` for anything else. */
type Names = Readonly<Record<string, Readonly<Record<string, readonly string[] | null>>>>;

const SCRIPT = fileURLToPath(new URL("stdlib_names.py", import.meta.url));
const FIXTURE = fileURLToPath(new URL("../fixtures/stdlib-names.json", import.meta.url));

const [stubs, ...pythons] = process.argv.slice(2);
if (stubs === undefined) throw new Error("say where typeshed's folder stdlib is");

const indexURL = dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));
const pyodide = await loadPyodide({ indexURL });
pyodide.FS.writeFile("/home/pyodide/stdlib_names.py", new Uint8Array(readFileSync(SCRIPT)));
pyodide.mountNodeFS("/stubs", resolve(stubs));
const ask = (call: string): Names =>
  JSON.parse(
    pyodide.runPython(`import json, stdlib_names; json.dumps(stdlib_names.${call})`) as string,
  ) as Names;

const all = [
  ask("names('/stubs')"),
  ask("names()"),
  ...pythons.map(
    (python): Names =>
      JSON.parse(
        execFileSync(python, ["-I", "-S", SCRIPT], { encoding: "utf8", maxBuffer: 100_000_000 }),
      ) as Names,
  ),
];

const merged = new Map<string, Map<string, Set<string> | null>>();
for (const names of all) {
  for (const [module, members] of Object.entries(names)) {
    const into = merged.get(module) ?? new Map<string, Set<string> | null>();
    merged.set(module, into);
    for (const [name, attributes] of Object.entries(members)) {
      const known = into.get(name);
      into.set(name, attributes ? new Set([...(known ?? []), ...attributes]) : (known ?? null));
    }
  }
}

const sorted = <T>(entries: Iterable<readonly [string, T]>): (readonly [string, T])[] =>
  [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
const fixture = Object.fromEntries(
  sorted(merged).map(([module, names]) => [
    module,
    sorted(names)
      .map(([name, members]) =>
        members?.size ? `${name}(${[...members].toSorted().join(" ")})` : name,
      )
      .join(" "),
  ]),
);
writeFileSync(FIXTURE, `${JSON.stringify(fixture, null, 1)}\n`);
