import type { AnalysisReport } from "@sluice/contracts";
import { finding, quoted } from "./finding.js";

/**
 * The report on a script in which a virus scanner has found something: the verdict is `malicious`, whatever else is said.
 *
 * @param signature - what the scanner calls it, such as `Win.Test.EICAR_HDB-1`
 */
export function infected(report: AnalysisReport, signature: string): AnalysisReport {
  const message = `ClamAV knows this as ${quoted(signature)}`;
  const found = finding("malware.signature", message, null);
  return { ...report, verdict: "malicious", findings: [found, ...report.findings] };
}
