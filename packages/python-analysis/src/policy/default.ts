import { readFileSync } from "node:fs";
import { parsePolicyDocument, type PolicyDocument } from "./document.js";
import type { Policy } from "./schema.js";

/** `data/default-policy.yaml`, as it is written. */
export const DEFAULT_POLICY_TEXT: string = readFileSync(
  new URL("../../data/default-policy.yaml", import.meta.url),
  "utf8",
);

/** The policy that is used where none is given. */
export const DEFAULT_POLICY_DOCUMENT: PolicyDocument = parsePolicyDocument(DEFAULT_POLICY_TEXT);

/** What {@link DEFAULT_POLICY_DOCUMENT} says for any namespace. */
export const DEFAULT_POLICY: Policy = DEFAULT_POLICY_DOCUMENT.base;
