/**
 * How fast a pass of the scrub reads scripts and their copies where no rate holds it back, beside reading the very same files one after
 * the other and nothing but hashing them. Stores are directories, the catalog is a fresh PostgreSQL.
 *
 *     npx tsx test/bench/scrub.ts /tmp/stdlib 5000
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "@sluice/blobs";
import { migrate, openCatalog, readScrubPass } from "@sluice/catalog";
import { openObjectStore } from "@sluice/object-store";
import { runScrub, scrubDeps, scrubPass } from "../janitor/scrub-fixture.js";
import { createDatabase, startPostgres, temporaryDirectory } from "../servers/index.js";
import { storeScripts } from "./stored-scripts.js";

const ROUNDS = 5;

const [directory, count] = [process.argv[2], Number(process.argv[3] ?? 5_000)];
if (directory === undefined || !(count > 0)) {
  process.stderr.write("usage: scrub.ts DIRECTORY [SCRIPTS]\n");
  process.exit(2);
}
const postgres = await startPostgres();
const url = await createDatabase(postgres);
await migrate(url);
const catalog = openCatalog(url, { log: { warn: () => {} } });
const root = temporaryDirectory();
const objects = await openObjectStore(`file://${root}/objects`);
const backup = await openObjectStore(`file://${root}/backup`);
const stores = { catalog, objects, backup };
try {
  const scripts = await storeScripts(stores, { directory, count, encoding: "zstd" });
  const scrubbed: number[] = [];
  const hashed: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    scrubbed.push(
      await timed(async () => {
        await scrubPass(scrubDeps(stores));
        // A run ends after a minute.
        while ((await readScrubPass(catalog))?.finishedAt === undefined)
          await runScrub(scrubDeps(stores));
      }),
    );
    bytes = 0;
    hashed.push(
      await timed(async () => {
        for (const { key, backupKey } of scripts) {
          for (const path of [join(root, "objects", key), join(root, "backup", backupKey)]) {
            const stored = readFileSync(path);
            bytes += stored.length;
            sha256Of(stored);
          }
        }
      }),
    );
  }
  const pass = await readScrubPass(catalog);
  if (pass?.counts.checked !== count || pass.counts.damaged + pass.counts.missing > 0)
    throw new Error(`not what it should have found: ${JSON.stringify(pass)}`);
  const [scrub, hash] = [median(scrubbed), median(hashed)];
  const source = scripts.reduce((sum, { size }) => sum + size, 0);
  say(`${count} scripts, ${(source / 1e6).toFixed(1)} MB of source, each with its copy`);
  for (const [what, seconds] of [
    ["scrub", scrub],
    ["sha256 of the same files", hash],
  ] as const) {
    say(
      `${what}: ${(count / seconds).toFixed(0)} scripts/s, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s as stored`,
    );
  }
  say(`ratio ${(scrub / hash).toFixed(2)}`);
} finally {
  await catalog.close();
  await objects.close();
  await backup.close();
  await postgres.stop();
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1_000;
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
