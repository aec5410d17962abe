/**
 * What a download costs an ingest process, as it is stored (zstd) and decoded, in CPU a request; of this checkout's build and of any
 * others that are named by their `main.js`, on the same catalog and store, round by round.
 *
 *     npx tsc -b && npx tsx test/bench/downloads.ts /tmp/stdlib [OTHER/services/ingest/dist/main.js…]
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { migrate, openCatalog } from "@sluice/catalog";
import { openObjectStore } from "@sluice/object-store";
import pLimit from "p-limit";
import { createDatabase, guard, startPostgres, temporaryDirectory } from "../servers/index.js";
import { type StoredScript, storeScripts } from "./stored-scripts.js";

const ROUNDS = 5;
const AT_ONCE = 16;
const SCRIPTS = 1_790;
/** Of `/proc/<pid>/stat`. */
const TICKS_PER_SECOND = 100;

const [directory, ...others] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write("usage: downloads.ts DIRECTORY [MAIN.js…]\n");
  process.exit(2);
}
const own = fileURLToPath(new URL("../../services/ingest/dist/main.js", import.meta.url));
const postgres = await startPostgres();
const url = await createDatabase(postgres);
await migrate(url);
const catalog = openCatalog(url, { log: { warn: () => {} } });
const root = temporaryDirectory();
const objects = await openObjectStore(`file://${root}/objects`);
const backup = await openObjectStore(`file://${root}/backup`);
const limit = pLimit(AT_ONCE);
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const servers = await Promise.all([own, ...others].map(start));
try {
  const scripts = await storeScripts(
    { catalog, objects, backup },
    { directory, count: 2 * SCRIPTS, encoding: "zstd" },
  );
  // Each script for the first time in its process, then again and again.
  const [warming, measured] = [scripts.slice(0, SCRIPTS), scripts.slice(SCRIPTS)];
  await measure("warming up", warming, "zstd", ROUNDS);
  await measure("zstd, the first time", measured, "zstd", 1);
  await measure("zstd, again", measured, "zstd", ROUNDS);
  await measure("decoded", measured, "identity", ROUNDS);
} finally {
  for (const { kill } of servers) kill();
  agent.destroy();
  await catalog.close();
  await objects.close();
  await backup.close();
  await postgres.stop();
}

async function measure(
  what: string,
  scripts: readonly StoredScript[],
  coding: string,
  rounds: number,
): Promise<void> {
  const costs = new Map(servers.map(({ main }) => [main, [] as number[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const server of servers) {
      const before = cpuOf(server.pid);
      await Promise.all(
        scripts.map(({ scriptId }) => limit(() => download(server.url, scriptId, coding))),
      );
      costs.get(server.main)?.push((cpuOf(server.pid) - before) / scripts.length);
    }
  }
  const medians = [...costs].map(([main, of]) => ({ main, cost: median(of) }));
  for (const { main, cost } of medians) {
    const ratio = cost / (medians.at(-1)?.cost ?? cost);
    say(`${what}: ${(cost * 1e6).toFixed(0)} µs, ${ratio.toFixed(2)} of the last  ${main}`);
  }
}

async function start(main: string) {
  const child = spawn(process.execPath, [main], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      PORT: "0",
      CATALOG_URL: url,
      QUEUE_URL: url,
      OBJECT_STORE_URL: `file://${root}/objects`,
      BACKUP_URL: `file://${root}/backup`,
    },
  });
  guard(child);
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as { msg: string; url: string };
    if (line.msg !== "listening") continue;
    child.stdout.resume();
    return { main, url: line.url, pid: child.pid as number, kill: () => child.kill("SIGKILL") };
  }
  throw new Error(`${main} did not start`);
}

/** Of all its threads, in seconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function download(base: string, scriptId: string, coding: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `${base}/api/v1/scripts/${scriptId}/content`;
    request(path, { agent, headers: { "Accept-Encoding": coding } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.on("end", resolve).on("error", reject).resume();
    })
      .on("error", reject)
      .end();
  });
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
