export * from "./blob.js";
export * from "./encoding.js";
export * from "./pack.js";
