import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** A real file of Python's standard library. */
export interface RealScript {
  /** Path below the library, with `_` for `/`, so that no two are the same. */
  readonly filename: string;
  readonly content: Buffer;
}

/**
 * Files of the standard library of the `python3` on PATH that it compiles itself, in a fixed order,
 * no two of the same bytes.
 */
export function realScripts(count: number): RealScript[] {
  const library = execFileSync(
    "python3",
    ["-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"],
    {
      encoding: "utf8",
    },
  ).trim();
  const paths = readdirSync(library, { recursive: true, encoding: "utf8" })
    .filter(
      (path) =>
        path.endsWith(".py") && !/(^|\/)(test|tests|idle_test|lib2to3|site-packages)\//.test(path),
    )
    .toSorted();
  const seen = new Set<string>();
  const scripts: RealScript[] = [];
  for (const path of paths) {
    const content = readFileSync(join(library, path));
    const key = content.toString("latin1");
    if (content.length === 0 || seen.has(key)) continue;
    seen.add(key);
    scripts.push({ filename: relative(".", path).replaceAll("/", "_"), content });
    if (scripts.length === count) return scripts;
  }
  throw new Error(`${library} holds only ${scripts.length} scripts`);
}
