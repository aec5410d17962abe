import { readAnalysis } from "@sluice/catalog";
import type { MetadataDocument } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import { route, type Route } from "../http/route.js";
import { sendTagged } from "../http/send-json.js";
import { revisionTag } from "../revision.js";
import { findScript, findVersion } from "./find.js";
import { absentAnalysis } from "./absent-analysis.js";
import { toUserFields } from "./shapes.js";

export function readMetadata({ catalog, uses }: Dependencies): Route {
  return route("readMetadata", async ({ params, query, req, res }) => {
    const version = await findVersion(
      catalog,
      { scriptId: params.id, version: query.version },
      res,
    );
    const [{ metadata }, script] = await Promise.all([
      readAnalysis(catalog, version.versionId),
      findScript(catalog, params.id, res),
    ]);
    if (metadata === undefined) throw absentAnalysis("no_metadata", "extract", version);
    uses.metadataRead(version.scriptId);
    const { tools, ...found } = metadata;
    const body: MetadataDocument = {
      script_id: version.scriptId,
      filename: version.filename,
      version: version.version,
      sha256: version.sha256,
      ...found,
      tools: tools[query.profile],
      user: toUserFields(script),
    };
    sendTagged(req, res, body, { tag: revisionTag(script.revision) });
  });
}
