export * from "./blob.js";
export * from "./encoding.js";
