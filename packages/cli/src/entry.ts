import { analysisMetadata, analysisReport, toolDescription } from "@sluice/contracts";
import { z } from "zod";

/** Why there is no report of a file. */
export const entryError = z.object({
  code: z
    .enum(["not-found", "not-permitted", "not-a-file", "too-large", "unreadable", "internal"])
    .describe("`internal`: a fault of Sluice; the others: the file could not be read"),
  message: z.string(),
});
export type EntryError = z.infer<typeof entryError>;

/**
 * What is said of one file: a line of `--format ndjson`, an element of the array of `--format json`.
 *
 * `report` is `null` where the file could not be read or Sluice failed on it; `metadata` is `null` then too, where the report
 * finds the script invalid, and where it tells that the script killed the parser of its metadata. `error` says why there is no
 * report, and is there only where there is none.
 */
export const entry = z.strictObject({
  file: z
    .string()
    .describe(
      "The name as it was given or found; bytes of it that are no UTF-8 are lone surrogates, as PEP 383 has them",
    ),
  report: analysisReport.nullable(),
  metadata: analysisMetadata
    .extend({ tools: z.array(toolDescription).describe("Those of the profile asked for") })
    .nullable(),
  error: entryError.optional(),
});
export type Entry = z.infer<typeof entry>;
export type EntryMetadata = NonNullable<Entry["metadata"]>;
