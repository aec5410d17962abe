export * from "./health.js";
export * from "./log.js";
export * from "./metrics.js";
export * from "./serve-health.js";
export * from "./service.js";
export * from "./settings.js";
export * from "./shutdown.js";
