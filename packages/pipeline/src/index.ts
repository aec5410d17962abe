export * from "./outcomes.js";
export * from "./stages.js";
export * from "./states.js";
