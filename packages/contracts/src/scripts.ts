import { VERDICTS, VERSION_STATES } from "@sluice/pipeline";
import { z } from "zod";
import { approvalStanding } from "./approvals.js";

const scriptId = z.uuid().describe("Stays the same for all versions");
const filename = z.string().describe("Safe to show and to save under; at most 255 bytes");
const size = z.int().describe("In bytes");
const versionNumber = z.int().min(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime();
const state = z.enum(VERSION_STATES);
const verdict = z.enum(VERDICTS).nullable().describe("`null` until validation is done");
const approval = approvalStanding
  .nullable()
  .describe("`null` where the verdict is not `needs_approval`");
const statusUrl = z.string().describe("Path of the version's status");

export const integrity = z
  .object({
    state: z.enum(["damaged", "missing"]),
    detail: z.string(),
    found_at: time,
  })
  .nullable()
  .describe(
    "What is wrong with the stored bytes that no copy gives back; `null` where nothing is known to be",
  );
export type Integrity = z.infer<typeof integrity>;

export const STORAGES = ["hot", "archive"] as const;
export type Storage = (typeof STORAGES)[number];

const storage = z
  .enum(STORAGES)
  .describe("Where the bytes are; from the `archive` they are read more slowly");

/** What `POST /upload_script` answers. */
export const uploadedScript = z
  .object({
    script_id: scriptId,
    filename,
    size,
    upload_time: time,
    version: versionNumber,
    sha256,
    storage_path: z.string().describe("Key of the object that holds the bytes"),
    state,
    status_url: statusUrl,
  })
  .meta({ id: "UploadedScript" });
export type UploadedScript = z.infer<typeof uploadedScript>;

/** One script in a list: its newest version. */
export const scriptSummary = z
  .object({
    script_id: scriptId,
    filename,
    namespace: z.string(),
    size,
    upload_time: time,
    version: versionNumber,
    sha256,
    state,
    verdict,
    tags: z.array(z.string()),
    storage,
    integrity,
    status_url: statusUrl,
  })
  .meta({ id: "ScriptSummary" });
export type ScriptSummary = z.infer<typeof scriptSummary>;

const nextCursor = z.string().nullable().describe("`null` on the last page");

export const scriptList = z
  .object({ items: z.array(scriptSummary), next_cursor: nextCursor })
  .meta({ id: "ScriptList" });
export type ScriptList = z.infer<typeof scriptList>;

/** `GET /scripts/{id}`: the script and its newest version. */
export const scriptDetails = z
  .object({
    ...scriptSummary.shape,
    title: z.string().nullable(),
    description: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    owner: z.string().nullable(),
    pinned: z.boolean(),
    storage_path: z.string().describe("Key of the object that holds the bytes"),
    created_at: time.describe("When its first version was uploaded"),
    finished_at: time.nullable(),
    batch_id: z.uuid().nullable(),
    revision: z.int().describe("Grows with each change of the user's fields"),
    approval,
  })
  .meta({ id: "ScriptDetails" });
export type ScriptDetails = z.infer<typeof scriptDetails>;

/** One version of a script. */
export const scriptVersion = z
  .object({
    script_id: scriptId,
    version: versionNumber,
    filename,
    original_filename: z.string().describe("As it was sent; not safe to save under"),
    size,
    upload_time: time,
    sha256,
    storage_path: z.string().describe("Key of the object that holds the bytes"),
    state,
    verdict,
    finished_at: time.nullable(),
    batch_id: z.uuid().nullable(),
    storage,
    integrity,
    restored_from: z.int().nullable().describe("The version that this one brought back"),
    status_url: statusUrl,
  })
  .meta({ id: "ScriptVersion" });
export type ScriptVersion = z.infer<typeof scriptVersion>;

/** `GET /scripts/{id}/versions/{n}`. */
export const versionDetails = scriptVersion.extend({ approval }).meta({ id: "VersionDetails" });
export type VersionDetails = z.infer<typeof versionDetails>;

export const versionList = z
  .object({ items: z.array(scriptVersion), next_cursor: nextCursor })
  .meta({ id: "VersionList" });
export type VersionList = z.infer<typeof versionList>;
