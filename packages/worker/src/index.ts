export type { Handler, HandlerContext } from "./handler.js";
export { enqueueWork } from "./enqueue.js";
export { removeSuperseded } from "./remove-superseded.js";
export { readSource } from "./read-source.js";
export { checksOf, openStores, runStage, type Stores } from "./run-stage.js";
