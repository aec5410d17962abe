export * from "./blob-copy.js";
export * from "./check-copies.js";
export * from "./manifest.js";
export * from "./heal-blob.js";
export * from "./inspect.js";
export * from "./suspicion.js";
export * from "./heal-documents.js";
