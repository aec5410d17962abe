import { listScripts as queryScripts, type ScriptSort } from "@sluice/catalog";
import type { ScriptList } from "@sluice/contracts";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { route, type Route } from "../http/route.js";
import { toSummary } from "./shapes.js";

const SORTS = {
  upload_time: "upload_time",
  name: "filename",
  size: "size",
} as const satisfies Record<string, ScriptSort>;

/** What the sort value of a cursor must look like, or PostgreSQL would not take it. */
const SORT_VALUES: Readonly<Record<ScriptSort, z.ZodType<string>>> = {
  upload_time: z.iso.datetime(),
  filename: z.string().refine((text) => !/[\0\p{Cs}]/u.test(text)),
  size: z.string().regex(/^\d{1,9}$/),
};

export function listScripts({ catalog }: Dependencies): Route {
  return route("listScripts", async ({ query, res }) => {
    const { cursor, limit, ...asked } = query;
    const of = { list: "scripts", ...asked };
    const descending = asked.sort.startsWith("-");
    const sort = SORTS[asked.sort.replace("-", "") as keyof typeof SORTS];
    const position = z.strictObject({ value: SORT_VALUES[sort], scriptId: z.uuid() });
    const page = await queryScripts(catalog, {
      filter: {
        states: asked.state,
        name: asked.name,
        namespace: asked.namespace,
        batchId: asked.batch,
        since: asked.since,
        until: asked.until,
        tags: asked.tag,
        labels: asked.label && Object.fromEntries(asked.label),
        owner: asked.owner,
        pinned: asked.pinned,
      },
      sort,
      descending,
      after: cursor === undefined ? undefined : decodeCursor(cursor, of, position),
      limit,
    });
    const body: ScriptList = {
      items: page.items.map(toSummary),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}
