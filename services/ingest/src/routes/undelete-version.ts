import { undeleteVersion as bringBack } from "@sluice/catalog";
import type { Dependencies } from "../dependencies.js";
import { route, type Route } from "../http/route.js";
import { standingOf } from "./approval-shapes.js";
import { findVersion, notFound, purged } from "./find.js";
import { toVersion } from "./shapes.js";

export function undeleteVersion({ catalog }: Dependencies): Route {
  return route("undeleteVersion", async ({ params: { id: scriptId, n: version }, res }) => {
    const { actor } = res.locals;
    const outcome = await bringBack(catalog, { scriptId, version, actor });
    if (outcome === "purged")
      throw purged(`Version ${version} of the script ${scriptId}`, scriptId);
    if (outcome === "not_found" || outcome === "script_not_found")
      throw await notFound(catalog, { scriptId, version });
    const found = await findVersion(catalog, { scriptId, version }, res);
    res
      .set("Cache-Control", "no-store")
      .json({ ...toVersion(found), approval: await standingOf(catalog, found) });
  });
}
