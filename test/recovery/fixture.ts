import { randomUUID } from "node:crypto";
import { backUpBlob } from "@sluice/backup";
import { type Catalog, migrate, openCatalog } from "@sluice/catalog";
import {
  blobKey,
  FileSystemObjectStore,
  type ObjectStore,
  quarantineKey,
  uploadKey,
} from "@sluice/object-store";
import {
  exportCatalog,
  type ExportDeps,
  type ExportOutcome,
  readTables,
  restore,
  type RestoreDeps,
  type Restored,
} from "@sluice/recovery";
import {
  DEDUP_RESULT,
  done,
  register,
  sha256Of,
  upload,
  validateResult,
  work,
} from "../catalog/fixture.js";
import { createDatabase, sharedPostgres, temporaryDirectory } from "../servers/index.js";

/** Stores with scripts in them, or empty ones. */
export class Stores {
  private constructor(
    readonly catalogUrl: string,
    readonly catalog: Catalog,
    readonly objects: ObjectStore,
    readonly backup: ObjectStore,
  ) {}

  /** Those that are given are another installation's, to be restored from. */
  static async open({
    backup,
    objects,
    migrated = true,
  }: { backup?: ObjectStore; objects?: ObjectStore; migrated?: boolean } = {}) {
    const url = await createDatabase(sharedPostgres());
    if (migrated) await migrate(url);
    return new Stores(
      url,
      openCatalog(url, { log: { warn: () => {} }, applicationName: "test" }),
      objects ?? (await FileSystemObjectStore.open(temporaryDirectory())),
      backup ?? (await FileSystemObjectStore.open(temporaryDirectory())),
    );
  }

  export(overrides: Partial<ExportDeps> = {}): Promise<ExportOutcome> {
    const { signal } = new AbortController();
    const { catalogUrl, objects, backup } = this;
    return exportCatalog({
      catalogUrl,
      objects,
      backup,
      keys: [],
      signal,
      keepMs: 0,
      ...overrides,
    });
  }

  /** Restores what the backup store has into these stores. */
  restore(overrides: Partial<RestoreDeps> = {}): Promise<Restored> {
    return restore({
      catalogUrl: this.catalogUrl,
      objects: this.objects,
      from: this.backup,
      backup: undefined,
      keys: [],
      exportId: undefined,
      keepObjects: false,
      allowMissing: false,
      signal: new AbortController().signal,
      onProgress: () => {},
      ...overrides,
    });
  }

  /** Stores an upload and its row; nothing has been done with it. */
  async upload(filename: string, text: string, version = 1, scriptId: string = randomUUID()) {
    const rawKey = uploadKey(new Date(), scriptId, version, "a");
    await this.objects.put(rawKey, Buffer.from(text));
    return register(this.catalog, upload(filename, text, { scriptId, version, rawKey }));
  }

  /** Takes an upload through dedup: the bytes are at their content address then. */
  async settle(
    { versionId, rawKey }: { versionId: string; rawKey: string | undefined },
    text: string,
  ) {
    const key = blobKey(sha256Of(text));
    await this.objects.put(key, Buffer.from(text));
    const place = {
      key,
      offset: 0,
      length: Buffer.byteLength(text),
      encoding: "identity",
    } as const;
    await work(this.catalog, "dedup", [versionId], done<"dedup">({ ...DEDUP_RESULT, place }));
    if (rawKey !== undefined) await this.objects.delete(rawKey);
    return place;
  }

  /** A script that is through all stages. */
  async ready(filename: string, text: string, version = 1, scriptId?: string) {
    const version_ = await this.upload(filename, text, version, scriptId);
    const { versionId } = version_;
    const place = await this.settle(version_, text);
    const asks = validateResult("needs_approval");
    await work(this.catalog, "validate", [versionId], done<"validate">(asks));
    const metadata = { functions: [{ docstring: "\0 \ud800" }], tools: { fastmcp: [] } };
    await work(this.catalog, "extract", [versionId], done<"extract">({ metadata } as never));
    await work(this.catalog, "compress", [versionId], done<"compress">({}));
    const backupKey = await backUpBlob(this.objects, this.backup, {
      place,
      sha256: sha256Of(text),
    });
    await work(
      this.catalog,
      "backup",
      [versionId],
      done<"backup">({ backupKey, manifestKey: "m" }),
    );
    return version_;
  }

  /** A script that is no Python: its bytes are in quarantine. */
  async invalid(filename: string, text: string) {
    const version = await this.upload(filename, text);
    const place = { ...(await this.settle(version, text)), key: quarantineKey(sha256Of(text)) };
    await this.objects.put(place.key, Buffer.from(text));
    await work(
      this.catalog,
      "validate",
      [version.versionId],
      done<"validate">({ ...validateResult("invalid"), place }, true),
    );
    await this.objects.delete(blobKey(sha256Of(text)));
    return version;
  }

  /** Every row of every exported table as text, in order. */
  async rows(except: readonly string[] = []): Promise<Record<string, string[]>> {
    const all: Record<string, string[]> = {};
    for (const { name } of await readTables(this.catalog)) {
      if (except.includes(name)) continue;
      const { rows } = await this.catalog.query<{ line: string }>(
        `select t::text as line from "${name}" t order by 1`,
      );
      all[name] = rows.map(({ line }) => line);
    }
    return all;
  }

  /** Every object, by its key. */
  async contents(store = this.objects): Promise<Map<string, string>> {
    const keys: string[] = [];
    for await (const { key } of store.list("")) keys.push(key);
    const contents = await Promise.all(
      keys.sort().map(async (key) => [key, (await store.get(key)).toString()] as const),
    );
    return new Map(contents);
  }
}

/** A store that does some things otherwise. */
export function storeWith(store: ObjectStore, changed: Partial<ObjectStore>): ObjectStore {
  return {
    description: store.description,
    get: store.get.bind(store),
    put: store.put.bind(store),
    stat: store.stat.bind(store),
    copy: store.copy.bind(store),
    delete: store.delete.bind(store),
    list: store.list.bind(store),
    check: store.check.bind(store),
    probeRoom: store.probeRoom.bind(store),
    close: store.close.bind(store),
    ...changed,
  };
}
