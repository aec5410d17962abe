import { z } from "zod";

export const STORAGE_STATES = ["ok", "low", "full"] as const;
/** `low`: an alert was given. `full`: there is no room for anything new. */
export type StorageState = (typeof STORAGE_STATES)[number];

const steps = z.object({
  low: z.int().describe("`low` below"),
  low_until: z.int().describe("Not `low` any more from there on"),
  full: z.int().describe("`full` below"),
  full_until: z.int().describe("Not `full` any more from there on"),
});

/** Levels of free bytes, or of free inodes. */
export interface StorageSteps {
  readonly low: number;
  readonly lowUntil: number;
  readonly full: number;
  readonly fullUntil: number;
}

/** One store, and the room that it has. */
export const storeRoom = z
  .object({
    name: z.string().describe("`objects`, `backup`, `catalog`, `queue`, or a name of DISK_PATHS"),
    description: z.string().describe("What it is, without credentials"),
    state: z.enum(STORAGE_STATES),
    since: z.iso.datetime().describe("When it came into that state"),
    checked_at: z.iso.datetime(),
    stale: z.boolean().describe("Nobody has looked for a while: the state may be another by now"),
    holds_intake: z.boolean().describe("Uploads are refused while it is full"),
    free_bytes: z.int().nullable().describe("`null` where the store does not tell, as over S3"),
    total_bytes: z.int().nullable(),
    free_inodes: z.int().nullable(),
    total_inodes: z.int().nullable().describe("0 where they are made as they are needed"),
    thresholds: z.object({ bytes: steps, inodes: steps }).nullable(),
    refusal: z.string().nullable().describe("What a write was told that found no room"),
    error: z.string().nullable().describe("Why it could not be looked at"),
  })
  .meta({ id: "StoreRoom" });
export type StoreRoom = z.infer<typeof storeRoom>;

/** `GET /storage`. */
export const storageList = z
  .object({
    intake: z.object({
      open: z.boolean().describe("`false`: what brings new bytes is refused with 507"),
      closed_by: z.array(z.string()).describe("Names of the stores that are full"),
    }),
    items: z.array(storeRoom),
  })
  .meta({ id: "StorageList" });
export type StorageList = z.infer<typeof storageList>;
