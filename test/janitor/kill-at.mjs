/**
 * Loaded into a process, ends it by kill -9 before or behind a call to a store: KILL_AT is such as `behind delete ^blobs/`, the last of it
 * an expression that the key matches.
 */
import { FileSystemObjectStore } from "@sluice/object-store";

const [when, call, key] = (process.env.KILL_AT ?? "").split(" ");
if (call !== undefined) {
  const stored = FileSystemObjectStore.prototype;
  const whole = stored[call];
  stored[call] = async function (...args) {
    const isHit = new RegExp(key).test(args[0]);
    if (isHit && when === "before") process.kill(process.pid, "SIGKILL");
    const result = await whole.apply(this, args);
    if (isHit) process.kill(process.pid, "SIGKILL");
    return result;
  };
}
