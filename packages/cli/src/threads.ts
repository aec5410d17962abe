import { availableParallelism } from "node:os";

/** Most scripts leave a thread below it; a few large ones do not. */
const MEMORY_OF_A_THREAD = 536_870_912;

/** How many parser threads this machine has cores and memory for. */
export function defaultThreads(): number {
  const byMemory = Math.floor(process.availableMemory() / MEMORY_OF_A_THREAD);
  return Math.max(1, Math.min(availableParallelism(), byMemory));
}
