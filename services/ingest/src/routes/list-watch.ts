import { listRefusedFiles, listWatchedDirectories } from "@sluice/catalog";
import type { WatchList } from "@sluice/contracts";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { route, type Route } from "../http/route.js";

const position = z.tuple([z.string(), z.string()]);

export function listWatch({ catalog }: Dependencies): Route {
  return route("listWatch", async ({ query, res }) => {
    const { cursor, limit, ...asked } = query;
    const of = { list: "watch", ...asked };
    const after = cursor === undefined ? undefined : decodeCursor(cursor, of, position);
    const page = await listRefusedFiles(catalog, { directory: asked.directory, after, limit });
    const directories = await listWatchedDirectories(catalog);
    const body: WatchList = {
      directories: directories.map((each) => ({
        directory: each.directory,
        state: each.state,
        held: each.held,
        last_error: each.lastError ?? null,
        last_scan_at: each.lastScanAt?.toISOString() ?? null,
        files: each.files,
      })),
      refusals: page.items.map(({ seenAt, ...file }) => ({
        ...file,
        seen_at: seenAt.toISOString(),
      })),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}
