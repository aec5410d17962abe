/**
 * How long it takes to try a change of many scripts out, to begin it and to make it, in a catalog of generated rows in a fresh
 * PostgreSQL.
 *
 *     npx tsx test/bench/bulk-changes.ts 1000000
 */
import { randomUUID } from "node:crypto";
import {
  advanceBulkChange,
  migrate,
  openCatalog,
  previewBulkChange,
  startBulkChange,
} from "@sluice/catalog";
import { bulkChangeRequest } from "@sluice/contracts";
import { createDatabase, startPostgres } from "../servers/postgres.js";

const scripts = Number(process.argv[2] ?? 100_000);
const STEPS = 100;
const PAGE = 20_000;

const postgres = await startPostgres();
const url = await createDatabase(postgres);
await migrate(url);
const catalog = openCatalog(url, { log: { warn: () => {} } });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function timed<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  const result = await work();
  say(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(2)} s`);
  return result;
}

try {
  for (let from = 0; from < scripts; from += PAGE) {
    await catalog.query(
      `with made as (
         insert into scripts (id, namespace, filename, latest_version)
           select gen_random_uuid(), 'bench', 's' || n || '.py', 1 from generate_series($1::int + 1, $2::int) n
           returning id)
       insert into versions (id, script_id, number, sha256, size, original_filename, state, request_id)
         select gen_random_uuid(), id, 1, repeat('a', 64), 1, 's.py', 'ready', 'r' from made`,
      [from, Math.min(from + PAGE, scripts)],
    );
  }
  await catalog.query("analyze");
  const request = bulkChangeRequest.parse({
    filter: { namespace: "bench" },
    patch: { labels: { [randomUUID()]: "x" } },
    add_tags: ["reviewed"],
  });
  say(`${scripts} scripts`);
  const { selection } = await timed("dry run", () => previewBulkChange(catalog, request, 1_000));
  await timed("begin", () =>
    startBulkChange(catalog, { request, selection, actor: "bench", idempotency: undefined }),
  );
  await timed(`${STEPS} steps of 100 scripts`, async () => {
    for (let step = 0; step < STEPS; step += 1) await advanceBulkChange(catalog, 100);
  });
} finally {
  await catalog.close();
  await postgres.stop();
}
