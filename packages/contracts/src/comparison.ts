import { VERSION_STATES } from "@sluice/pipeline";
import { z } from "zod";
import { decision } from "./report.js";

const side = z.object({
  version: z.int(),
  sha256: z.string(),
  size: z.int().describe("In bytes"),
  state: z.enum(VERSION_STATES),
  upload_time: z.iso.datetime(),
});

function changed<Item extends z.ZodType>(item: Item) {
  return z.object({ added: z.array(item), removed: z.array(item) });
}
const named = changed(z.string());
const functionRef = z.object({
  qualified_name: z.string(),
  line_number: z.int(),
  signature: z.string(),
});
const counts = z.object({ error: z.int(), warning: z.int(), info: z.int() });

/** `GET /scripts/{id}/versions/{a}...{b}`. */
export const comparison = z
  .object({
    script_id: z.uuid(),
    filename: z.string(),
    from: side,
    to: side,
    identical: z.boolean().describe("Both have the same bytes"),
    source: z.object({
      diff: z
        .string()
        .nullable()
        .describe("Unified diff; empty where nothing differs; `null` where one is not text"),
      encodings: z
        .object({ from: z.string().nullable(), to: z.string().nullable() })
        .describe(
          "`null` for what is not text; what is not UTF-8 is compared decoded, its lines ended by LF",
        ),
      additions: z.int().nullable().describe("Lines"),
      deletions: z.int().nullable().describe("Lines"),
      minimal: z
        .boolean()
        .describe(
          "`false` where too much differs: what lies between the first and the last difference is replaced whole",
        ),
      truncated: z.boolean().describe("The diff lacks its end"),
    }),
    missing: z
      .array(
        z.object({
          version: z.int(),
          part: z.enum(["metadata", "report"]),
          reason: z.enum(["not_yet", "never"]),
        }),
      )
      .describe("What could not be compared, since one version lacks it"),
    functions: z
      .object({
        added: z.array(functionRef),
        removed: z.array(functionRef),
        changed: z.array(
          z.object({
            qualified_name: z.string(),
            from: functionRef,
            to: functionRef,
            what: z.array(z.enum(["signature", "decorators", "docstring", "complexity"])),
          }),
        ),
      })
      .nullable()
      .describe("By qualified name; `null` where the metadata of one is missing"),
    tools: named.extend({ changed: z.array(z.string()) }).nullable(),
    imports: named.nullable(),
    dependencies: named
      .extend({
        changed: z.array(z.object({ name: z.string(), from: z.string(), to: z.string() })),
      })
      .nullable(),
    capabilities: z
      .object({
        added: z.array(z.object({ capability: z.string(), decision })),
        removed: z.array(z.object({ capability: z.string(), decision })),
        changed: z.array(
          z.object({
            capability: z.string(),
            from: decision,
            to: decision,
            references: named.describe(
              "Names that it is used through, as far as the reports list them",
            ),
          }),
        ),
      })
      .nullable()
      .describe("`null` where the report of one is missing"),
    findings: z.object({ from: counts, to: counts, rules: named }).nullable(),
    lists_cut: z.boolean().describe("Some list above has only its first 500 entries"),
  })
  .meta({ id: "Comparison" });
export type Comparison = z.infer<typeof comparison>;
