import { updateUserMetadata } from "@sluice/catalog";
import { userFields } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { readJson } from "../http/read-json.js";
import { check, route, type Route } from "../http/route.js";
import { namesRevision, revisionTag } from "../revision.js";
import { standingOf } from "./approval-shapes.js";
import { findScript, scriptNotFound } from "./find.js";
import { toDetails } from "./shapes.js";

export function updateMetadata({ catalog }: Dependencies): Route {
  return route("updateMetadata", async ({ params, req, res }) => {
    const ifMatch = req.get("if-match");
    if (ifMatch === undefined) {
      throw new ProblemError(
        "if_match_required",
        "Send `If-Match` with the ETag of the metadata or the details that you read.",
      );
    }
    const metadata = check(userFields, await readJson(req, res), "body");
    const script = await findScript(catalog, params.id, res);
    if (!namesRevision(ifMatch, script.revision)) throw mismatch();
    const updated = await updateUserMetadata(catalog, {
      scriptId: params.id,
      revision: script.revision,
      metadata,
    });
    if (updated === "stale") throw mismatch();
    if (updated === undefined) throw scriptNotFound(params.id);

    const body = JSON.stringify(
      toDetails(
        { ...script, userMetadata: metadata, revision: updated },
        await standingOf(catalog, script),
      ),
    );
    res
      .set("ETag", revisionTag(updated)(body))
      .set("Cache-Control", "private, no-cache")
      .set("Content-Type", "application/json")
      .send(Buffer.from(body));
  });
}

function mismatch(): ProblemError {
  return new ProblemError(
    "revision_mismatch",
    "The fields have been changed since you read them. Read them again, and send their new ETag.",
  );
}
