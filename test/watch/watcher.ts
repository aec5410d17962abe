import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { guard } from "../servers/index.js";

const MAIN = fileURLToPath(new URL("../../services/watch/dist/main.js", import.meta.url));

/** A real watch process. */
export interface Watcher {
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<number | null>;
}

export function startWatcher(env: Readonly<Record<string, string>>): Watcher {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env["PATH"],
      WATCH_SETTLE_SECONDS: "1",
      WATCH_SCAN_SECONDS: "1",
      LEASE_SECONDS: "2",
      OBJECT_STORE_URL: "file:///nowhere/objects",
      BACKUP_URL: "file:///nowhere/backup",
      ...env,
    },
  });
  guard(child);
  const exited = once(child, "exit") as Promise<[number | null]>;
  return {
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
