import {
  type LegalHold as StoredHold,
  liftLegalHold as lift,
  placeLegalHold as place,
  readLegalHold as read,
  readScriptTrace,
} from "@sluice/catalog";
import { type LegalHold, legalHoldRequest } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { readJson } from "../http/read-json.js";
import { check, route, type Route } from "../http/route.js";
import { scriptNotFound } from "./find.js";

// Scripts in the trash are held too, which keeps them from being purged.

export function readLegalHold({ catalog }: Dependencies): Route {
  return route("readLegalHold", async ({ params: { id }, res }) => {
    res.locals.about["script_id"] = id;
    const hold = await read(catalog, id);
    if (hold === undefined) {
      if ((await readScriptTrace(catalog, id))?.script === undefined) throw scriptNotFound(id);
      throw noHold(id);
    }
    res.set("Cache-Control", "private, no-cache").json(toHold(hold));
  });
}

export function placeLegalHold({ catalog }: Dependencies): Route {
  return route("placeLegalHold", async ({ params: { id }, req, res }) => {
    const { reason } = check(legalHoldRequest, await readJson(req, res), "body");
    const { actor } = res.locals;
    Object.assign(res.locals.about, { script_id: id, actor });
    const placed = await place(catalog, { scriptId: id, reason, actor });
    if (placed === undefined) throw scriptNotFound(id);
    res
      .status(placed.placed ? 201 : 200)
      .set("Cache-Control", "no-store")
      .json(toHold(placed.hold));
  });
}

export function liftLegalHold({ catalog }: Dependencies): Route {
  return route("liftLegalHold", async ({ params: { id }, res }) => {
    const { actor } = res.locals;
    Object.assign(res.locals.about, { script_id: id, actor });
    const lifted = await lift(catalog, { scriptId: id, actor });
    if (lifted === undefined) throw scriptNotFound(id);
    if (!lifted) throw noHold(id);
    res.status(204).end();
  });
}

export function toHold({ reason, actor, placedAt }: StoredHold): LegalHold {
  return { reason, actor, placed_at: placedAt.toISOString() };
}

function noHold(scriptId: string): ProblemError {
  return new ProblemError("no_legal_hold", `The script ${scriptId} is under no legal hold.`);
}
