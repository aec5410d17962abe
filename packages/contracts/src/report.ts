import { VERDICTS } from "@sluice/pipeline";
import { z } from "zod";
import { approvalStanding } from "./approvals.js";
import { importOrigin } from "./metadata.js";

/** How bad a finding is. Only `error` can make a script `invalid` or `refused`. */
export const severity = z.enum(["error", "warning", "info"]);

/** One thing validation has to say. Lines and columns count from 1, columns in Unicode code points. */
export const finding = z.object({
  rule: z.string().describe("Stable id of the rule, such as `imports.not-allowed`"),
  severity,
  confidence: z.enum(["high", "medium", "low"]),
  message: z.string(),
  line: z.int().nullable(),
  column: z.int().nullable(),
  end_line: z.int().nullable(),
  end_column: z.int().nullable(),
  why: z
    .string()
    .nullable()
    .describe("Why it matters; `null` in reports that were stored before findings said it"),
  help: z.string().nullable().describe("What to do about it"),
  cwe: z.int().nullable().describe("Number in the Common Weakness Enumeration"),
});
export type Finding = z.infer<typeof finding>;

export const decision = z.enum(["allowed", "needs_approval", "refused"]);

/** Something the script can do to the world, and where. */
export const capabilityUse = z.object({
  reference: z.string().describe("The resolved name, such as `os.system`"),
  line: z.int(),
  column: z.int(),
  chain: z
    .array(z.string())
    .describe("How the name was reached, such as `o.system ← import os as o`"),
});
export const capability = z.object({
  capability: z.string(),
  decision,
  uses: z.array(capabilityUse),
});
export type Capability = z.infer<typeof capability>;

/** A module that the script imports, where it does so first. */
export const judgedImport = z.object({
  module: z.string().describe("As written, with the dots of a relative import"),
  line: z.int(),
  column: z.int(),
  origin: z
    .enum([...importOrigin.options, "allow_listed"])
    .describe(
      "As in the metadata; `allow_listed` for what would be `unknown` but the policy names",
    ),
  distribution: z
    .string()
    .nullable()
    .describe("Canonical name of the distribution that presumably installs it"),
  decision,
});
export type JudgedImport = z.infer<typeof judgedImport>;

export const complexity = z.object({
  lines: z.int(),
  functions: z.int(),
  classes: z.int(),
  max_nesting: z.int(),
  max_mccabe: z.int(),
  max_cognitive: z.int(),
});
export type Complexity = z.infer<typeof complexity>;

export const syntaxError = z.object({
  type: z.string().describe("Python's exception class, such as `IndentationError`"),
  message: z.string(),
  line: z.int().nullable(),
  column: z.int().nullable(),
});

/** What validation found out about some bytes, whoever uploaded them. */
export const analysisReport = z.object({
  analyser_version: z.string(),
  python_version: z.string(),
  policy: z.object({ name: z.string(), version: z.string() }),
  verdict: z.enum(VERDICTS),
  syntax: z.object({ valid: z.boolean(), error: syntaxError.nullable() }),
  findings: z.array(finding),
  capabilities: z.array(capability),
  imports: z.array(judgedImport).describe("In order of place, each module once"),
  complexity: complexity.nullable().describe("`null` where the script does not parse"),
});
export type AnalysisReport = z.infer<typeof analysisReport>;

/** `GET /scripts/{id}/report`. */
export const report = analysisReport
  .extend({
    script_id: z.uuid(),
    version: z.int(),
    sha256: z.string(),
    approval: approvalStanding
      .nullable()
      .describe("What people have decided; `null` where the verdict is not `needs_approval`"),
  })
  .meta({ id: "Report" });
export type Report = z.infer<typeof report>;
