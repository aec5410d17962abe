import { z } from "zod";

export const WATCH_STATES = ["starting", "following", "polling", "waiting", "missing"] as const;
export type WatchState = (typeof WATCH_STATES)[number];

const watchedDirectory = z
  .object({
    directory: z.string(),
    state: z
      .enum(WATCH_STATES)
      .describe(
        "`following` its events; `polling`, because events cannot be had; `waiting` for Sluice to take uploads again; `missing`: cannot be read",
      ),
    held: z.boolean().describe("A process follows it at this moment"),
    last_error: z
      .string()
      .nullable()
      .describe(
        "What keeps it from being followed by events, or its deletions from being followed",
      ),
    last_scan_at: z.iso.datetime().nullable().describe("End of the last whole scan"),
    files: z.int().describe("Files that the last whole scan has seen"),
  })
  .meta({ id: "WatchedDirectory" });

const watchRefusal = z
  .object({
    directory: z.string(),
    path: z.string().describe("Below the directory"),
    code: z.string().describe("The problem's code, or what the watcher itself refuses it for"),
    detail: z.string(),
    seen_at: z.iso.datetime(),
  })
  .meta({ id: "WatchRefusal" });

/** `GET /watch`. */
export const watchList = z
  .object({
    directories: z.array(watchedDirectory),
    refusals: z.array(watchRefusal),
    next_cursor: z.string().nullable().describe("`null` on the last page of the refusals"),
  })
  .meta({ id: "WatchList" });
export type WatchList = z.infer<typeof watchList>;
