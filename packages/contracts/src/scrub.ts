import { z } from "zod";

const count = z.int().min(0);

/** What a pass looks at, in this order. */
export const SCRUB_PARTS = [
  "blobs",
  "uploads",
  "packs",
  "descriptions",
  "manifests",
  "object_names",
  "backup_names",
] as const;
export type ScrubPart = (typeof SCRUB_PARTS)[number];

/** One pass of the scrub. */
export const scrubPass = z
  .object({
    id: z.int(),
    state: z
      .enum(["running", "halted", "done", "ended"])
      .describe(
        "`halted`: it marks and repairs nothing and tries again by itself, `halted_because` says why; `ended`: another pass was begun before it was over",
      ),
    asked_by: z.string().describe("Who asked for it; `janitor` where it was its time"),
    trusted: z
      .boolean()
      .describe("It repairs whatever it finds, also where so much is gone that it would halt"),
    started_at: z.iso.datetime(),
    finished_at: z.iso.datetime().nullable(),
    part: z
      .enum(SCRUB_PARTS)
      .describe(`What it looks at now, or looked at last, of ${SCRUB_PARTS.join(", ")}`),
    total_blobs: count.describe("Those that there were at its start"),
    checked: count.describe("Blobs, and uploads that are none yet, that were read"),
    documents: count.describe(
      "Descriptions (metadata.json), manifests and packs of the archive that were read",
    ),
    bytes: count.describe("Read from both stores"),
    damaged: count.describe("Objects in either store"),
    missing: count.describe("Objects in either store"),
    repaired: count,
    unrepairable: count.describe("Blobs that no copy gives back; their versions are marked"),
    unknown: count.describe("What lies in the stores and is none of their objects"),
    halted_because: z.string().nullable(),
    rate: z
      .object({
        checked_per_second: z.number(),
        documents_per_second: z.number(),
        bytes_per_second: z.number(),
      })
      .nullable()
      .describe("While a janitor worked on it; `null` before the first step"),
  })
  .meta({ id: "ScrubPass" });
export type ScrubPassBody = z.infer<typeof scrubPass>;

/** `GET /scrub`. */
export const scrub = z
  .object({
    pass: scrubPass.nullable().describe("The newest; `null` where there was none"),
    last_done: scrubPass.nullable().describe("The newest that has come to its end"),
    damaged_blobs: z.object({
      count,
      items: z
        .array(
          z.object({
            sha256: z.string(),
            state: z.enum(["damaged", "missing"]),
            detail: z.string(),
            found_at: z.iso.datetime(),
            script_ids: z.array(z.uuid()).describe("At most 20"),
          }),
        )
        .describe("The newest 100"),
    }),
    unknown_objects: z.object({
      count,
      items: z
        .array(
          z.object({
            store: z.enum(["objects", "backup"]),
            name: z.string().describe("As the store has it, cut to 1,000 characters"),
            what: z.string(),
            size: z.int().nullable(),
            found_at: z.iso.datetime(),
          }),
        )
        .describe("The newest 100"),
    }),
  })
  .meta({ id: "Scrub" });
export type Scrub = z.infer<typeof scrub>;
