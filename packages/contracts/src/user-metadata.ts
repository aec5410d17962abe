/** What users say about a script: its limits, its changes, and who made them. */
import { z } from "zod";
import { line, paragraphs } from "./text.js";

/** Bytes of all the user's fields together, as JSON in UTF-8. */
export const MAX_USER_FIELDS_BYTES = 64 * 1024;

const title = line(200).nullable();
const description = paragraphs(10_000).nullable();
export const tag = line(64).min(1, "must not be empty");
const tags = z
  .array(tag)
  .max(50, "must have at most 50 entries")
  .refine((list) => new Set(list).size === list.length, "must each be there once");
export const labelName = line(64).min(1, "must not be empty");
export const labelValue = line(1_000);
const owner = line(200).nullable();

/** What users say about a script; the pipeline never writes it. `PUT` replaces all of it. */
export const userFields = z
  .strictObject({
    title: title.default(null),
    description: description.default(null),
    tags: tags.default([]),
    labels: z
      .record(labelName, labelValue)
      .refine((labels) => Object.keys(labels).length <= 50, "must have at most 50 entries")
      .default({}),
    owner: owner.default(null),
    pinned: z.boolean().default(false),
  })
  .superRefine((fields, context) => {
    const bytes = jsonBytes(fields);
    if (bytes <= MAX_USER_FIELDS_BYTES) return;
    const [largest] = Object.entries(fields).toSorted(
      ([, a], [, b]) => jsonBytes(b) - jsonBytes(a),
    );
    const [name, value] = largest as [string, unknown];
    context.addIssue({
      code: "custom",
      path: [name],
      message:
        `is the largest of fields that come to ${bytes} bytes of JSON together, with ${jsonBytes(value)} of them; ` +
        `all together may have ${MAX_USER_FIELDS_BYTES}`,
    });
  })
  .meta({ id: "UserFields" });
export type UserFields = z.infer<typeof userFields>;

/**
 * A change of some of the user's fields, as a JSON merge patch (RFC 7396): what is `null` goes back to
 * what it is without anybody's word, what is left out stays, and a list is replaced whole.
 */
export const userFieldsPatch = z
  .strictObject({
    title: title.optional(),
    description: description.optional(),
    tags: tags.nullable().optional(),
    labels: z
      .record(labelName, labelValue.nullable())
      .nullable()
      .optional()
      .describe("Label by label: `null` removes one, and in place of them all removes them all"),
    owner: owner.optional(),
    pinned: z.boolean().nullable().optional(),
  })
  .meta({ id: "UserFieldsPatch" });
export type UserFieldsPatch = z.infer<typeof userFieldsPatch>;

function jsonBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

/** One field, or one label, that a change has given another value. */
export const fieldChange = z.object({
  field: z.string().describe("JSON Pointer (RFC 6901), such as `/title` or `/labels/team`"),
  from: z.unknown().describe("`null` for what was not there"),
  to: z.unknown().describe("`null` for what is not there any more"),
});
export type FieldChange = z.infer<typeof fieldChange>;

/** `GET /scripts/{id}/metadata/history`. */
export const metadataHistory = z
  .object({
    items: z.array(
      z.object({
        revision: z.int().describe("That the change has made"),
        at: z.iso.datetime(),
        actor: z.string().describe("Who made it, as the audit log names them"),
        change_id: z.uuid().nullable().describe("The bulk change that it was a part of"),
        changes: z.array(fieldChange),
      }),
    ),
    next_cursor: z.string().nullable().describe("`null` on the last page"),
  })
  .meta({ id: "MetadataHistory" });
export type MetadataHistory = z.infer<typeof metadataHistory>;
