import { originalFilename, sanitiseFilename } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import { toProblemError } from "../http/problems.js";
import { route, type Route } from "../http/route.js";
import { once, readIdempotencyKey } from "../idempotency.js";
import { readForm } from "../upload/form.js";
import { storeUpload } from "../upload/store-upload.js";
import { sendUploaded, toStored } from "./shapes.js";

export function uploadScript(deps: Dependencies): Route {
  const bound = route("uploadScript", async ({ query, req, res }) => {
    const key = readIdempotencyKey(req);
    const file = await readForm(req, res, deps.held);
    const filename = sanitiseFilename(file.name);
    const { namespace, on_conflict: onConflict } = query;
    const stored = await once(
      deps.claims,
      {
        key,
        identity: ["uploadScript", namespace, onConflict, filename, file.sha256],
        replay: toStored,
        res,
      },
      (idempotency) =>
        storeUpload(deps, {
          namespace,
          filename,
          originalFilename: originalFilename(file.name),
          bytes: file.bytes,
          sha256: file.sha256,
          onConflict,
          requestId: res.locals.requestId,
          idempotency,
        }),
    );
    deps.counters.uploads.inc({ outcome: stored.kind });
    if (stored.kind === "created") deps.counters.uploadedBytes.inc(stored.size);
    await sendUploaded(deps, res, stored);
  });
  return {
    ...bound,
    handle: (req, res) =>
      deps.intake
        .take(() => bound.handle(req, res))
        .catch((error: unknown) => {
          const problem = toProblemError(error);
          deps.counters.uploads.inc({ outcome: problem?.code ?? "client_gone" });
          throw error;
        }),
  };
}
