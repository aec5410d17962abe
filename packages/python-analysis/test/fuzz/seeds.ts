import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FIXTURES = fileURLToPath(new URL("../fixtures/structure/", import.meta.url));

/** Real Python to begin with: small files below a directory, or the fixtures of the structure tests. */
export function readSeeds(directory = FIXTURES, limit = 300): Uint8Array[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".py"))
    .map((name) => readFileSync(join(directory, name)))
    .filter(({ length }) => length < 10_000)
    .slice(0, limit);
}
