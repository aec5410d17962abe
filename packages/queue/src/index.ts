export { isQueueFull, QueueUnavailableError } from "./backends.js";
export * from "./bullmq-queue.js";
export * from "./queue.js";
export * from "./schedule.js";
