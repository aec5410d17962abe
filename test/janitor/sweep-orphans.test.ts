import { utimesSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "@sluice/blobs";
import { type Catalog, listEvents } from "@sluice/catalog";
import {
  blobKey,
  FileSystemObjectStore,
  metadataKey,
  type ObjectStore,
  uploadKey,
} from "@sluice/object-store";
import { createLog } from "@sluice/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sweepOrphans } from "../../services/janitor/src/sweep-orphans.js";
import { openFreshCatalog } from "../catalog/fixture.js";
import { describeWith, sharedPostgres, temporaryDirectory } from "../servers/index.js";

const HOUR_MS = 3_600_000;
const log = createLog("janitor", { logLevel: "silent" });

describeWith(["postgres"], "the sweep of orphans", () => {
  let catalog: Catalog;
  let objects: ObjectStore;
  let directory: string;
  beforeEach(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    directory = temporaryDirectory();
    objects = await FileSystemObjectStore.open(directory);
  });
  afterEach(() => catalog.close());

  async function put(key: string, ageMs: number): Promise<void> {
    await objects.put(key, Buffer.from("print()"));
    const at = new Date(Date.now() - ageMs);
    utimesSync(join(directory, key), at, at);
  }

  async function sweep(): Promise<string[]> {
    const deleted: string[] = [];
    await sweepOrphans({
      catalog,
      objects,
      log,
      graceMs: HOUR_MS,
      signal: new AbortController().signal,
      onDeleted: (key) => deleted.push(key),
    });
    return deleted;
  }

  test("deletes what crashes leave, tells it, and touches nothing that is not Sluice's", async () => {
    const hash = sha256Of(Buffer.from("lost"));
    const scriptId = "01a2094b-5a3c-761f-a6e9-09ad8dfdcae2";
    const orphans = [
      uploadKey(new Date(), scriptId, 1, ""),
      blobKey(hash),
      blobKey(hash, "zstd"),
      metadataKey(hash),
    ];
    const foreign = [
      "uploads/notes.txt",
      `blobs/${hash}`,
      `blobs/sha256/00/00/${hash}`,
      "other/own.py",
    ];
    for (const key of [...orphans, ...foreign]) await put(key, 2 * HOUR_MS);
    const young = blobKey(sha256Of(Buffer.from("young")));
    await put(young, 0);
    const deleted = await sweep();
    expect(deleted.toSorted()).toEqual(orphans.toSorted());
    const left: string[] = [];
    for await (const { key } of objects.list("")) left.push(key);
    expect(left.toSorted()).toEqual([...foreign, young].toSorted());
    const { items } = await listEvents(catalog, { filter: {}, limit: 10 });
    expect(items).toMatchObject([
      { kind: "object.orphans_deleted", severity: "info", details: { objects: orphans.length } },
    ]);
  });

  test("leaves alone what only a clock that has jumped makes old: its row may be about to come", async () => {
    const key = uploadKey(new Date(), "01a2094b-5a3c-761f-a6e9-09ad8dfdcae2", 1, "");
    await put(key, 0);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 40 * 24 * HOUR_MS });
    try {
      expect(await sweep()).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
    expect(await objects.stat(key)).toBeDefined();
  });
});
