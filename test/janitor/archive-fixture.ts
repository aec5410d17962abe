import { decode, readBlob, readPackIndex } from "@sluice/blobs";
import { activateRetentionPolicy, type Catalog, listEvents, readBlobPlace } from "@sluice/catalog";
import { isPackKey, type ObjectStore, openObjectStore } from "@sluice/object-store";
import { parseRetentionPolicy } from "@sluice/retention";
import { createLog } from "@sluice/runtime";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type ArchiveDeps, archiveTask } from "../../services/janitor/src/archive/archive.js";
import type { TaskRun } from "../../services/janitor/src/maintenance/task.js";
import { retentionTask } from "../../services/janitor/src/retain.js";
import { sweepOrphans } from "../../services/janitor/src/sweep-orphans.js";
import { openFreshCatalog } from "../catalog/fixture.js";
import {
  describeWith,
  type S3Server,
  sharedPostgres,
  startS3,
  temporaryDirectory,
} from "../servers/index.js";
import { type StoredScript, storeScript } from "./stored.js";

const SLOW = `name: test
version: 1
rules:
  - {name: slow, namespace: old, even: [newest_version], action: archive}
brakes: {max_share: 100%}
`;
const { signal } = new AbortController();

/** Puts a policy in force that archives all of the namespace `old`. */
export const enforceArchiving = (catalog: Catalog): Promise<void> => enforce(catalog, SLOW);

async function enforce(catalog: Catalog, source: string): Promise<void> {
  const { name, version } = parseRetentionPolicy(source);
  const activated = { name, version, source, activatedBy: "alice" };
  await activateRetentionPolicy(catalog, activated, () => true);
}

/** Stores with a retention policy that archives all of the namespace `old`. */
export class ArchiveFixture {
  readonly log = createLog("janitor", { logLevel: "silent" });

  private constructor(
    readonly catalog: Catalog,
    readonly objects: ObjectStore,
    readonly backup: ObjectStore,
    /** Where the backup store is, unless it is a server's. */
    readonly backupDir: string,
    private readonly server: S3Server | undefined,
  ) {}

  static async open(server?: S3Server): Promise<ArchiveFixture> {
    const backupDir = `${temporaryDirectory()}/backup`;
    const fixture = new ArchiveFixture(
      await openFreshCatalog(sharedPostgres()),
      await openObjectStore(server?.bucketUrl() ?? `file://${temporaryDirectory()}/store`),
      await openObjectStore(server?.bucketUrl() ?? `file://${backupDir}`),
      backupDir,
      server,
    );
    await enforceArchiving(fixture.catalog);
    return fixture;
  }

  async close(): Promise<void> {
    await this.catalog.close();
    await this.objects.close();
    await this.backup.close();
  }

  openOther(): Promise<ObjectStore> {
    return openObjectStore(this.server?.bucketUrl() ?? `file://${temporaryDirectory()}/other`);
  }

  enforce(source: string): Promise<void> {
    return enforce(this.catalog, source);
  }

  old(text: string, over: Parameters<typeof storeScript>[2] = {}): Promise<StoredScript> {
    return storeScript(this, text, { namespace: "old", ...over });
  }

  /** A round of the retention policy from its beginning. */
  async round(): Promise<void> {
    let cursor: unknown;
    await this.catalog.query("delete from retention_state");
    await retentionTask({
      settings: { retentionIntervalMs: 60_000, retentionPerSecond: 1e5, trashMs: 86_400_000 },
      catalog: this.catalog,
      backup: this.backup,
      onRetained: () => {},
    }).run({ cursor, save: async (saved) => void (cursor = saved), signal });
  }

  /** One run of the task. @returns how many blobs went */
  async pack(
    overrides: Partial<ArchiveDeps> = {},
    aborting: TaskRun["signal"] = signal,
  ): Promise<number> {
    const { catalog, objects, backup, log } = this;
    let packed = 0;
    await archiveTask({
      settings: { archivePerSecond: 100_000 },
      catalog,
      objects,
      backup,
      log,
      patienceMs: 0,
      restMs: 0,
      onPacked: (blobs) => void (packed += blobs),
      ...overrides,
    }).run({ cursor: undefined, save: async () => {}, signal: aborting });
    return packed;
  }

  /** @returns the key of the pack that these are in now */
  async archive(...scripts: readonly StoredScript[]): Promise<string> {
    await this.round();
    expect(await this.pack()).toBe(scripts.length);
    const keys = await Promise.all(scripts.map((script) => this.keyOf(script)));
    expect(keys.every(isPackKey)).toBe(true);
    return keys[0] ?? "";
  }

  async keyOf({ sha256 }: StoredScript): Promise<string> {
    return (await readBlobPlace(this.catalog, sha256))?.key ?? "";
  }

  keysOf(scripts: readonly StoredScript[]): Promise<string[]> {
    return Promise.all(scripts.map((script) => this.keyOf(script)));
  }

  async expectReadable(...scripts: readonly StoredScript[]): Promise<void> {
    for (const { sha256, content } of scripts) {
      const place = await readBlobPlace(this.catalog, sha256);
      if (place === undefined) throw new Error(`no blob of ${sha256}`);
      expect((await readBlob(this.objects, place, sha256)).equals(content)).toBe(true);
    }
  }

  /** What lies beside a script in its pack. */
  async besideIn(key: string, { sha256 }: StoredScript): Promise<unknown> {
    const member = (await readPackIndex(this.objects, key)).find((one) => one.sha256 === sha256);
    const bytes = await decode(await this.objects.get(key, member?.metadata), "zstd");
    return JSON.parse(bytes.toString());
  }

  async sweep(): Promise<string[]> {
    const { catalog, objects, log } = this;
    const deleted: string[] = [];
    const onDeleted = (key: string) => void deleted.push(key);
    await sweepOrphans({ catalog, objects, log, graceMs: -1_000, signal, onDeleted });
    return deleted;
  }

  async keys(): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of this.objects.list("")) found.push(key);
    return found.toSorted();
  }

  async kinds(): Promise<string[]> {
    return (await listEvents(this.catalog, { filter: {}, limit: 50 })).items.map(
      (event) => event.kind,
    );
  }

  /** What was told of an object, the oldest first. */
  async eventsOf(key: string): Promise<string[]> {
    const { items } = await listEvents(this.catalog, { filter: {}, limit: 50 });
    return items
      .filter(({ details }) => "key" in details && details.key === key)
      .map((event) => event.kind)
      .toReversed();
  }

  async count(table: "packs" | "archive_queue" | "damaged_blobs"): Promise<number | null> {
    return (await this.catalog.query(`select from ${table}`)).rowCount;
  }
}

type Test = (title: string, work: (its: ArchiveFixture) => Promise<void>) => void;

/** Runs tests on a directory and, but for those that it makes no difference to, on an S3 server. */
export function describeArchive(
  title: string,
  tests: (the: { readonly test: Test; readonly withoutS3: Test }) => void,
): void {
  for (const kind of [undefined, "minio"] as const) {
    describeWith(
      kind === undefined ? ["postgres"] : ["postgres", kind],
      `${title} on ${kind ?? "a directory"}`,
      () => {
        let server: S3Server | undefined;
        let its: ArchiveFixture;
        beforeAll(async () => {
          if (kind !== undefined) server = await startS3(kind);
        });
        afterAll(() => server?.stop());
        beforeEach(async () => {
          its = await ArchiveFixture.open(server);
        });
        afterEach(() => its.close());
        const onBoth: Test = (name, work) => test(name, () => work(its));
        tests({ test: onBoth, withoutS3: kind === undefined ? onBoth : () => {} });
      },
    );
  }
}
