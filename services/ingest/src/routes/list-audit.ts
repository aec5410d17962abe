import { listAudit as queryAudit } from "@sluice/catalog";
import type { AuditList } from "@sluice/contracts";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { route, type Route } from "../http/route.js";

const position = z.int().min(1);

export function listAudit({ catalog }: Dependencies): Route {
  return route("listAudit", async ({ query, res }) => {
    const { cursor, limit, ...asked } = query;
    const of = { list: "audit", ...asked };
    const page = await queryAudit(catalog, {
      filter: { scriptId: asked.script_id, action: asked.action, since: asked.since },
      before: cursor === undefined ? undefined : decodeCursor(cursor, of, position),
      limit,
    });
    const body: AuditList = {
      items: page.items.map((entry) => ({
        id: entry.id,
        at: entry.at.toISOString(),
        actor: entry.actor,
        action: entry.action,
        script_id: entry.scriptId ?? null,
        version: entry.version ?? null,
        sha256: entry.sha256 ?? null,
        details: { ...entry.details },
      })),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}
