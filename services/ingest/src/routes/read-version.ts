import type { Dependencies } from "../dependencies.js";
import { route, type Route } from "../http/route.js";
import { sendTagged } from "../http/send-json.js";
import { standingOf } from "./approval-shapes.js";
import { findVersion } from "./find.js";
import { toVersion } from "./shapes.js";

export function readVersion({ catalog }: Dependencies): Route {
  return route("readVersion", async ({ params, req, res }) => {
    const version = await findVersion(catalog, { scriptId: params.id, version: params.n }, res);
    sendTagged(req, res, {
      ...toVersion(version),
      approval: await standingOf(catalog, version),
    });
  });
}
