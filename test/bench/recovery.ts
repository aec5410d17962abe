/**
 * What an export costs and how quickly a restore goes, over generated rows in a fresh PostgreSQL and over files.
 *
 *     npx tsx test/bench/recovery.ts 1000000 20000
 *
 * The first number is of scripts, each with bytes of its own; the second of blobs that are really there, in directories.
 */
import { createHash, randomBytes } from "node:crypto";
import { backUpBlob } from "@sluice/backup";
import { migrate, openCatalog, openSession, type Session } from "@sluice/catalog";
import { blobKey, FileSystemObjectStore, type ObjectStore } from "@sluice/object-store";
import {
  exportCatalog,
  type ExportOutcome,
  rebuild,
  restore,
  restoreScript,
} from "@sluice/recovery";
import pLimit from "p-limit";
import { createDatabase, startPostgres, temporaryDirectory } from "../servers/index.js";
import { removeDirectory } from "../servers/guard.js";

const scripts = Number(process.argv[2] ?? 100_000);
const blobs = Number(process.argv[3] ?? 10_000);
const PAGE = 50_000;
const MILLION = 1_000_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const { signal } = new AbortController();
const directories: string[] = [];

async function timed<T>(
  what: string,
  work: () => Promise<T>,
): Promise<{ result: T; seconds: number }> {
  const startedAt = performance.now();
  const result = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  say(`${what}: ${seconds.toFixed(1)} s`);
  return { result, seconds };
}

async function directory(): Promise<FileSystemObjectStore> {
  const path = temporaryDirectory();
  directories.push(path);
  return FileSystemObjectStore.open(path);
}

/** Scripts that are ready, with five stages, an analysis, facts and a blob each; about as large as those of real scripts. */
async function generate(db: Session, from: number, to: number): Promise<void> {
  const of = `generate_series(${from + 1}, ${to}) n`;
  const hash = "encode(sha256(n::text::bytea), 'hex')";
  const id = "md5(n::text)::uuid";
  for (const statement of [
    `insert into scripts (id, namespace, filename, latest_version) select ${id}, 'bench', 's' || n || '.py', 1 from ${of}`,
    `insert into versions (id, script_id, number, sha256, size, original_filename, state, verdict, analyser_version,
        policy_version, policy_id, request_id, finished_at, manifest_key)
      select ${id}, ${id}, 1, ${hash}, 4000, 's' || n || '.py', 'ready', 'allowed', 'a', 'p', 1, md5(n::text), now(),
        'backups/manifests/' || ${id} || '/v1.json' from ${of}`,
    `insert into stages (version_id, stage, state, attempts, started_at, finished_at)
      select ${id}, s, 'done', 1, now(), now() from ${of} cross join unnest('{dedup,validate,extract,compress,backup}'::text[]) s`,
    `insert into blobs (sha256, size, key, length, encoding, backup_key, backed_up_at)
      select h, 4000, 'blobs/sha256/' || h || '.zst', 1300, 'zstd', 'backups/blobs/sha256/' || h || '.zst', now()
      from (select ${hash} as h from ${of}) made`,
    `insert into analyses (sha256, analyser_version, policy_version, leader, state, verdict, report, metadata)
      select ${hash}, 'a', 'p', ${id}, 'done', 'allowed',
        json_build_object('findings', '[]'::json, 'capabilities', '[]'::json, 'text', repeat(md5(n::text) || ' report ', 12)),
        json_build_object('functions', json_build_array(json_build_object('name', 'f' || n, 'docstring', repeat(md5(n::text) || ' does it ', 24))))
      from ${of}`,
    `insert into script_facts (sha256, analyser_version, facts)
      select ${hash}, 'a', json_build_object('lines', n, 'text', repeat(md5(n::text) || ' facts ', 8)) from ${of}`,
  ])
    await db.query(statement);
}

function sizeOf(outcome: ExportOutcome): string {
  if (outcome.kind !== "exported") return outcome.kind;
  const { segments, kind } = outcome.index;
  const rows = segments.reduce((sum, one) => sum + one.rows, 0);
  const size = segments.reduce((sum, one) => sum + one.size, 0);
  return `${kind}, ${rows} rows, ${(size / MILLION).toFixed(1)} MB`;
}

const postgres = await startPostgres();
try {
  const rate = await rowsPart();
  const blobRate = await blobsPart();
  const load = (MILLION / scripts) * rate.seconds;
  const objects = MILLION / blobRate;
  say("");
  say(
    `A million scripts, each with bytes of its own: catalog ${(load / 60).toFixed(0)} min, objects ${(objects / 60).toFixed(0)} min`,
  );
} finally {
  await postgres.stop();
  for (const path of directories) removeDirectory(path);
}

async function rowsPart(): Promise<{ seconds: number }> {
  const url = await createDatabase(postgres);
  await migrate(url);
  const db = await openSession(url, "bench");
  // Neither counted nor checked while they are made: that would take most of the time.
  await db.query("set session_replication_role = replica");
  for (let from = 0; from < scripts; from += PAGE)
    await generate(db, from, Math.min(from + PAGE, scripts));
  await db.query("set session_replication_role = default");
  await db.query("vacuum analyze");
  const { rows } = await db.query<{ size: string }>(
    "select pg_size_pretty(pg_database_size(current_database())) as size",
  );
  say(`${scripts} scripts, ${rows[0]?.size} of catalog`);
  const [objects, backup] = [await directory(), await directory()];
  const once = (): Promise<ExportOutcome> =>
    exportCatalog({ catalogUrl: url, objects, backup, keys: [], signal, keepMs: 0 });
  const saySize = (what: string, { result }: { result: ExportOutcome }): void =>
    say(`  ${what}: ${sizeOf(result)}`);
  saySize("base", await timed("export of everything, with its register", once));
  saySize("nothing", await timed("export where nothing has changed", once));
  await generate(db, scripts, scripts + 1_000);
  saySize("increment", await timed("export after 1,000 more scripts", once));
  const scan = await timed("one scan of all these tables (count)", async () => {
    for (const table of ["scripts", "versions", "stages", "blobs", "analyses", "script_facts"])
      await db.query(`select count(*) from ${table} where age(xmin) < 0`);
  });
  say(`  (what an increment cannot be quicker than: ${scan.seconds.toFixed(1)} s)`);
  const loaded = await restoreRows(backup);
  await restoreOne(url, { objects, backup }, db);
  await db.close();
  return loaded;
}

/** Loads the catalog; the objects are not there, and it is stopped where they would come. */
async function restoreRows(backup: ObjectStore): Promise<{ seconds: number }> {
  const catalogUrl = await createDatabase(postgres);
  const abort = new AbortController();
  const since = new Map<string, number>();
  const startedAt = performance.now();
  const onProgress = (phase: string): void => {
    if (!since.has(phase)) since.set(phase, performance.now());
    if (phase === "bringing objects") abort.abort();
  };
  await restore({
    catalogUrl,
    objects: await directory(),
    from: backup,
    backup: undefined,
    keys: [],
    exportId: undefined,
    keepObjects: false,
    allowMissing: true,
    signal: abort.signal,
    onProgress,
  }).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  const at = (phase: string): number => since.get(phase) ?? performance.now();
  const seconds = (at("bringing objects") - startedAt) / 1000;
  const loading = (at("making indexes") - at("loading the catalog")) / 1000;
  const rows = scripts * 10;
  say(
    `catalog restored: ${seconds.toFixed(1)} s, of that loading ${loading.toFixed(1)} s (${Math.round(rows / loading)} rows/s), checking ${((at("loading the catalog") - at("checking the export")) / 1000).toFixed(1)} s`,
  );
  return { seconds };
}

async function restoreOne(
  url: string,
  { objects, backup }: { objects: ObjectStore; backup: ObjectStore },
  db: Session,
): Promise<void> {
  const { rows } = await db.query<{ id: string; sha256: string }>(
    "select script_id as id, sha256 from versions order by id limit 1",
  );
  const { id = "", sha256 = "" } = rows[0] ?? {};
  for (const statement of [
    "delete from stages where version_id = $1",
    "delete from analyses where leader = $1",
    "delete from versions where id = $1",
    "delete from scripts where id = $1",
  ])
    await db.query(statement, [id]);
  await db.query("delete from blobs where sha256 = $1", [sha256]);
  const catalog = openCatalog(url, { log: { warn: () => {} } });
  await timed("restore --script", () =>
    restoreScript({
      catalog,
      objects,
      backup,
      from: backup,
      keys: [],
      scriptId: id,
      filename: undefined,
      actor: "bench",
      signal,
      onProgress: () => {},
    }),
  );
  await catalog.close();
}

/** @returns blobs a second */
async function blobsPart(): Promise<number> {
  const url = await createDatabase(postgres);
  await migrate(url);
  const db = await openSession(url, "bench");
  const [objects, backup] = [await directory(), await directory()];
  const limit = pLimit(16);
  const hashes = await limit.map(
    Array.from({ length: blobs }, (_, i) => i),
    async (i) => {
      const bytes = Buffer.concat([
        Buffer.from(`x = ${i}\n`),
        Buffer.from(randomBytes(1_000).toString("hex")),
      ]);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const place = {
        key: blobKey(sha256),
        offset: 0,
        length: bytes.length,
        encoding: "identity" as const,
      };
      await objects.put(place.key, bytes);
      return {
        i,
        sha256,
        length: bytes.length,
        key: place.key,
        backupKey: await backUpBlob(objects, backup, { place, sha256 }),
      };
    },
  );
  await db.query(
    `insert into blobs (sha256, size, key, length, encoding, backup_key)
     select sha256, length, key, length, 'identity', "backupKey"
     from json_to_recordset($1) as made (sha256 text, length integer, key text, "backupKey" text)`,
    [JSON.stringify(hashes)],
  );
  await db.query(
    `with made as (
       insert into scripts (id, namespace, filename, latest_version)
         select gen_random_uuid(), 'bench', sha256 || '.py', 1 from blobs returning id, filename)
     insert into versions (id, script_id, number, sha256, size, original_filename, state, verdict, request_id)
       select gen_random_uuid(), id, 1, left(filename, 64), 1, 's.py', 'ready', 'allowed', 'r' from made`,
  );
  await exportCatalog({ catalogUrl: url, objects, backup, keys: [], signal, keepMs: 0 });
  const catalogUrl = await createDatabase(postgres);
  let firstAt = 0;
  let lastAt = 0;
  const { seconds } = await timed(`restore of ${blobs} scripts with their blobs`, async () =>
    restore({
      catalogUrl,
      objects: await directory(),
      from: backup,
      backup: undefined,
      keys: [],
      exportId: undefined,
      keepObjects: false,
      allowMissing: false,
      signal,
      onProgress: (phase) => {
        if (phase !== "bringing objects") firstAt = performance.now();
        lastAt = performance.now();
      },
    }),
  );
  const rate = blobs / ((lastAt - firstAt) / 1000);
  say(
    `  objects: ${Math.round(rate)} blobs/s (of ${seconds.toFixed(1)} s ${((lastAt - firstAt) / 1000).toFixed(1)} s)`,
  );
  const rebuilt = await createDatabase(postgres);
  await timed(`rebuild of ${blobs} scripts, without their analysis`, () =>
    rebuild({
      catalogUrl: rebuilt,
      objects,
      backup: undefined,
      ignoreRegister: false,
      signal,
      onProgress: () => {},
    }),
  );
  await db.close();
  return rate;
}
