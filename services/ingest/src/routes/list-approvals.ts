import { listApprovals as queryApprovals } from "@sluice/catalog";
import type { ApprovalList } from "@sluice/contracts";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { route, type Route } from "../http/route.js";
import { toApproval } from "./approval-shapes.js";
import { findScript } from "./find.js";

const position = z.int().min(1);

export function listApprovals({ catalog }: Dependencies): Route {
  return route("listApprovals", async ({ params, query, res }) => {
    const of = { approvals: params.id };
    const before =
      query.cursor === undefined ? undefined : decodeCursor(query.cursor, of, position);
    await findScript(catalog, params.id, res);
    const page = await queryApprovals(catalog, { scriptId: params.id, before, limit: query.limit });
    const body: ApprovalList = {
      items: page.items.map(toApproval),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}
