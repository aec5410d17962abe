import { appendFileSync, mkdirSync, realpathSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { AuditList, EventList, WatchList } from "@sluice/contracts";
import { expect } from "vitest";
import { call } from "../http/client.js";
import { freshDatabase, type Ingest, type IngestOptions, startIngest } from "../http/ingest.js";
import { temporaryDirectory } from "../servers/index.js";
import { startWatcher, type Watcher } from "./watcher.js";

/** An ingest process whose drop folders come one after the other. */
export interface Host {
  readonly ingest: Ingest;
  readonly catalogUrl: string;
}

/** For all tests of a file: its start costs more than most of them. */
export async function startHost(options: IngestOptions = {}): Promise<Host> {
  const catalogUrl = await freshDatabase();
  return { ingest: await startIngest({ catalogUrl, ...options }), catalogUrl };
}

/** A watched directory, with watchers of its own, and nothing else in the catalog. */
export class Drop {
  readonly #watchers: Watcher[] = [];
  /** In a folder of its own, where a test can move it. */
  readonly directory = join(realpathSync(temporaryDirectory()), "drop");
  readonly ingest: Ingest;
  readonly #begun = new Date();

  constructor(private readonly host: Host) {
    this.ingest = host.ingest;
    mkdirSync(this.directory);
  }

  /** Ends the watchers, and leaves the host as it was, but for the audit log, which is never shortened. */
  async close(): Promise<void> {
    await Promise.all(this.#watchers.splice(0).map((watcher) => watcher.stop("SIGKILL")));
    await this.ingest.catalog.query(
      "truncate scripts, watch_directories, events, idempotency_keys restart identity cascade",
    );
  }

  /** @param inside - see {@link startWatcher} */
  start(env: Record<string, string> = {}, inside: readonly string[] = []): Watcher {
    const { catalogUrl } = this.host;
    const watcher = startWatcher(
      {
        CATALOG_URL: catalogUrl,
        QUEUE_URL: catalogUrl,
        WATCH_DIRS: this.directory,
        WATCH_UPLOAD_URL: this.ingest.url,
        ...env,
      },
      inside,
    );
    this.#watchers.push(watcher);
    return watcher;
  }

  write(path: string, text = `print(${JSON.stringify(path)})\n`): void {
    mkdirSync(join(this.directory, path, ".."), { recursive: true });
    writeFileSync(join(this.directory, path), text);
  }

  /** Ids of all scripts that are not deleted, by `namespace/filename`. */
  async scripts(): Promise<Record<string, string>> {
    const { rows } = await this.ingest.catalog.query<{ name: string; id: string }>(
      "select namespace || '/' || filename as name, id from scripts where deleted_at is null",
    );
    return Object.fromEntries(rows.map(({ name, id }) => [name, id]));
  }

  async names(): Promise<string[]> {
    return Object.keys(await this.scripts()).toSorted();
  }

  /** Every version, as `namespace/filename size`. */
  async versions(): Promise<string[]> {
    const { rows } = await this.ingest.catalog.query<{ it: string }>(
      `select s.namespace || '/' || s.filename || ' ' || v.size as it
       from versions v join scripts s on s.id = v.script_id order by 1`,
    );
    return rows.map(({ it }) => it);
  }

  async list(query = ""): Promise<WatchList> {
    return (await call<WatchList>(this.ingest, "listWatch", `/api/v1/watch${query}`)).body;
  }

  async state(): Promise<WatchList["directories"][number] | undefined> {
    return (await this.list()).directories[0];
  }

  async refusals(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.list()).refusals.map(({ path, code }) => [path, code]));
  }

  async events(kind: string): Promise<EventList["items"]> {
    const path = `/api/v1/events?kind=${kind}`;
    return (await call<EventList>(this.ingest, "listEvents", path)).body.items;
  }

  /** What was done to the scripts of this drop folder. */
  async audited(action: string): Promise<AuditList["items"]> {
    const path = `/api/v1/audit?action=${action}&since=${this.#begun.toISOString()}`;
    return (await call<AuditList>(this.ingest, "listAudit", path)).body.items;
  }

  /** Resolves after a whole scan that began after this call. */
  async scanned(): Promise<void> {
    for (let round = 0; round < 2; round += 1) {
      const before = (await this.state())?.last_scan_at;
      this.#hurry();
      await expect.poll(async () => (await this.state())?.last_scan_at).not.toBe(before);
    }
  }

  /** When patterns may have changed, a whole scan does not wait for its time. */
  #hurry(): void {
    const patterns = join(this.directory, ".sluiceignore");
    appendFileSync(patterns, "");
    const now = new Date();
    utimesSync(patterns, now, now);
  }
}

/** Something on the way between a watcher and the API. */
export interface Between {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * @param ready - resolves when a request is to be handed on, and rejects where the answer is to be 503
 * @param edit - what becomes of the answer's headers
 */
export async function between(
  { ingest }: Host,
  ready: () => Promise<void>,
  edit = (headers: IncomingHttpHeaders): IncomingHttpHeaders => headers,
  port = 0,
): Promise<Between> {
  const server = createServer((req, res) => {
    const forward = (): void => {
      const { method, headers } = req;
      const onward = request(new URL(req.url ?? "", ingest.url), { method, headers }, (answer) => {
        res.writeHead(answer.statusCode ?? 500, edit(answer.headers));
        answer.pipe(res);
      });
      req.pipe(onward);
    };
    void ready().then(forward, () => res.writeHead(503, { "retry-after": "0" }).end());
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
