import { VERSION_STATES } from "@sluice/pipeline";
import { z } from "zod";
import { decision } from "./report.js";

/** A policy of whatever kind that is or was in force. */
export const historicPolicy = z.object({
  id: z.int().describe("Grows with each policy that comes into force"),
  name: z.string(),
  version: z
    .string()
    .describe("The version that is written in it, with a hash of all that it says"),
  activated_at: z.iso.datetime(),
  activated_by: z
    .string()
    .describe("Who put it in force; `POLICY_FILE` or `default` where a start of Sluice did"),
});

/** As it was written, in YAML or JSON. */
export const policySource = z.string().describe("As it was written, in YAML or JSON");

/** A policy that is or was in force. */
export const policySummary = historicPolicy.extend({
  applied_at: z.iso
    .datetime()
    .nullable()
    .describe("Since when all that is stored stands by it; `null` where that never came to be"),
  judged: z.int().describe("Stored versions that were judged by it anew"),
  changed: z.int().describe("How many of them changed state"),
});
export type PolicySummary = z.infer<typeof policySummary>;

/** `GET /policy`. */
export const policyInForce = policySummary
  .extend({
    source: policySource,
    outdated: z.int().describe("Stored versions that still stand by an older policy"),
    under_way: z
      .int()
      .describe("Versions in the pipeline that will be judged by it once they are through"),
  })
  .meta({ id: "PolicyInForce" });
export type PolicyInForce = z.infer<typeof policyInForce>;

/** `GET /policies/{id}`. */
export const writtenPolicy = policySummary
  .extend({ source: policySource })
  .meta({ id: "WrittenPolicy" });
export type WrittenPolicy = z.infer<typeof writtenPolicy>;

export const policyList = z
  .object({
    items: z.array(policySummary),
    next_cursor: z.string().nullable().describe("`null` on the last page"),
  })
  .meta({ id: "PolicyList" });
export type PolicyList = z.infer<typeof policyList>;

/** Something that a policy decides otherwise than the one that a version stands by. */
export const policyReason = z.object({
  kind: z.enum(["capability", "import", "rule"]),
  name: z.string().describe("Of the capability, the module, or the rule that refuses the script"),
  from: decision.nullable().describe("`null` where there was nothing to say"),
  to: decision.nullable(),
});
export type PolicyReason = z.infer<typeof policyReason>;

const state = z.enum(VERSION_STATES);

/** `PUT /policy?dry_run=true`. */
export const policyDryRun = z
  .object({
    version: z.string().describe("That the policy would have"),
    counts: z
      .object({
        versions: z.int().describe("Stored versions that the policy would judge"),
        unknown: z
          .int()
          .describe(
            "How many of them would go through the pipeline again, since they were analysed by an older Sluice",
          ),
        transitions: z.array(z.object({ from: state, to: state, count: z.int() })),
      })
      .nullable()
      .describe("`null` on all pages but the first"),
    items: z
      .array(
        z.object({
          script_id: z.uuid(),
          version: z.int(),
          namespace: z.string(),
          filename: z.string(),
          from: state,
          to: state,
          reasons: z.array(policyReason).describe("At most 20"),
        }),
      )
      .describe("Versions that would change state"),
    next_cursor: z.string().nullable().describe("`null` on the last page"),
  })
  .meta({ id: "PolicyDryRun" });
export type PolicyDryRun = z.infer<typeof policyDryRun>;
