import { listEvents as queryEvents } from "@sluice/catalog";
import type { EventList } from "@sluice/contracts";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { route, type Route } from "../http/route.js";

const position = z.int().min(1);

export function listEvents({ catalog }: Dependencies): Route {
  return route("listEvents", async ({ query, res }) => {
    const { cursor, limit, ...asked } = query;
    const of = { list: "events", ...asked };
    const page = await queryEvents(catalog, {
      filter: {
        severity: asked.severity,
        kind: asked.kind,
        scriptId: asked.script_id,
        since: asked.since,
      },
      before: cursor === undefined ? undefined : decodeCursor(cursor, of, position),
      limit,
    });
    const body: EventList = {
      items: page.items.map((event) => ({
        id: event.id,
        at: event.at.toISOString(),
        severity: event.severity,
        kind: event.kind,
        message: event.message,
        script_id: event.scriptId ?? null,
        sha256: event.sha256 ?? null,
        details: { ...event.details },
      })),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}
