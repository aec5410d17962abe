import { changesBetween, type Script, updateUserMetadata } from "@sluice/catalog";
import {
  mergePatch,
  type UserFields,
  userFields,
  userFieldsPatch,
  whyNotWritable,
} from "@sluice/contracts";
import type { Request, Response } from "express";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { MERGE_PATCH, readJson } from "../http/read-json.js";
import { check, route, type Route } from "../http/route.js";
import { namesRevision, revisionTag } from "../revision.js";
import { standingOf } from "./approval-shapes.js";
import { findScript, scriptNotFound } from "./find.js";
import { toDetails, toUserFields } from "./shapes.js";

export function updateMetadata(deps: Dependencies): Route {
  return route("updateMetadata", async ({ params, req, res }) => {
    const ifMatch = readIfMatch(req);
    const fields = check(userFields, await readJson(req, res), "body", undefined, whyNotWritable);
    await change(deps, { scriptId: params.id, ifMatch, apply: () => fields }, res);
  });
}

export function patchMetadata(deps: Dependencies): Route {
  return route("patchMetadata", async ({ params, req, res }) => {
    const ifMatch = readIfMatch(req);
    const body = await readJson(req, res, MERGE_PATCH);
    const patch = check(userFieldsPatch, body, "body", undefined, whyNotWritable);
    const apply = (script: Script) =>
      check(userFields, mergePatch(toUserFields(script), patch), "body");
    await change(deps, { scriptId: params.id, ifMatch, apply }, res);
  });
}

function readIfMatch(req: Request): string {
  const ifMatch = req.get("if-match");
  if (ifMatch !== undefined) return ifMatch;
  throw new ProblemError(
    "if_match_required",
    "Send `If-Match` with the ETag of the metadata or the details that you read.",
  );
}

const MAX_ATTEMPTS = 10;

/** Changes the fields of the revision that `If-Match` names; `*` names whichever there is. */
async function change(
  { catalog }: Dependencies,
  {
    scriptId,
    ifMatch,
    apply,
  }: { scriptId: string; ifMatch: string; apply: (script: Script) => UserFields },
  res: Response,
): Promise<void> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const script = await findScript(catalog, scriptId, res);
    if (!namesRevision(ifMatch, script.revision)) break;
    const metadata = apply(script);
    const changes = changesBetween(script.userMetadata, metadata);
    const revision =
      changes.length === 0
        ? script.revision
        : await updateUserMetadata(catalog, {
            scriptId,
            revision: script.revision,
            metadata,
            changes,
            actor: res.locals.actor,
          });
    if (revision === undefined) throw scriptNotFound(scriptId);
    if (revision === "stale") continue;
    const changed = { ...script, userMetadata: metadata, revision };
    const body = JSON.stringify(toDetails(changed, await standingOf(catalog, script)));
    res
      .set("ETag", revisionTag(revision)(body))
      .set("Cache-Control", "private, no-cache")
      .set("Content-Type", "application/json")
      .send(Buffer.from(body));
    return;
  }
  throw new ProblemError(
    "revision_mismatch",
    "The fields have been changed since you read them. Read them again, and send their new ETag.",
  );
}
