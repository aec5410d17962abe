import { analysisMetadata } from "./metadata.js";
import { analysisReport } from "./report.js";
import { scriptDetails } from "./scripts.js";
import { userFields } from "./user-metadata.js";

const FOUND: ReadonlySet<string> = new Set(
  Object.keys({ ...analysisMetadata.shape, ...analysisReport.shape }),
);
const RECORDED: ReadonlySet<string> = new Set(Object.keys(scriptDetails.shape));

/** Why something that a client sent among the user's fields cannot be written. */
export function whyNotWritable(field: string): string {
  if (FOUND.has(field)) return "is what the analysis found, and is read-only";
  if (RECORDED.has(field)) return "is what Sluice recorded, and is read-only";
  if (field === "user") return "is not to be sent; send what is in it as the body itself";
  return `is not a field that can be written; ${Object.keys(userFields.shape).join(", ")} are`;
}
