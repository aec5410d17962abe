/**
 * Compares the first scan of a drop folder with a plain uploader that sends the same files over HTTP, one a request, as many at once.
 *
 *     npx tsc -b && npx tsx test/bench/watch.ts 100000
 *
 * Both send to an ingest process of their own on an empty database of one PostgreSQL; no stage runs. The files, in folders of a
 * hundred, and the stores are in temporary directories that are removed in the end: 100,000 files take 3 GB.
 */
import { mkdirSync, readFileSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { migrate } from "@sluice/catalog";
import pLimit from "p-limit";
import { type Ingest, startIngest } from "../http/ingest.js";
import { createDatabase, startPostgres, temporaryDirectory } from "../servers/index.js";
import { startWatcher } from "../watch/watcher.js";

const UPLOADS_AT_ONCE = 32;
const FILES_IN_A_FOLDER = 100;

const [wanted = "100000"] = process.argv.slice(2);
const count = Number(wanted);
if (!Number.isSafeInteger(count) || count < 1) {
  process.stderr.write("usage: watch.ts [FILES]\n");
  process.exit(2);
}

const root = realpathSync(temporaryDirectory());
for (let folder = 0; folder * FILES_IN_A_FOLDER < count; folder += 1) {
  mkdirSync(join(root, `f${folder}`));
  for (
    let file = 0;
    file < Math.min(FILES_IN_A_FOLDER, count - folder * FILES_IN_A_FOLDER);
    file += 1
  ) {
    const text =
      `def task_${folder}_${file}():\n    return ${folder * FILES_IN_A_FOLDER + file}\n`.repeat(40);
    writeFileSync(join(root, `f${folder}`, `task_${file}.py`), text);
  }
}
const postgres = await startPostgres();
try {
  const plain = await withIngest(uploadPlainly);
  print("plain uploader", plain);
  const watched = await withIngest(watch);
  print("first scan", watched.first);
  print("whole scan of known files", watched.known);
  process.stdout.write(
    `first scan / plain uploader: ${(watched.first / plain).toFixed(2)} of the time\n` +
      `memory of the watcher at most: ${Math.round(watched.peakKb / 1_024)} MB\n`,
  );
} finally {
  await postgres.stop();
}

async function withIngest<T>(use: (ingest: Ingest, catalogUrl: string) => Promise<T>): Promise<T> {
  const catalogUrl = await createDatabase(postgres);
  await migrate(catalogUrl);
  const ingest = await startIngest({ catalogUrl, env: { LOG_LEVEL: "info" } });
  try {
    return await use(ingest, catalogUrl);
  } finally {
    await ingest.stop();
  }
}

/** @returns milliseconds */
async function uploadPlainly({ url }: Ingest): Promise<number> {
  const limit = pLimit(UPLOADS_AT_ONCE);
  const begun = performance.now();
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".py"),
  );
  await Promise.all(
    paths.map((path) =>
      limit(async () => {
        const form = new FormData();
        form.set("file", new Blob([readFileSync(join(root, path))]), path.split("/").at(-1));
        const target = `${url}/api/v1/upload_script?namespace=${dirname(path)}`;
        const response = await fetch(target, { method: "POST", body: form });
        if (response.status !== 202) throw new Error(`${path}: ${response.status}`);
        await response.arrayBuffer();
      }),
    ),
  );
  return performance.now() - begun;
}

async function watch(
  { url, catalog }: Ingest,
  catalogUrl: string,
): Promise<{ first: number; known: number; peakKb: number }> {
  const env = {
    CATALOG_URL: catalogUrl,
    QUEUE_URL: catalogUrl,
    WATCH_DIRS: root,
    WATCH_UPLOAD_URL: url,
    WATCH_SCAN_SECONDS: "86400",
    LEASE_SECONDS: "30",
  };
  const stored = async (): Promise<number> =>
    (await catalog.query<{ n: number }>("select count(*)::int as n from watch_files")).rows[0]?.n ??
    0;
  const scans = async (): Promise<Date | null> =>
    (await catalog.query<{ at: Date | null }>("select last_scan_at as at from watch_directories"))
      .rows[0]?.at ?? null;
  let begun = performance.now();
  let watcher = startWatcher(env);
  for (let done = 0, told = begun; done < count; done = await stored()) {
    if (watcher.hasEnded()) throw new Error(`the watcher has ended after ${done} files`);
    if (performance.now() - told > 30_000) {
      told = performance.now();
      process.stderr.write(`first scan: ${done} of ${count} files\n`);
    }
    await delay(200);
  }
  const first = performance.now() - begun;
  const peakKb = watcher.peakKb();
  await watcher.stop();
  const before = await scans();
  begun = performance.now();
  watcher = startWatcher(env);
  while ((await scans())?.getTime() === before?.getTime()) await delay(50);
  const known = performance.now() - begun;
  await watcher.stop();
  return { first, known, peakKb };
}

function print(what: string, ms: number): void {
  const rate = Math.round((count / ms) * 1_000);
  process.stdout.write(`${what}: ${(ms / 1_000).toFixed(1)} s, ${rate} files/s\n`);
}
