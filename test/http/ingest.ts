import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Catalog, migrate, openCatalog } from "@sluice/catalog";
import { type ObjectStore, openObjectStore } from "@sluice/object-store";
import { createDatabase, guard, sharedPostgres, temporaryDirectory } from "../servers/index.js";

const MAIN = fileURLToPath(new URL("../../services/ingest/dist/main.js", import.meta.url));

export type LogLine = Readonly<Record<string, unknown>>;

/** A real ingest process on a database and a directory of its own. */
export interface Ingest {
  readonly url: string;
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  /** What it has written to its log so far. */
  readonly log: readonly LogLine[];
  readonly pid: number;
  /** Asks it to stop, and resolves with its exit code. */
  terminate(): Promise<number | null>;
  /** Ends it and closes what the test holds. */
  stop(): Promise<void>;
}

export interface IngestOptions {
  /** Its catalog's database, migrated; a fresh one if not said. */
  readonly catalogUrl?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export async function startIngest({ catalogUrl, env = {} }: IngestOptions = {}): Promise<Ingest> {
  const database = catalogUrl ?? (await freshDatabase());
  const directory = temporaryDirectory();
  const storeUrl = `file://${directory}/objects`;
  const child = spawn(process.execPath, [MAIN], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      PORT: "0",
      LOG_LEVEL: "debug",
      CATALOG_URL: database,
      QUEUE_URL: database,
      OBJECT_STORE_URL: storeUrl,
      BACKUP_URL: `file://${temporaryDirectory()}/backup`,
      ...env,
    },
  });
  guard(child);
  const exited = once(child, "exit") as Promise<[number | null]>;

  const log: LogLine[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = JSON.parse(text) as LogLine;
      log.push(line);
      if (line["msg"] === "listening") resolve(String(line["url"]));
    });
    void exited.then(() => reject(new Error(`ingest ended: ${JSON.stringify(log)}`)));
  });

  const catalog = openCatalog(database, { log: { warn: () => {} } });
  const store = await openObjectStore(env["OBJECT_STORE_URL"] ?? storeUrl);
  return {
    url,
    catalog,
    store,
    log,
    pid: child.pid as number,
    async terminate() {
      child.kill("SIGTERM");
      const [code] = await exited;
      return code;
    },
    async stop() {
      child.kill("SIGKILL");
      await exited;
      await catalog.close();
      await store.close();
    },
  };
}

export async function freshDatabase(): Promise<string> {
  const url = await createDatabase(sharedPostgres());
  await migrate(url);
  return url;
}

/** Everything that an upload could leave: rows, claims, objects. */
export async function remains({ catalog, store }: Ingest): Promise<object> {
  const { rows } = await catalog.query<Record<string, number>>(
    `select (select count(*)::int from scripts) as scripts, (select count(*)::int from versions) as versions,
       (select count(*)::int from stages) as stages, (select count(*)::int from idempotency_keys) as keys`,
  );
  let objects = 0;
  for await (const _ of store.list("")) objects += 1;
  return { ...rows[0], objects };
}
