import { readFile } from "node:fs/promises";
import { DEFAULT_POLICY_TEXT } from "./default.js";
import { parsePolicyDocument, type PolicyDocument } from "./document.js";

/** A policy with the text that it was read from. */
export interface LoadedPolicy {
  readonly document: PolicyDocument;
  readonly source: string;
}

/**
 * Reads the policy that a setting names, or the one that comes with Sluice.
 *
 * @param file - path of a policy in YAML or JSON
 * @throws PolicyError that names every mistake; the file system's own error where it cannot be read
 */
export async function loadPolicy(file: string | undefined): Promise<LoadedPolicy> {
  const source = file === undefined ? DEFAULT_POLICY_TEXT : await readFile(file, "utf8");
  return { document: parsePolicyDocument(source), source };
}
