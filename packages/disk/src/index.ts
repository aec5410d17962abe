export { roomOf } from "./describe-state.js";
export * from "./storage-monitor.js";
export * from "./stores-to-watch.js";
export { tellingWhenFull } from "./telling-store.js";
