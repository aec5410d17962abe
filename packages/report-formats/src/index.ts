export type { ReportedFile } from "./reported-file.js";
export { LOG_HEAD, SarifRun, toSarif, type UnreportedFile } from "./sarif/run.js";
export { reportLines, toText, verdictText } from "./text/report.js";
export { createStyle, type Style } from "./text/style.js";
export { count, Totals } from "./text/totals.js";
export { visible, visibleStart } from "./text/visible.js";
