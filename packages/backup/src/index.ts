export * from "./blob-copy.js";
export * from "./manifest.js";
