import { readAnalysis } from "@sluice/catalog";
import { type Finding, type Report, SARIF_TYPE } from "@sluice/contracts";
import { createStyle, toSarif, toText } from "@sluice/report-formats";
import { loadPlain } from "../content/load.js";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { sendTagged, sendTaggedText } from "../http/send-json.js";
import { absentAnalysis } from "./absent-analysis.js";
import { standingOf } from "./approval-shapes.js";
import { findVersion } from "./find.js";

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain";

export function readReport(deps: Dependencies): Route {
  return route("readReport", async ({ params, query, req, res }) => {
    res.set("Vary", "Accept");
    const type = req.accepts([JSON_TYPE, SARIF_TYPE, TEXT_TYPE]);
    if (type === false) {
      throw new ProblemError(
        "not_acceptable",
        `A report is ${JSON_TYPE}, ${SARIF_TYPE} or ${TEXT_TYPE}.`,
      );
    }
    const version = await findVersion(
      deps.catalog,
      { scriptId: params.id, version: query.version },
      res,
    );
    const { report: stored } = await readAnalysis(deps.catalog, version.versionId);
    if (stored === undefined) throw absentAnalysis("no_report", "validate", version);
    const report = {
      ...stored,
      findings: stored.findings.map((finding) => ({ ...finding, why: whyOf(finding) })),
    };
    const { scriptId, version: number, sha256, filename: name } = version;
    if (type === JSON_TYPE) {
      const approval = await standingOf(deps.catalog, version);
      const body: Report = { script_id: scriptId, version: number, sha256, ...report, approval };
      sendTagged(req, res, body);
      return;
    }
    // What is quoted from it makes the two others worth reading.
    const file = { name, report, sha256, source: await loadPlain(deps, version) };
    if (type === SARIF_TYPE)
      sendTagged(req, res, toSarif(file, `sluice/${scriptId}/${number}`), { type });
    else
      sendTaggedText(req, res, toText(file, createStyle(false)), {
        type: `${TEXT_TYPE}; charset=utf-8`,
      });
  });
}

/** Reports that were stored before findings said why they matter have none. */
function whyOf({ why }: Partial<Pick<Finding, "why">>): string | null {
  return why ?? null;
}
