import { z } from "zod";

/** Something that was deleted and is kept for a while: a script with all its versions, or one version of a script. */
export const trashItem = z.object({
  script_id: z.uuid(),
  version: z.int().nullable().describe("`null` where the script is deleted as a whole"),
  namespace: z.string(),
  filename: z.string().describe("The name that it had"),
  deleted_at: z.iso.datetime(),
  deleted_by: z.string().describe("As in the audit log; `retention` where a rule did it"),
  reason: z.string().nullable().describe("What whoever deleted it has said"),
  rule: z.string().nullable().describe("Name of the rule; `null` where a person deleted it"),
  policy_id: z
    .int()
    .nullable()
    .describe("Of the retention policy that has the rule; `GET /retention_policies/{id}` has it"),
  purge_at: z.iso
    .datetime()
    .describe("From then on it is purged, and cannot be brought back any more"),
  legal_hold: z.boolean().describe("It stays until the hold is lifted, whatever `purge_at` says"),
  restorable: z.boolean().describe("Purging it has not begun"),
  versions: z.int(),
  bytes: z.int().describe("Of these versions, as uploaded"),
});
export type TrashItem = z.infer<typeof trashItem>;

/** `GET /trash`. */
export const trashList = z
  .object({
    items: z.array(trashItem),
    next_cursor: z.string().nullable().describe("`null` on the last page"),
  })
  .meta({ id: "TrashList" });
export type TrashList = z.infer<typeof trashList>;
