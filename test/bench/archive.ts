/**
 * What the archive costs and saves: real Python files as blobs of their own and as packs, in a fresh directory or on an S3 server.
 *
 *     npx tsx test/bench/archive.ts DIRECTORY [minio]
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { encode, readBlob, sha256Of } from "@sluice/blobs";
import {
  listArchiveQueue,
  migrate,
  openCatalog,
  queueForArchive,
  readBlobPlace,
} from "@sluice/catalog";
import {
  blobKey,
  type BlobPlace,
  metadataKey,
  type ObjectStore,
  openObjectStore,
} from "@sluice/object-store";
import { createLog } from "@sluice/runtime";
import pLimit from "p-limit";
import { Pace } from "../../services/janitor/src/scrub/pace.js";
import { writePack } from "../../services/janitor/src/archive/write-pack.js";
import { createDatabase, startPostgres } from "../servers/postgres.js";
import { startS3, temporaryDirectory } from "../servers/index.js";

const THRESHOLD = 1_024;
const AT_ONCE = 16;
const ROUNDS = 5;
const directory = process.argv[2] ?? "/tmp/stdlib";
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const sources = new Map(
  readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".py"))
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path))
    .filter(({ length }) => length > 0 && length <= 50_000)
    .map((content) => [sha256Of(content), content] as const),
);

const server = process.argv[3] === undefined ? undefined : await startS3("minio");
const postgres = await startPostgres();
const url = await createDatabase(postgres);
await migrate(url);
const catalog = openCatalog(url, { log: { warn: () => {} } });
const root = temporaryDirectory();
const objects = await openObjectStore(server?.bucketUrl() ?? `file://${root}/store`);
const backup = await openObjectStore(server?.bucketUrl() ?? `file://${root}/backup`);

interface Held {
  readonly objects: number;
  readonly bytes: number;
  /** In blocks of 4 KiB, as most file systems give them. */
  readonly onDisk: number;
}

async function held(store: ObjectStore): Promise<Held> {
  let [count, bytes, onDisk] = [0, 0, 0];
  for await (const { size } of store.list("")) {
    count += 1;
    bytes += size;
    onDisk += Math.ceil(size / 4_096) * 4_096;
  }
  return { objects: count, bytes, onDisk };
}

async function places(): Promise<(readonly [string, BlobPlace])[]> {
  return Promise.all(
    [...sources.keys()].map(async (sha256) => {
      const place = await readBlobPlace(catalog, sha256);
      if (place === undefined) throw new Error(`no blob of ${sha256}`);
      return [sha256, place] as const;
    }),
  );
}

/** Reads all in an order of no meaning; the median of some rounds, in milliseconds a script. */
async function read(atOnce: number): Promise<number> {
  const all = await places();
  const limit = pLimit(atOnce);
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    await Promise.all(all.map(([sha256, place]) => limit(() => readBlob(objects, place, sha256))));
    rounds.push((performance.now() - startedAt) / all.length);
  }
  return rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
const shown = ({ objects: count, bytes, onDisk }: Held): string =>
  `${count} objects, ${mib(bytes)}, ${mib(onDisk)} in blocks of 4 KiB`;

try {
  const limit = pLimit(AT_ONCE);
  await Promise.all(
    [...sources].map(([sha256, content]) =>
      limit(async () => {
        const encoding = content.length < THRESHOLD ? "identity" : "zstd";
        const stored = await encode(content, encoding);
        const key = blobKey(sha256, encoding);
        await objects.put(key, stored);
        await backup.put(`backups/${key}`, stored);
        const metadata = { sha256, functions: content.toString().match(/^ *def .*$/gm) };
        await objects.put(metadataKey(sha256), Buffer.from(JSON.stringify(metadata)));
        await catalog.query(
          `insert into blobs (sha256, size, key, length, encoding, backup_key) values ($1, $2, $3, $4, $5, $6)`,
          [sha256, content.length, key, stored.length, encoding, `backups/${key}`],
        );
      }),
    ),
  );
  const total = [...sources.values()].reduce((sum, { length }) => sum + length, 0);
  say(
    `${sources.size} scripts, ${mib(total)}, on ${server === undefined ? "a directory" : "MinIO"}`,
  );
  say(`hot:     ${shown(await held(objects))}`);
  const hot = [await read(1), await read(AT_ONCE)] as const;

  await queueForArchive(catalog, [...sources.keys()]);
  const { signal } = new AbortController();
  const pace = new Pace({ objectsPerSecond: Infinity, bytesPerSecond: Infinity });
  const log = createLog("janitor", { logLevel: "silent" });
  const startedAt = performance.now();
  let packs = 0;
  for (;;) {
    const queued = await listArchiveQueue(catalog, { limit: 4_000 });
    if (queued.length === 0) break;
    await writePack({ catalog, objects, backup, log, pace, signal }, queued, () => []);
    packs += 1;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  say(`archive: ${shown(await held(objects))}`);
  say(`archived ${Math.round(sources.size / seconds)} scripts/s, into ${packs} packs`);
  const archived = [await read(1), await read(AT_ONCE)] as const;
  for (const [index, atOnce] of [1, AT_ONCE].entries()) {
    const [before, after] = [hot[index] ?? 0, archived[index] ?? 0];
    say(
      `read, ${atOnce} at once: hot ${before.toFixed(3)} ms, archive ${after.toFixed(3)} ms a script (${(after / before).toFixed(2)})`,
    );
  }
} finally {
  await catalog.close();
  await objects.close();
  await backup.close();
  await postgres.stop();
  await server?.stop();
}
