import { readAnalysis } from "@sluice/catalog";
import { type Finding, type Report, SARIF_TYPE } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { sendTagged } from "../http/send-json.js";
import { toSarif } from "../sarif.js";
import { absentAnalysis } from "./absent-analysis.js";
import { findVersion } from "./find.js";

export function readReport({ catalog }: Dependencies): Route {
  return route("readReport", async ({ params, query, req, res }) => {
    res.set("Vary", "Accept");
    const type = req.accepts(["application/json", SARIF_TYPE]);
    if (type === false) {
      throw new ProblemError("not_acceptable", `A report is application/json or ${SARIF_TYPE}.`);
    }
    const version = await findVersion(
      catalog,
      { scriptId: params.id, version: query.version },
      res,
    );
    const { report } = await readAnalysis(catalog, version.versionId);
    if (report === undefined) throw absentAnalysis("no_report", "validate", version);
    const body: Report = {
      script_id: version.scriptId,
      version: version.version,
      sha256: version.sha256,
      ...report,
      findings: report.findings.map((finding) => ({ ...finding, why: whyOf(finding) })),
    };
    sendTagged(req, res, type === SARIF_TYPE ? toSarif(body, version.filename) : body, { type });
  });
}

/** Reports that were stored before findings said why they matter have none. */
function whyOf({ why }: Partial<Pick<Finding, "why">>): string | null {
  return why ?? null;
}
