import type { Dependencies } from "../dependencies.js";
import { route, type Route } from "../http/route.js";
import { sendTagged } from "../http/send-json.js";
import { revisionTag } from "../revision.js";
import { standingOf } from "./approval-shapes.js";
import { findScript } from "./find.js";
import { toDetails } from "./shapes.js";

export function readScript({ catalog }: Dependencies): Route {
  return route("readScript", async ({ params, req, res }) => {
    const script = await findScript(catalog, params.id, res);
    sendTagged(req, res, toDetails(script, await standingOf(catalog, script)), {
      tag: revisionTag(script.revision),
    });
  });
}
