import { deleteScript as moveToTrash } from "@sluice/catalog";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { findScript, scriptNotFound } from "./find.js";

export function deleteScript({ catalog, trashMs }: Dependencies): Route {
  return route("deleteScript", async ({ params, query, res }) => {
    const script = await findScript(catalog, params.id, res);
    if (query.confirm?.toLowerCase() !== script.scriptId) {
      throw new ProblemError(
        "confirmation_required",
        `This deletes ${JSON.stringify(script.filename)} with its ${script.version} version(s). ` +
          `To confirm, send the request again with ?confirm=${script.scriptId}.`,
      );
    }
    const { actor } = res.locals;
    const outcome = await moveToTrash(catalog, {
      scriptId: params.id,
      actor,
      trashMs,
      reason: query.reason,
    });
    if (outcome === "not_found") throw scriptNotFound(params.id);
    if (outcome === "held") {
      throw new ProblemError(
        "under_legal_hold",
        `The script ${params.id} is under legal hold, and stays. GET /api/v1/scripts/${params.id}/legal_hold says why.`,
      );
    }
    res.status(204).end();
  });
}
