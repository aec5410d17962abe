import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, chmodSync, rmSync } from "node:fs";
import { type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

let orders: Socket | undefined;

/**
 * Sees to it that a process does not outlive this one, even if this one is killed.
 *
 * @param signal - how it is ended then; SIGKILL follows if that does not help
 * @returns the same process
 */
export function guard(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): ChildProcess {
  const { pid } = child;
  if (pid !== undefined) {
    send(`watch ${pid} ${signal}`);
    child.once("exit", () => send(`forget ${pid}`));
  }
  return child;
}

/** A directory that is gone when this process is, wherever it was left. Any user may pass through it. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "sluice-test-"));
  chmodSync(path, 0o711);
  send(`remove ${path}`);
  return path;
}

/** Removes a directory and all that is in it. */
export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

function send(order: string): void {
  orders ??= startGuard();
  orders.write(`${order}\n`);
}

function startGuard(): Socket {
  const program = fileURLToPath(new URL("./guard.mjs", import.meta.url));
  // In a session of its own, out of reach of Ctrl-C.
  const child = spawn(process.execPath, [program], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.unref();
  const stdin = child.stdin as unknown as Socket;
  stdin.unref();
  return stdin;
}
