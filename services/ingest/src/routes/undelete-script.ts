import { undeleteScript as bringBack } from "@sluice/catalog";
import { isPythonFilename, sanitiseFilename } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { standingOf } from "./approval-shapes.js";
import { findScript, purged, scriptNotFound } from "./find.js";
import { toDetails } from "./shapes.js";

export function undeleteScript({ catalog }: Dependencies): Route {
  return route("undeleteScript", async ({ params, query, res }) => {
    res.locals.about["script_id"] = params.id;
    if (query.filename !== undefined && !isPythonFilename(query.filename)) {
      throw new ProblemError(
        "unsupported_file_type",
        `${JSON.stringify(query.filename)} does not end in .py or .pyw.`,
      );
    }
    const outcome = await bringBack(catalog, {
      scriptId: params.id,
      actor: res.locals.actor,
      filename: query.filename === undefined ? undefined : sanitiseFilename(query.filename),
    });
    if (outcome.kind === "not_found") throw scriptNotFound(params.id);
    if (outcome.kind === "purged") throw purged(`The script ${params.id}`, params.id);
    if (outcome.kind === "name_taken") {
      throw new ProblemError(
        "name_taken",
        "Another script has taken the name meanwhile. Give this one another: ?filename=NAME.py.",
        outcome.scriptId === undefined ? {} : { script_id: outcome.scriptId },
      );
    }
    const script = await findScript(catalog, params.id, res);
    res.set("Cache-Control", "no-store").json(toDetails(script, await standingOf(catalog, script)));
  });
}
