import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { guard } from "../servers/index.js";

const MAIN = fileURLToPath(new URL("../../services/watch/dist/main.js", import.meta.url));

/** A real watch process. */
export interface Watcher {
  readonly pid: number;
  /** It has ended by itself or by somebody. */
  hasEnded(): boolean;
  /** Memory that it has taken so far at most, in kilobytes. */
  peakKb(): number;
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<number | null>;
}

/** @param inside - a program that runs the one it is given, in surroundings of its own */
export function startWatcher(
  env: Readonly<Record<string, string>>,
  inside: readonly string[] = [],
): Watcher {
  const [command, ...args] = [...inside, process.execPath, MAIN];
  const child = spawn(command, args, {
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
  const pid = child.pid as number;
  return {
    pid,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    peakKb() {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]);
    },
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
