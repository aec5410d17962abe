export * from "./approvals.js";
export * from "./asked.js";
export * from "./audit.js";
export * from "./capability-names.js";
export * from "./merge-patch.js";
