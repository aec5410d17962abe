import { readFileSync } from "node:fs";
import { parsePolicy, type Policy } from "./schema.js";

/** The policy that is used where none is given: `data/default-policy.yaml`. */
export const DEFAULT_POLICY: Policy = parsePolicy(
  readFileSync(new URL("../../data/default-policy.yaml", import.meta.url), "utf8"),
);
