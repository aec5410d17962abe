import { listMetadataChanges } from "@sluice/catalog";
import type { MetadataHistory } from "@sluice/contracts";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { route, type Route } from "../http/route.js";
import { findScript } from "./find.js";

const position = z.int().min(1).max(2_147_483_647);

export function listMetadataHistory({ catalog }: Dependencies): Route {
  return route("listMetadataHistory", async ({ params, query, res }) => {
    const of = { history: params.id };
    const before =
      query.cursor === undefined ? undefined : decodeCursor(query.cursor, of, position);
    await findScript(catalog, params.id, res);
    const { limit } = query;
    const page = await listMetadataChanges(catalog, { scriptId: params.id, before, limit });
    const body: MetadataHistory = {
      items: page.items.map(({ revision, at, actor, changeId, changes }) => ({
        revision,
        at: at.toISOString(),
        actor,
        change_id: changeId ?? null,
        changes: [...changes],
      })),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}
