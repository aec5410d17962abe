import { listVersions as queryVersions } from "@sluice/catalog";
import type { VersionList } from "@sluice/contracts";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { route, type Route } from "../http/route.js";
import { findScript } from "./find.js";
import { toVersion } from "./shapes.js";

const position = z.int().min(1).max(2_147_483_647);

export function listVersions({ catalog }: Dependencies): Route {
  return route("listVersions", async ({ params, query, res }) => {
    const of = { script: params.id };
    const page = await queryVersions(catalog, {
      scriptId: params.id,
      before: query.cursor === undefined ? undefined : decodeCursor(query.cursor, of, position),
      limit: query.limit,
    });
    // Every script has a first version: a list without any is of no script, or past its end.
    if (page.items.length === 0) await findScript(catalog, params.id, res);
    const body: VersionList = {
      items: page.items.map(toVersion),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}
