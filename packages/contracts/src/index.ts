export * from "./metadata.js";
export * from "./report.js";
export * from "./status.js";
