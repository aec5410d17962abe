/**
 * How long statistics take in a small and in a large catalog of generated rows, over a year and some hundred namespaces, against the
 * same sums looked for in the tables; and what it costs an upload that they are kept.
 *
 *     npx tsx test/bench/statistics.ts 1000 1000000
 */
import { randomUUID } from "node:crypto";
import {
  addStatisticChanges,
  type Catalog,
  createRegistrar,
  migrate,
  openCatalog,
  readDailyStatistics,
  readNamespaceStatistics,
  readScriptUsage,
  readStatistics,
  recordUse,
} from "@sluice/catalog";
import { upload } from "../catalog/fixture.js";
import { createDatabase, startPostgres } from "../servers/postgres.js";

const sizes = process.argv.slice(2).map(Number);
const [small = 1_000, large = 100_000] = sizes;
const PAGE = 10_000;
const TIMES = 25;
const UPLOADS = 2_000;
const YEAR = { from: "2025-11-01", to: "2026-10-31" };

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const server = await startPostgres();

async function generated(scripts: number): Promise<Catalog> {
  const url = await createDatabase(server);
  await migrate(url);
  const catalog = openCatalog(url, { log: { warn: () => {} } });
  for (let from = 0; from < scripts; from += PAGE) {
    await catalog.query(
      `with made as (
         insert into scripts (id, namespace, filename, latest_version, created_at)
           select gen_random_uuid(), 'team-' || n % 200, 's' || n || '.py', 1,
             '2025-11-01Z'::timestamptz + (n % 365) * interval '1 day'
           from generate_series($1::int + 1, $2::int) n returning id, created_at)
       insert into versions (id, script_id, number, sha256, size, original_filename, state, verdict, request_id, created_at)
         select gen_random_uuid(), id, 1, repeat('a', 64), 1000, 's.py', 'ready', 'allowed', 'r', created_at from made`,
      [from, Math.min(from + PAGE, scripts)],
    );
    while ((await addStatisticChanges(catalog, 1_000)) > 0);
  }
  await catalog.query("vacuum analyze");
  return catalog;
}

/** The median, in milliseconds. */
async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < TIMES; n += 1) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return times.toSorted((a, b) => a - b)[TIMES >> 1] as number;
}

async function uploadMany(catalog: Catalog, prefix: string): Promise<number> {
  const registrar = createRegistrar(catalog, { onCommitted: () => {} });
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: UPLOADS }, (_, n) =>
      registrar.register(upload(`${prefix}-${n}.py`, `${prefix} ${n}`)),
    ),
  );
  return performance.now() - startedAt;
}

const TABLES = ["scripts", "versions", "stages", "blobs"];
async function setTriggers(catalog: Catalog, state: "enable" | "disable"): Promise<void> {
  for (const table of TABLES) await catalog.query(`alter table ${table} ${state} trigger user`);
}

try {
  const [few, many] = [await generated(small), await generated(large)] as const;
  const { rows } = await many.query<{ id: string }>("select id from scripts limit 1");
  const scriptId = rows[0]?.id ?? randomUUID();
  await recordUse(many, [{ scriptId, downloads: 1, metadataReads: 1 }]);
  const questions: readonly [string, (catalog: Catalog) => Promise<unknown>][] = [
    ["everything", (catalog) => readStatistics(catalog, {})],
    ["a year", (catalog) => readStatistics(catalog, { days: YEAR })],
    ["a year by day", (catalog) => readDailyStatistics(catalog, { days: YEAR })],
    [
      "50 namespaces",
      (catalog) =>
        readNamespaceStatistics(catalog, { days: undefined, after: undefined, limit: 50 }),
    ],
    [
      "50 namespaces over a year",
      (catalog) => readNamespaceStatistics(catalog, { days: YEAR, after: undefined, limit: 50 }),
    ],
    ["a script's use", (catalog) => readScriptUsage(catalog, { scriptId, ...YEAR })],
  ];
  say(`median in milliseconds, ${small} and ${large} scripts`);
  for (const [name, ask] of questions) {
    const [a, b] = [await median(() => ask(few)), await median(() => ask(many))];
    say(`${name}: ${a.toFixed(1)} and ${b.toFixed(1)}, ${(b / a).toFixed(2)}x`);
  }
  const scan = "select state, count(*), sum(size) from versions group by state";
  const looked = await median(() => many.query(scan));
  const kept = await median(() => readStatistics(many, {}));
  say(`states looked for in the table: ${looked.toFixed(1)}, ${(looked / kept).toFixed(0)}x`);

  const [counted, plain]: [number[], number[]] = [[], []];
  for (let round = 0; round < 7; round += 1) {
    await setTriggers(few, "enable");
    counted.push(await uploadMany(few, `counted-${round}`));
    await setTriggers(few, "disable");
    plain.push(await uploadMany(few, `plain-${round}`));
  }
  const middle = (times: readonly number[]) =>
    (times.toSorted((a, b) => a - b)[times.length >> 1] as number) / UPLOADS;
  const ratio = middle(counted) / middle(plain);
  say(
    `recording an upload, counted and not: ${middle(counted).toFixed(2)} and ${middle(plain).toFixed(2)} ms, ${ratio.toFixed(2)}x`,
  );
  await few.close();
  await many.close();
} finally {
  await server.stop();
}
