import { z } from "zod";

/** What the audit log remembers. An action is a promise: it is never renamed and never means something else. */
export const AUDIT_ACTIONS = [
  "approval.granted",
  "approval.refused",
  "approval.expired",
  "legal_hold.placed",
  "legal_hold.lifted",
  "policy.activated",
  "metadata.bulk_started",
  "metadata.bulk_cancelled",
  /** A deleted script came back. */
  "script.undeleted",
  /** It has followed its file in a watched directory to another name or folder. */
  "script.renamed",
  /** What of a script was gone was brought back from the backup: `details` say which versions, of which export. */
  "script.restored",
  "version.undeleted",
  /** Its time in the trash was over, and it is gone: `details` say what was known of it. */
  "script.purged",
  "version.purged",
  "retention_policy.activated",
  /** Somebody let go on what the clean-up by the retention policy has stopped at. */
  "retention.confirmed",
  /** A script went into the trash: `details` say by which rule of which policy, where no person did it. */
  "script.deleted",
  /** A version went into the trash, or moved to the archive. */
  "version.deleted",
  "version.archived",
  /** A version that was over got another state: by a decision, its end, or a changed policy. */
  "version.state_changed",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** One entry of the audit log. */
export const auditEntry = z
  .object({
    id: z.int().describe("Grows from entry to entry"),
    at: z.iso.datetime(),
    actor: z
      .string()
      .describe(
        "The name of the API key that was sent, or `key:` and a part of its hash where it has none; `local` where none is asked for; `janitor`",
      ),
    action: z.enum(AUDIT_ACTIONS),
    script_id: z.uuid().nullable().describe("It may be deleted since"),
    version: z.int().nullable(),
    sha256: z.string().nullable().describe("Of the version's bytes"),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "AuditEntry" });
export type AuditEntry = z.infer<typeof auditEntry>;

/** `GET /audit`. */
export const auditList = z
  .object({
    items: z.array(auditEntry),
    next_cursor: z.string().nullable().describe("`null` on the last page"),
  })
  .meta({ id: "AuditList" });
export type AuditList = z.infer<typeof auditList>;
