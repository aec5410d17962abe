/**
 * Ends what a test run started once that run is over, however it ended: it reads its orders from
 * standard input, which closes even when the process at the other end is killed.
 *
 *     watch <pid> <signal>    to be ended so
 *     forget <pid>            has ended
 *     remove <directory>      to be removed
 */
import { existsSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

const PATIENCE_MS = 3_000;

const processes = new Map();
const directories = new Set();

for await (const line of createInterface({ input: process.stdin })) {
  const [order, rest] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)];
  const [pid, signal] = rest.split(" ");
  if (order === "watch") processes.set(Number(pid), signal);
  if (order === "forget") processes.delete(Number(pid));
  if (order === "remove") directories.add(rest);
}

for (const [pid, signal] of processes) send(pid, signal);
const end = Date.now() + PATIENCE_MS;
while (Date.now() < end && [...processes.keys()].some((pid) => send(pid, 0))) await delay(50);
for (const pid of processes.keys()) send(pid, "SIGKILL");
for (const directory of directories) {
  if (existsSync(directory)) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

function send(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
