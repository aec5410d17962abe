import { isFinal } from "@sluice/pipeline";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { type KeyedRequest, once, readIdempotencyKey } from "../idempotency.js";
import type { Stored } from "../upload/store-upload.js";
import { findScript, findVersion, scriptNotFound } from "./find.js";
import { sendUploaded, toStored } from "./shapes.js";

const MAX_ATTEMPTS = 10;

export function restoreVersion(deps: Dependencies): Route {
  const { catalog, registrar } = deps;
  const bound = route("restoreVersion", async ({ params, req, res }) => {
    const key = readIdempotencyKey(req);
    const restored = await once(
      deps.claims,
      { key, identity: ["restoreVersion", params.id, params.n], replay: toStored, res },
      restore,
    );
    await sendUploaded(deps, res, restored);

    async function restore(idempotency: KeyedRequest | undefined): Promise<Stored> {
      const old = await findVersion(catalog, { scriptId: params.id, version: params.n }, res);
      if (old.blob === undefined && isFinal(old.state) && old.rawKey === undefined) {
        throw new ProblemError(
          "content_gone",
          `The bytes of version ${old.version} are not kept any more, so there is nothing to bring back.`,
        );
      }
      if (old.blob === undefined) {
        throw new ProblemError(
          "not_ready",
          `Version ${old.version} has not been through dedup yet, so there is nothing to bring back.`,
          { headers: { "Retry-After": "1" } },
        );
      }
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
        const script = await findScript(catalog, params.id, res);
        const registration = await registrar.register({
          scriptId: script.scriptId,
          version: script.version + 1,
          namespace: script.namespace,
          filename: script.filename,
          originalFilename: old.originalFilename,
          sha256: old.sha256,
          size: old.size,
          rawKey: undefined,
          onConflict: "version",
          requestId: res.locals.requestId,
          restoredFrom: old.version,
          idempotency,
        });
        if (registration.kind === "created" || registration.kind === "unchanged")
          return registration;
        // Deleted in the meantime, and its name is free or another's.
        if (registration.kind === "moved" && registration.scriptId !== params.id) {
          throw scriptNotFound(params.id);
        }
      }
      throw new ProblemError("upload_contended", "Uploads of this script were quicker. Try again.");
    }
  });
  return { ...bound, handle: (req, res) => deps.intake.take(() => bound.handle(req, res)) };
}
