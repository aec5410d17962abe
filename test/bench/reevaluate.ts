/**
 * How fast a changed policy is tried out and applied to what is stored: the .py files below a directory, each a version of its own,
 * in a catalog in a fresh PostgreSQL. The files are not compiled; all count as valid.
 *
 *     npx tsx test/bench/reevaluate.ts /usr/lib/python3.11
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { migrate, openCatalog } from "@sluice/catalog";
import { dryRun, EffectivePolicies, putInForce, reevaluateBatch } from "@sluice/policies";
import { parsePolicyDocument } from "@sluice/python-analysis";
import { store } from "../catalog/judged.js";
import { createDatabase, startPostgres } from "../servers/postgres.js";

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write("usage: reevaluate.ts DIRECTORY\n");
  process.exit(2);
}

const postgres = await startPostgres();
const url = await createDatabase(postgres);
await migrate(url);
const catalog = openCatalog(url, { log: { warn: () => {} } });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function enforce(text: string) {
  const source = `name: bench\nversion: 1\n${text}`;
  const document = parsePolicyDocument(source);
  const request = { document, source, by: "bench", isExpected: () => true };
  return { id: (await putInForce(catalog, request)).policy.id, document };
}

try {
  await enforce("capabilities: {default: allowed}\nimports: {default: allowed}");
  let bytes = 0;
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".py")) continue;
    const text = readFileSync(join(directory, name), "utf8");
    bytes += Buffer.byteLength(text);
    await store(catalog, text);
  }
  const { rows } = await catalog.query<{ count: number; facts: number; stored: number }>(
    `select count(*)::int as count, avg(octet_length(facts::text))::int as facts,
       avg(pg_column_size(facts))::int as stored from script_facts`,
  );
  const [{ count, facts, stored }] = rows as [(typeof rows)[number]];
  say(
    `${count} scripts of ${Math.round(bytes / count)} bytes; facts of ${facts} bytes, ${stored} as stored`,
  );

  const strict = "capabilities: {default: needs_approval}\nimports: {default: refused}";
  const document = parsePolicyDocument(`name: bench\nversion: 1\n${strict}`);
  const { signal } = new AbortController();
  let begun = performance.now();
  const effective = new EffectivePolicies(catalog);
  const said = await dryRun(catalog, effective, { document, limit: 100, signal });
  let seconds = (performance.now() - begun) / 1000;
  const versions = said.counts?.versions ?? 0;
  say(`dry run: ${seconds.toFixed(1)} s, ${Math.round(versions / seconds)} versions/s`);
  const policy = await enforce(strict);
  begun = performance.now();
  let judged = 0;
  for (;;) {
    const batch = await reevaluateBatch(catalog, policy);
    judged += batch.judged;
    if (batch.left !== "some") break;
  }
  seconds = (performance.now() - begun) / 1000;
  say(`re-evaluation: ${seconds.toFixed(1)} s, ${Math.round(judged / seconds)} versions/s`);
} finally {
  await catalog.close();
  await postgres.stop();
}
