import { VERSION_STATES } from "@sluice/pipeline";
import { z } from "zod";
import { instant } from "./instant.js";
import { line, paragraphs } from "./text.js";

export const APPROVAL_DECISIONS = ["granted", "refused"] as const;
export const approvalDecision = z.enum(APPROVAL_DECISIONS, "must be granted or refused");
export type ApprovalDecision = z.infer<typeof approvalDecision>;

const LONGEST_REASON = 2_000;
const MOST_NAMES = 1_000;

function names(what: string, group: string) {
  return z
    .array(line(300).min(1, "must not be empty"))
    .max(MOST_NAMES, `must be at most ${MOST_NAMES}`)
    .refine((list) => new Set(list).size === list.length, "must each be there once")
    .default([])
    .describe(`${what}, groups of them such as \`${group}\`, or \`*\` for all that are asked for`);
}

/** What `POST /scripts/{id}/approvals` takes. */
export const approvalRequest = z
  .strictObject({
    version: z
      .int("must be a whole number")
      .min(1, "must be at least 1")
      .max(2_147_483_647, "must be at most 2147483647")
      .optional()
      .describe("The newest if not said"),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits in lower case")
      .optional()
      .describe("Of the bytes that were looked at: 409 where the version has others"),
    decision: approvalDecision,
    capabilities: names("Capabilities that the version asks for", "filesystem.*"),
    imports: names("Modules that the version asks to import", "google.cloud.*"),
    reason: paragraphs(LONGEST_REASON)
      .refine((text) => text.trim() !== "", "must not be empty")
      .describe("For whoever reads the audit log"),
    expires_at: instant
      .meta({
        type: ["string", "null"],
        format: "date-time",
        description: "When the decision ends",
      })
      .nullish(),
  })
  .refine(
    ({ capabilities, imports }) => capabilities.length + imports.length > 0,
    "must name at least one capability or import",
  )
  .meta({ id: "ApprovalRequest" });
export type ApprovalRequest = z.output<typeof approvalRequest>;

const madeOn = {
  approval_id: z.uuid(),
  version: z.int().describe("The version that it was made on"),
  decision: approvalDecision,
  reason: z.string(),
  actor: z.string().describe("Who decided, as in the audit log"),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
};

/** A person's decision, as it bears on one thing that a version asks for. */
export const itemDecision = z.object(madeOn).meta({ id: "ItemDecision" });
export type ItemDecision = z.infer<typeof itemDecision>;

const references = z
  .array(z.string())
  .describe("The resolved names that it is used through, sorted, each once");
const newReferences = z
  .array(z.string())
  .describe("Those that nobody has decided on for an earlier version");
const previously = itemDecision
  .nullable()
  .describe("The latest decision on it that does not hold here, ended ones included");

const decidedItems = z.object({
  capabilities: z.array(z.object({ capability: z.string(), references, decision: itemDecision })),
  imports: z.array(z.object({ module: z.string(), decision: itemDecision })),
});

/** What a version needs approval for, and how that stands. */
export const approvalStanding = z
  .object({
    asked: z
      .object({
        capabilities: z.array(
          z.object({
            capability: z.string(),
            references,
            new_references: newReferences,
            previously,
          }),
        ),
        imports: z.array(z.object({ module: z.string(), previously })),
      })
      .describe("What is still to be decided"),
    granted: decidedItems,
    refused: decidedItems,
  })
  .meta({ id: "ApprovalStanding" });
export type ApprovalStanding = z.infer<typeof approvalStanding>;

/** A person's decision on capabilities and imports of one script. */
export const approval = z
  .object({
    script_id: z.uuid(),
    sha256: z.string().describe("Of the version that it was made on"),
    capabilities: z.array(z.object({ capability: z.string(), references })),
    imports: z.array(z.string()),
    ...madeOn,
    expired: z.boolean().describe("Its end date is over"),
  })
  .meta({ id: "Approval" });
export type Approval = z.infer<typeof approval>;

/** What `POST /scripts/{id}/approvals` answers. */
export const recordedApproval = approval
  .extend({ state: z.enum(VERSION_STATES).describe("Of the version, after it") })
  .meta({ id: "RecordedApproval" });
export type RecordedApproval = z.infer<typeof recordedApproval>;

export const approvalList = z
  .object({
    items: z.array(approval),
    next_cursor: z.string().nullable().describe("`null` on the last page"),
  })
  .meta({ id: "ApprovalList" });
export type ApprovalList = z.infer<typeof approvalList>;
