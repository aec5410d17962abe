export * from "./bullmq-queue.js";
export * from "./queue.js";
