import { retryFailed } from "@sluice/catalog";
import { isStageName } from "@sluice/pipeline";
import type { Dependencies } from "../dependencies.js";
import { enqueueQuietly } from "../enqueue.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { findVersion, notFound } from "./find.js";
import { statusUrl } from "./shapes.js";

export function retryScript({ catalog, statuses, queue, log }: Dependencies): Route {
  return route("retryScript", async ({ params, query, res }) => {
    const ref = { scriptId: params.id, version: query.version };
    const version = await findVersion(catalog, ref, res);
    const retried = await retryFailed(catalog, version.versionId);
    if (retried === undefined) {
      throw new ProblemError(
        "not_failed",
        `Version ${version.version} is ${version.state}; only what failed can be retried.`,
      );
    }
    for (const stage of retried.stages)
      if (isStageName(stage)) enqueueQuietly(queue, stage, [retried], log);
    const status = await statuses.read({ scriptId: version.scriptId, version: version.version });
    if (status === undefined) throw await notFound(catalog, ref);
    res.status(202).set("Location", statusUrl(version.scriptId, version.version)).json(status);
  });
}
