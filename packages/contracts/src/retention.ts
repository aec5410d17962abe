import { VERSION_STATES } from "@sluice/pipeline";
import { z } from "zod";
import { legalHold } from "./legal-hold.js";
import { historicPolicy, policySource } from "./policies.js";
import { line, paragraphs } from "./text.js";

const nextCursor = z.string().nullable().describe("`null` on the last page");
const action = z.enum(["keep", "archive", "delete"]);
const rule = z.string().describe("Name of the rule");

/** Why nothing is removed until somebody confirms it. */
const pause = z.object({
  id: z.string().describe("To be sent with `POST /retention/confirm`"),
  at: z.iso.datetime(),
  reason: z
    .enum(["too_many", "clock"])
    .describe("More would go than the policy's brakes allow, or the clock has jumped"),
  message: z.string(),
  removals: z
    .int()
    .nullable()
    .describe("Versions that would go; `null` where that was not counted"),
  of: z.int().nullable().describe("Of how many"),
});

/** What one round over all scripts has done. */
const round = z.object({
  policy_id: z.int(),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  versions: z.int().describe("Versions that were looked at"),
  scripts_deleted: z.int(),
  versions_deleted: z.int(),
  versions_archived: z.int(),
  left: z
    .int()
    .describe("Due, and left for the next round: something has changed, or could not be checked"),
});

/** `GET /retention`. */
export const retention = z
  .object({
    policy: historicPolicy
      .extend({ source: policySource })
      .nullable()
      .describe("`null` where there never was one: everything is kept"),
    pause: pause.nullable(),
    last_round: round.nullable(),
  })
  .meta({ id: "Retention" });
export type Retention = z.infer<typeof retention>;

export const retentionPolicyList = z
  .object({ items: z.array(historicPolicy), next_cursor: nextCursor })
  .meta({ id: "RetentionPolicyList" });
export type RetentionPolicyList = z.infer<typeof retentionPolicyList>;

/** `GET /retention_policies/{id}`. */
export const writtenRetentionPolicy = historicPolicy
  .extend({ source: policySource })
  .meta({ id: "WrittenRetentionPolicy" });
export type WrittenRetentionPolicy = z.infer<typeof writtenRetentionPolicy>;

/** What `POST /retention/confirm` takes. */
export const retentionConfirmation = z
  .strictObject({
    pause_id: line(100).describe("Of the pause that was looked at: 409 where it is another by now"),
    reason: paragraphs(2_000)
      .refine((text) => text.trim() !== "", "must not be empty")
      .describe("For whoever reads the audit log"),
  })
  .meta({ id: "RetentionConfirmation" });

const bytes = (what: string) => z.int().describe(what);

/** `PUT /retention?dry_run=true`. */
export const retentionDryRun = z
  .object({
    version: z.string().describe("That the policy would have"),
    at: z.iso.datetime().describe("The moment that is looked at, the same on all pages"),
    counts: z
      .object({
        scripts: z.int().describe("Scripts that were looked at"),
        versions: z.int().describe("Their versions"),
        scripts_deleted: z.int(),
        versions_deleted: z.int().describe("Those of deleted scripts included"),
        versions_archived: z.int(),
        freed_bytes: bytes(
          "What the object store gets back once the trash is emptied. Bytes that another version keeps are not counted, nor " +
            "those that more than 100 scripts share",
        ),
        archived_bytes: bytes(
          "What would move to the archive, as stored now; it gets smaller there",
        ),
      })
      .describe("Of this page; they add up over all pages"),
    items: z.array(
      z.object({
        script_id: z.uuid(),
        namespace: z.string(),
        filename: z.string(),
        version: z.int().nullable().describe("`null` where the script goes as a whole"),
        action: z.enum(["archive", "delete"]),
        rule,
      }),
    ),
    next_cursor: nextCursor,
  })
  .meta({ id: "RetentionDryRun" });
export type RetentionDryRun = z.infer<typeof retentionDryRun>;

/** Why nothing happens to something that a rule would delete or archive. */
export const RETENTION_PROTECTIONS = [
  /** Nothing overrides it. */
  "legal_hold",
  "pinned",
  "needs_approval",
  "newest_version",
  /** It is on its way through the pipeline; nothing overrides it. */
  "unfinished",
  /** An earlier rule keeps a version of the script, which therefore cannot go as a whole. */
  "version_kept",
] as const;
export type RetentionProtection = (typeof RETENTION_PROTECTIONS)[number];

const outlook = z.object({
  from: z.iso
    .datetime()
    .nullable()
    .describe("Since when or from when; `null` where time has no part in it"),
  action,
  rule: rule.nullable().describe("`null` where no rule matches, and it is kept"),
  whole: z.boolean().describe("The script as a whole goes"),
  protected_by: z
    .array(z.enum(RETENTION_PROTECTIONS))
    .describe("Why it does not happen all the same; empty where it does"),
});

const outlooks = z
  .array(outlook)
  .describe(
    "What holds now, and what takes its place if nobody touches or uses the script any more",
  );

/** `GET /scripts/{id}/retention`. */
export const scriptRetention = z
  .object({
    script_id: z.uuid(),
    namespace: z.string().nullable().describe("`null` where nothing tells of it any more"),
    filename: z.string().nullable(),
    standing: z
      .enum(["stored", "in_trash", "gone"])
      .describe("`gone` where only the audit log knows of it"),
    deleted_at: z.iso.datetime().nullable(),
    purge_at: z.iso
      .datetime()
      .nullable()
      .describe("Of a script in the trash: from then on it is purged, unless it is held"),
    deleted_versions: z
      .array(
        z.object({
          version: z.int(),
          deleted_at: z.iso.datetime(),
          purge_at: z.iso.datetime(),
        }),
      )
      .describe("Versions in the trash, those first that were deleted last; 100 at most"),
    policy: z
      .object({ id: z.int(), name: z.string(), version: z.string() })
      .nullable()
      .describe("The policy in force; `null` where there is none"),
    paused: z.boolean().describe("Nothing is removed until somebody confirms it"),
    legal_hold: legalHold.nullable(),
    pinned: z.boolean(),
    last_used_at: z.iso
      .datetime()
      .nullable()
      .describe("A minute late at most; `null` where it never was"),
    script: outlooks.describe("Of the script as a whole, by the rules of scripts"),
    versions: z
      .array(
        z.object({
          version: z.int(),
          state: z.enum(VERSION_STATES),
          upload_time: z.iso.datetime(),
          archived: z.boolean(),
          outlook: outlooks,
        }),
      )
      .describe("Newest first, a page of them"),
    next_cursor: nextCursor,
    history: z
      .array(
        z.object({
          at: z.iso.datetime(),
          actor: z.string().describe("`retention` where a rule did it"),
          action: z.string().describe("As in the audit log"),
          version: z.int().nullable(),
          rule: rule.nullable(),
          policy_id: z
            .int()
            .nullable()
            .describe("`GET /retention_policies/{id}` has it as it was written"),
          policy_version: z.string().nullable(),
          reason: z.string().nullable(),
        }),
      )
      .describe("What was done to it, newest first, the last 100 entries; all is in the audit log"),
  })
  .meta({ id: "ScriptRetention" });
export type ScriptRetention = z.infer<typeof scriptRetention>;
