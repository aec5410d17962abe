/**
 * Indexes generated scripts, and compares the first page of a search with `grep -rn`, and with ripgrep where there is one, over the
 * same files.
 *
 *     npx tsx test/bench/search.ts /usr/lib/python3.11 100000
 *
 * The scripts are made of pieces of the modules of that directory, each with names of its own in it; they, and a PostgreSQL of its
 * own, are in a temporary directory that is removed in the end. For 100,000 scripts that takes 3 GB.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Catalog, migrate, openCatalog } from "@sluice/catalog";
import {
  buildDocument,
  keyOfSegment,
  keysOfDocument,
  keysOfScript,
  packDocument,
  parseQuery,
  segmentOf,
  type SearchSpec,
  SearchThreads,
  type VerifyRequest,
} from "@sluice/search";
import { randomUUID } from "node:crypto";
import {
  type SearchDeps,
  type SearchPosition,
  searchScripts,
} from "../../services/ingest/src/search/engine.js";
import { sha256Of } from "../catalog/fixture.js";
import { createDatabase, startPostgres, temporaryDirectory } from "../servers/index.js";

const [directory, wanted = "100000"] = process.argv.slice(2);
const count = Number(wanted);
if (directory === undefined || !Number.isSafeInteger(count) || count < 100) {
  process.stderr.write("usage: search.ts DIRECTORY [SCRIPTS]\n");
  process.exit(2);
}

const RARE = "needle_4242_of_a_haystack";
const QUERIES: readonly {
  name: string;
  q: string;
  regex?: boolean;
  caseSensitive?: boolean;
  grep: readonly string[];
}[] = [
  { name: "rare substring", q: RARE, grep: ["-F", RARE] },
  { name: "absent substring", q: "no_such_thing_here", grep: ["-F", "no_such_thing_here"] },
  { name: "common substring", q: "import os", grep: ["-F", "import os"] },
  {
    name: "rare substring, case ignored",
    q: RARE.toUpperCase(),
    caseSensitive: false,
    grep: ["-i", "-F", RARE.toUpperCase()],
  },
  {
    name: "common substring, case ignored",
    q: "IMPORT OS",
    caseSensitive: false,
    grep: ["-i", "-F", "IMPORT OS"],
  },
  { name: "absent, of common threes", q: "import self", grep: ["-F", "import self"] },
  { name: "common, of two characters", q: "=0", grep: ["-F", "=0"] },
  {
    name: "regular expression, rare",
    q: String.raw`needle_\d+_of_a_hay\w+`,
    regex: true,
    grep: ["-E", String.raw`needle_[0-9]+_of_a_hay\w+`],
  },
  {
    name: "regular expression, common",
    q: String.raw`def \w+\(self, \w+\):`,
    regex: true,
    grep: ["-E", String.raw`def \w+\(self, \w+\):`],
  },
];

const postgres = await startPostgres();
const root = join(temporaryDirectory(), "scripts");
const url = await createDatabase(postgres);
await migrate(url);
const catalog = openCatalog(url, { log: { warn: () => {} } });
const threads = new SearchThreads(1, 64);
try {
  await fill(catalog, root, modulesIn(directory));
  await compare(catalog, root);
} finally {
  await threads.close();
  await catalog.close();
  await postgres.stop();
  rmSync(root, { recursive: true, force: true });
}

function modulesIn(from: string): string[][] {
  return readdirSync(from, { encoding: "utf8" })
    .filter((name) => name.endsWith(".py"))
    .map((name) => readFileSync(join(from, name), "utf8").split("\n"));
}

/** Pieces of modules, of 2 to 16 KB. */
function makeScript(index: number, modules: readonly string[][]): string {
  const pick = (salt: number, of: number): number =>
    ((Math.imul(index + 1, 2_654_435_761) ^ Math.imul(salt + 7, 40_503)) % of) & (0x7fffffff % of);
  const lines: string[] = [`"""Script ${index}."""`];
  const size = 2_000 + Math.abs(pick(1, 14_000));
  for (let salt = 2, length = 0; length < size && salt < 60; salt++) {
    const module = modules[Math.abs(pick(salt, modules.length))] ?? [];
    const start = Math.abs(pick(salt + 100, Math.max(1, module.length - 40)));
    const piece = module.slice(start, start + 40);
    lines.push(...piece);
    length += piece.reduce((sum, line) => sum + line.length + 1, 0);
  }
  lines.push(`value_${index} = ${index}`);
  if (index === Math.floor(count / 2)) lines.push(`${RARE} = 1`);
  return lines.join("\n");
}

async function fill(db: Catalog, to: string, modules: readonly string[][]): Promise<void> {
  const begun = performance.now();
  let bytes = 0;
  let cpu = 0;
  for (let from = 0; from < count; from += 200) {
    const made = Array.from({ length: Math.min(200, count - from) }, (_, offset) => {
      const index = from + offset;
      const text = makeScript(index, modules);
      const filename = `script_${index}.py`;
      const folder = join(to, String(Math.floor(index / 1_000)));
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, filename), text);
      bytes += Buffer.byteLength(text);
      const at = performance.now();
      const document = buildDocument(Buffer.from(text), undefined, undefined);
      const segment = keyOfSegment(segmentOf(index + 1));
      const row = {
        document: index + 1,
        id: randomUUID(),
        filename,
        sha256: sha256Of(text),
        size: Buffer.byteLength(text),
        packed: packDocument(document),
        keys: [segment, ...keysOfDocument(document)],
        names: [segment, ...keysOfScript({ filename, namespace: "default" })],
      };
      cpu += performance.now() - at;
      return row;
    });
    await insert(db, made);
  }
  await db.query("vacuum analyze");
  const seconds = (performance.now() - begun) / 1_000;
  const { rows } = await db.query<{ heap: number; index: number }>(
    `select (pg_table_size('search_documents') + pg_table_size('search_scripts'))::float8 as heap,
       (pg_indexes_size('search_documents') + pg_indexes_size('search_scripts'))::float8 as index`,
  );
  const { heap = 0, index = 0 } = rows[0] ?? {};
  print(
    `${count} scripts, ${(bytes / 1e6).toFixed(0)} MB; made and indexed in ${seconds.toFixed(0)} s, of which ` +
      `${((cpu / count) * 1_000).toFixed(0)} µs a script for its keys and packing; texts and keys ` +
      `${((100 * heap) / bytes).toFixed(0)} % of the source, indexes ${((100 * index) / bytes).toFixed(0)} %`,
  );
}

async function insert(
  db: Catalog,
  rows: readonly {
    document: number;
    id: string;
    filename: string;
    sha256: string;
    size: number;
    packed: Buffer;
    keys: number[];
    names: number[];
  }[],
): Promise<void> {
  const array = (keys: readonly number[]): string => `{${keys.join(",")}}`;
  await db.transaction(async (tx) => {
    await tx.query(
      `insert into search_documents (document, sha256, size, packed, keys) overriding system value
       select document, sha256, size, packed, keys::smallint[]
       from unnest($1::int[], $2::text[], $3::int[], $4::bytea[], $5::text[]) as r (document, sha256, size, packed, keys)`,
      [
        rows.map(({ document }) => document),
        rows.map(({ sha256 }) => sha256),
        rows.map(({ size }) => size),
        rows.map(({ packed }) => packed),
        rows.map(({ keys }) => array(keys)),
      ],
    );
    const ids = rows.map(({ id }) => id);
    await tx.query(
      `insert into scripts (id, namespace, filename, latest_version)
       select id, 'default', filename, 1 from unnest($1::uuid[], $2::text[]) as r (id, filename)`,
      [ids, rows.map(({ filename }) => filename)],
    );
    await tx.query(
      `insert into versions (id, script_id, number, sha256, size, original_filename, request_id, state, verdict)
       select gen_random_uuid(), id, 1, sha256, size, 'x.py', 'bench', 'ready', 'allowed'
       from unnest($1::uuid[], $2::text[], $3::int[]) as r (id, sha256, size)`,
      [ids, rows.map(({ sha256 }) => sha256), rows.map(({ size }) => size)],
    );
    await tx.query(
      `insert into search_scripts (script_id, version, document, keys)
       select id, 1, document, keys::smallint[] from unnest($1::uuid[], $2::int[], $3::text[]) as r (id, document, keys)`,
      [ids, rows.map(({ document }) => document), rows.map(({ names }) => array(names))],
    );
  });
}

async function compare(db: Catalog, files: string): Promise<void> {
  const ripgrep = spawnSync("rg", ["--version"]).status === 0;
  if (!ripgrep) print("there is no ripgrep here: not compared with it");
  for (const { name, q, regex = false, caseSensitive = true, grep } of QUERIES) {
    const spec: SearchSpec = {
      ...parseQuery(q),
      options: { regex, word: false, caseSensitive },
      places: ["content"],
    };
    const deps = { catalog: db, threads };
    const times: number[] = [];
    let found = "";
    for (let run = 0; run < 7; run++) {
      const begun = performance.now();
      const page = await searchScripts(deps, spec, { at: undefined, limit: 20 });
      times.push(performance.now() - begun);
      found = `${page.items.length} found`;
      if (!page.complete && run === 6) found += `; ${await toTheEnd(deps, spec)}`;
    }
    const ours = median(times);
    const others = [
      ["grep -rn", timed("grep", ["-rn", ...grep, files])] as const,
      ...(ripgrep
        ? [["rg", timed("rg", ["-n", ...grep.filter((each) => each !== "-E"), files])] as const]
        : []),
    ];
    const ratios = others.map(
      ([tool, ms]) => `${tool} ${ms.toFixed(0)} ms = ${(ms / ours).toFixed(0)} times that`,
    );
    print(`${name}: first page ${ours.toFixed(1)} ms (${found}); ${ratios.join("; ")}`);
  }
}

/** What a search takes that finds too little within the time of one request. */
async function toTheEnd(
  { catalog: db, threads: real }: SearchDeps,
  spec: SearchSpec,
): Promise<string> {
  let looked = 0;
  const counting = {
    verify(request: VerifyRequest) {
      looked += request.candidates.length;
      return real.verify(request);
    },
  } as SearchThreads;
  const begun = performance.now();
  const cpu = process.cpuUsage();
  let pages = 0;
  let at: SearchPosition | undefined;
  do {
    at = (await searchScripts({ catalog: db, threads: counting }, spec, { at, limit: 20 })).next;
    pages++;
  } while (at !== undefined);
  const { user, system } = process.cpuUsage(cpu);
  return (
    `to the end ${pages} pages, ${(performance.now() - begun).toFixed(0)} ms, ${looked} candidates of ` +
    `${((user + system) / looked).toFixed(0)} µs of this process's CPU`
  );
}

/** The second run, when the files are in memory. */
function timed(tool: string, args: readonly string[]): number {
  const run = (): number => {
    const begun = performance.now();
    try {
      execFileSync(tool, [...args], { stdio: ["ignore", "ignore", "inherit"] });
    } catch (error) {
      // Nothing found.
      if ((error as { status?: number }).status !== 1) throw error;
    }
    return performance.now() - begun;
  };
  run();
  return run();
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
