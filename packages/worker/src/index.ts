export type { Handler, HandlerContext } from "./handler.js";
export { enqueueWork } from "./enqueue.js";
export { checksOf, openStores, runStage, serveHealth, type Stores } from "./run-stage.js";
