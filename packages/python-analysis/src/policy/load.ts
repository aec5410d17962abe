import { readFile } from "node:fs/promises";
import { DEFAULT_POLICY } from "./default.js";
import { parsePolicy, type Policy } from "./schema.js";

/**
 * Reads the policy that a setting names, or the one that comes with Sluice.
 *
 * @param file - path of a policy in YAML or JSON
 * @throws PolicyError that names every mistake; the file system's own error where it cannot be read
 */
export async function loadPolicy(file: string | undefined): Promise<Policy> {
  return file === undefined ? DEFAULT_POLICY : parsePolicy(await readFile(file, "utf8"));
}
