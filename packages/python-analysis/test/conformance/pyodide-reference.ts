import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";
import type { Reference } from "./structure.js";

const SCRIPTS = ["cognitive_complexity_reference.py", "dump_structure.py"];

const ASK = `
import json, sys, warnings, zipfile
warnings.simplefilter("ignore")
import dump_structure

library = next(path for path in sys.path if path.endswith(".zip"))

def bundled():
    return json.dumps([name for name in zipfile.ZipFile(library).namelist() if name.endswith(".py")])

def read(name):
    return zipfile.ZipFile(library).read(name)

def read_text(name):
    return read(name).decode()

def ask(name, raw):
    return json.dumps({"file": name, **dump_structure.dump(raw.to_bytes() if hasattr(raw, "to_bytes") else raw, name)})
`;

/** The very Python that judges scripts, asked what its `ast` says. */
export class PyodideReference {
  private constructor(
    readonly ask: (name: string, source: Uint8Array) => Reference,
    /** Asks about a file of {@link library}. */
    readonly askBundled: (name: string) => Reference,
    /** The text of a file of {@link library}. */
    readonly read: (name: string) => string,
    /** The files of its own standard library. */
    readonly library: readonly string[],
  ) {}

  /** @param packages - directory of Python packages that are to be found, such as `mccabe` */
  static async start(packages?: string): Promise<PyodideReference> {
    const indexURL = dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));
    const pyodide = await loadPyodide({ indexURL });
    for (const script of SCRIPTS) {
      const source = readFileSync(fileURLToPath(new URL(script, import.meta.url)));
      pyodide.FS.writeFile(`/home/pyodide/${script}`, new Uint8Array(source));
    }
    if (packages !== undefined) {
      pyodide.mountNodeFS("/packages", packages);
      pyodide.runPython("import sys; sys.path.append('/packages')");
    }
    pyodide.runPython(ASK);
    const ask = pyodide.globals.get("ask") as (name: string, source: unknown) => string;
    const read = pyodide.globals.get("read") as (name: string) => unknown;
    const readText = pyodide.globals.get("read_text") as (name: string) => string;
    const library = JSON.parse(pyodide.runPython("bundled()") as string) as string[];
    return new PyodideReference(
      (name, source) => JSON.parse(ask(name, source)) as Reference,
      (name) => JSON.parse(ask(name, read(name))) as Reference,
      readText,
      library.toSorted(),
    );
  }
}
