export type { ReportedFile } from "./reported-file.js";
export { LOG_HEAD, SarifRun, toSarif, type UnreportedFile } from "./sarif/run.js";
export { linesOf, type SourceLines } from "./source-lines.js";
export { excerpt } from "./text/excerpt.js";
export { createStyle, type Style } from "./text/style.js";
export { visible, visibleStart } from "./text/visible.js";
