/** The same change of the user's fields to every script that a filter selects. */
import { VERSION_STATES } from "@sluice/pipeline";
import { z } from "zod";
import { instant } from "./instant.js";
import { mergePatch } from "./merge-patch.js";
import { namespace } from "./parameters.js";
import { line } from "./text.js";
import {
  fieldChange,
  labelName,
  labelValue,
  tag,
  type UserFields,
  userFields,
  userFieldsPatch,
} from "./user-metadata.js";
import { whyNotWritable } from "./writable-fields.js";

const date = (description: string) =>
  instant.optional().meta({ type: "string", format: "date-time", description });

const scriptSelection = z
  .strictObject({
    all: z
      .literal(true, "must be true where it is there")
      .optional()
      .describe("Every script; for want of any other criterion"),
    state: z
      .array(z.enum(VERSION_STATES, `must be one of ${VERSION_STATES.join(", ")}`))
      .min(1, "must not be empty")
      .optional(),
    name: line(255)
      .min(1, "must not be empty")
      .optional()
      .describe("Part of the file name, case ignored"),
    namespace: namespace.optional(),
    batch: z.uuid("must be a UUID").optional(),
    since: date("Uploaded then or later"),
    until: date("Uploaded before then"),
    tags: z
      .array(tag)
      .min(1, "must not be empty")
      .max(50, "must have at most 50 entries")
      .optional()
      .describe("All of them"),
    labels: z.record(labelName, labelValue).optional().describe("All of them"),
    owner: line(200).min(1, "must not be empty").optional(),
    pinned: z.boolean().optional(),
  })
  .refine(
    (filter) => Object.values(filter).some((value) => value !== undefined),
    "must have a criterion, or `all`",
  )
  .describe(
    "What the newest version and the user's fields of a script must be; all that is named must hold",
  );

const someTags = z.array(tag).max(50, "must have at most 50 entries").default([]);

/** What `POST /metadata/changes` is asked. */
export const bulkChangeRequest = z
  .strictObject({
    filter: scriptSelection,
    patch: userFieldsPatch.default({}).describe("As for one script"),
    add_tags: someTags,
    remove_tags: someTags,
  })
  .superRefine(({ patch, add_tags, remove_tags }, context) => {
    if (Object.keys(patch).length + add_tags.length + remove_tags.length === 0) {
      context.addIssue({ code: "custom", path: ["patch"], message: "must change something" });
    }
    if (patch.tags !== undefined && add_tags.length + remove_tags.length > 0) {
      const message = "must not be there together with `add_tags` or `remove_tags`";
      context.addIssue({ code: "custom", path: ["patch", "tags"], message });
    }
    if (add_tags.some((name) => remove_tags.includes(name))) {
      const message = "must not have a tag that is to be added";
      context.addIssue({ code: "custom", path: ["remove_tags"], message });
    }
  })
  .meta({ id: "BulkChangeRequest" });
export type BulkChangeRequest = z.infer<typeof bulkChangeRequest>;

/**
 * Why a field that a client sent is none of a bulk change's.
 *
 * @param path - of the object that has it, within the request
 */
export function whyNotInChange(field: string, path: readonly PropertyKey[]): string {
  if (path[0] === "patch") return whyNotWritable(field);
  const [called, schema] =
    path[0] === "filter" ? ["criterion", scriptSelection] : ["part of a change", bulkChangeRequest];
  return `is no ${called}; ${Object.keys(schema.shape).join(", ")} are`;
}

/** The fields as the change makes them, or why they cannot be so. */
export function changeFields(
  fields: UserFields,
  { patch, add_tags, remove_tags }: Omit<BulkChangeRequest, "filter">,
): { readonly fields: UserFields } | { readonly refusal: string } {
  const merged = mergePatch(fields, patch) as Partial<UserFields>;
  const kept = (merged.tags ?? []).filter((name) => !remove_tags.includes(name));
  const tags = [...new Set([...kept, ...add_tags])];
  const parsed = userFields.safeParse({ ...merged, tags });
  if (parsed.success) return { fields: parsed.data };
  const [issue] = parsed.error.issues;
  return { refusal: `/${issue?.path.join("/") ?? ""} ${issue?.message ?? "is wrong"}` };
}

/** `POST /metadata/changes?dry_run=true`. */
export const bulkChangePreview = z
  .object({
    selected: z
      .int()
      .describe("Scripts that would be changed, as far as the change differs from what they have"),
    examined: z.int().describe("How many of them the following is about; the first by id"),
    would_change: z.int(),
    unchanged: z.int(),
    would_fail: z.int(),
    sample: z
      .array(
        z.object({
          script_id: z.uuid(),
          namespace: z.string(),
          filename: z.string(),
          changes: z.array(fieldChange),
          failure: z.string().nullable(),
        }),
      )
      .describe("At most 20"),
  })
  .meta({ id: "BulkChangePreview" });
export type BulkChangePreview = z.infer<typeof bulkChangePreview>;

/** `GET /metadata/changes/{id}`. */
export const bulkChange = z
  .object({
    change_id: z.uuid(),
    state: z.enum(["running", "done", "cancelled"]),
    request: z.record(z.string(), z.unknown()).describe("As it was asked for"),
    selected: z.int(),
    changed: z.int(),
    unchanged: z.int().describe("Had these very values already"),
    failed: z.int(),
    left: z.int().describe("Still to be changed, or left as they were where it was cancelled"),
    created_by: z.string(),
    created_at: z.iso.datetime(),
    cancelled_by: z.string().nullable(),
    finished_at: z.iso.datetime().nullable(),
    status_url: z.string(),
  })
  .meta({ id: "BulkChange" });
export type BulkChange = z.infer<typeof bulkChange>;

const nextCursor = z.string().nullable().describe("`null` on the last page");
export const bulkChangeList = z
  .object({ items: z.array(bulkChange), next_cursor: nextCursor })
  .meta({ id: "BulkChangeList" });
export type BulkChangeList = z.infer<typeof bulkChangeList>;

/** `GET /metadata/changes/{id}/failures`. */
export const bulkChangeFailures = z
  .object({
    items: z.array(
      z.object({
        script_id: z.uuid(),
        reason: z
          .enum(["deleted", "changed_meanwhile", "invalid"])
          .describe("Whatever it was, the script is as it was"),
        message: z.string(),
      }),
    ),
    next_cursor: nextCursor,
  })
  .meta({ id: "BulkChangeFailures" });
export type BulkChangeFailures = z.infer<typeof bulkChangeFailures>;
