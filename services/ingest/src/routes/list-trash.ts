import { listTrash as queryTrash } from "@sluice/catalog";
import type { TrashList } from "@sluice/contracts";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { route, type Route } from "../http/route.js";

const position = z.strictObject({ position: z.iso.datetime(), id: z.uuid() });

export function listTrash({ catalog }: Pick<Dependencies, "catalog">): Route {
  return route("listTrash", async ({ query, res }) => {
    const { cursor, limit, ...asked } = query;
    const of = { list: "trash", ...asked };
    const page = await queryTrash(catalog, {
      filter: {
        namespace: asked.namespace,
        filename: asked.filename,
        scriptId: asked.script_id,
      },
      before: cursor === undefined ? undefined : decodeCursor(cursor, of, position),
      limit,
    });
    const body: TrashList = {
      items: page.items.map((item) => ({
        script_id: item.scriptId,
        version: item.version ?? null,
        namespace: item.namespace,
        filename: item.filename,
        deleted_at: item.deletedAt.toISOString(),
        deleted_by: item.actor,
        reason: item.reason ?? null,
        rule: item.rule?.rule ?? null,
        policy_id: item.rule?.policy_id ?? null,
        purge_at: item.purgeAt.toISOString(),
        legal_hold: item.held,
        restorable: !item.going,
        versions: item.versions,
        bytes: item.size,
      })),
      next_cursor:
        page.next === undefined
          ? null
          : encodeCursor({ position: page.next.position, id: page.next.id }, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}
