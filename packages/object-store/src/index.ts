export { DeferredObjectStore } from "./deferred.js";
export { FileSystemObjectStore } from "./filesystem.js";
export * from "./keys.js";
export * from "./object-store.js";
export { openObjectStore } from "./open.js";
export { S3ObjectStore } from "./s3.js";
export * from "./url.js";
