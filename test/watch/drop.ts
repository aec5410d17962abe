import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EventList, WatchList } from "@sluice/contracts";
import { expect } from "vitest";
import { call } from "../http/client.js";
import { freshDatabase, type Ingest, type IngestOptions, startIngest } from "../http/ingest.js";
import { temporaryDirectory } from "../servers/index.js";
import { startWatcher, type Watcher } from "./watcher.js";

/** A watched directory, with an ingest process and watchers of its own. */
export class Drop {
  readonly #watchers: Watcher[] = [];

  private constructor(
    readonly ingest: Ingest,
    readonly catalogUrl: string,
    readonly directory: string,
  ) {}

  static async open(options: IngestOptions = {}): Promise<Drop> {
    const catalogUrl = await freshDatabase();
    const ingest = await startIngest({ catalogUrl, ...options });
    return new Drop(ingest, catalogUrl, realpathSync(temporaryDirectory()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#watchers.splice(0).map((watcher) => watcher.stop("SIGKILL")));
    await this.ingest.stop();
  }

  /** @param inside - see {@link startWatcher} */
  start(env: Record<string, string> = {}, inside: readonly string[] = []): Watcher {
    const watcher = startWatcher(
      {
        CATALOG_URL: this.catalogUrl,
        QUEUE_URL: this.catalogUrl,
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

  async list(): Promise<WatchList> {
    return (await call<WatchList>(this.ingest, "listWatch", "/api/v1/watch")).body;
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

  /** Resolves after a whole scan that began after this call. */
  async scanned(): Promise<void> {
    for (let round = 0; round < 2; round += 1) {
      const before = (await this.state())?.last_scan_at;
      await expect.poll(async () => (await this.state())?.last_scan_at).not.toBe(before);
    }
  }
}
