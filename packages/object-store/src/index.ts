export * from "./keys.js";
export * from "./object-store.js";
