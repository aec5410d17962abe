import { encode, readBlob } from "@sluice/blobs";
import {
  type Catalog,
  listEvents,
  listScripts,
  readBlobPlace,
  readScrubPass,
  readVersion,
} from "@sluice/catalog";
import { blobKey, type ObjectStore, openObjectStore } from "@sluice/object-store";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openFreshCatalog } from "../catalog/fixture.js";
import {
  describeWith,
  type S3Server,
  sharedPostgres,
  startS3,
  temporaryDirectory,
} from "../servers/index.js";
import { runScrub, scrubDeps, scrubPass } from "./scrub-fixture.js";
import { storeScript } from "./stored.js";

const SET_UPS = [
  ["a directory", undefined],
  ["minio", "minio"],
] as const;

for (const [name, kind] of SET_UPS) {
  describeWith(
    kind === undefined ? ["postgres"] : ["postgres", kind],
    `the scrub on ${name}`,
    () => {
      let server: S3Server | undefined;
      let catalog: Catalog;
      let objects: ObjectStore;
      let backup: ObjectStore;
      beforeAll(async () => {
        if (kind !== undefined) server = await startS3(kind);
      });
      afterAll(() => server?.stop());
      const open = (): Promise<ObjectStore> =>
        openObjectStore(server?.bucketUrl() ?? `file://${temporaryDirectory()}/store`);
      beforeEach(async () => {
        catalog = await openFreshCatalog(sharedPostgres());
        objects = await open();
        backup = await open();
      });
      afterEach(async () => {
        await catalog.close();
        await objects.close();
        await backup.close();
      });

      const run = () => runScrub(scrubDeps({ catalog, objects, backup }));
      const pass = (trusted = false) => scrubPass(scrubDeps({ catalog, objects, backup }), trusted);
      const stored = (text: string, over: Parameters<typeof storeScript>[2] = {}) =>
        storeScript({ catalog, objects, backup }, text, over);

      async function content(sha256: string): Promise<Buffer> {
        const place = await readBlobPlace(catalog, sha256);
        if (place === undefined) throw new Error("no blob");
        return readBlob(objects, place, sha256);
      }

      const events = async (): Promise<string[]> =>
        (await listEvents(catalog, { filter: {}, limit: 100 })).items
          .map(({ kind: told }) => told)
          .toReversed();
      const marks = async (): Promise<Record<string, unknown>[]> =>
        (await catalog.query("select sha256, state from damaged_blobs order by sha256")).rows;

      test("finds nothing where nothing is wrong, and comes again only after its time", async () => {
        await stored("a");
        await stored("b", { encoding: "identity", backedUp: false });
        await run();
        const first = await readScrubPass(catalog);
        expect(first).toMatchObject({
          total: 2,
          counts: { checked: 2, damaged: 0, missing: 0, repaired: 0, unrepairable: 0 },
          finishedAt: expect.any(Date),
        });
        await run();
        expect((await readScrubPass(catalog))?.id).toBe(first?.id);
        expect(await events()).toEqual([]);
      });

      test("repairs a blob that was deleted, edited, cut, emptied, exchanged or added to", async () => {
        const bomb = Buffer.concat(
          await Promise.all(
            Array.from({ length: 20 }, () => encode(Buffer.alloc(32 << 20), "zstd")),
          ),
        );
        const harms: ((whole: Buffer) => Buffer | undefined)[] = [
          () => undefined,
          (whole) => Buffer.concat([whole.subarray(0, -6), Buffer.from("edited")]),
          (whole) => whole.subarray(0, 10),
          () => Buffer.alloc(0),
          (whole) => Buffer.alloc(whole.length, "x"),
          (whole) => Buffer.concat([whole, Buffer.from("# added")]),
          () => bomb,
        ];
        const blobs = [];
        for (const [index, harm] of harms.entries()) {
          const blob = await stored(`harm ${index}`);
          const bytes = harm(await objects.get(blob.key));
          if (bytes === undefined) await objects.delete(blob.key);
          else await objects.put(blob.key, bytes);
          blobs.push(blob);
        }
        await pass();
        for (const { sha256, content: whole } of blobs)
          expect((await content(sha256)).equals(whole)).toBe(true);
        expect((await readScrubPass(catalog))?.counts).toMatchObject({
          checked: harms.length,
          missing: 1,
          damaged: harms.length - 1,
          repaired: harms.length,
          unrepairable: 0,
        });
        expect(await marks()).toEqual([]);
        expect((await events()).filter((told) => told === "blob.repaired")).toHaveLength(
          harms.length,
        );
        await pass();
        expect((await readScrubPass(catalog))?.counts).toMatchObject({ damaged: 0, missing: 0 });
      });

      test("repairs a copy from its blob, and each from the other at once", async () => {
        const [lost, edited, whole] = [await stored("1"), await stored("2"), await stored("3")];
        await backup.delete(lost.backupKey);
        await backup.put(edited.backupKey, Buffer.from("edited"));
        await objects.delete(whole.key);
        await pass();
        for (const { backupKey, key } of [lost, edited, whole])
          expect((await backup.get(backupKey)).equals(await objects.get(key))).toBe(true);
        expect(await events()).toEqual(
          expect.arrayContaining([
            "backup.missing",
            "backup.damaged",
            "blob.missing",
            "blob.repaired",
          ]),
        );
        expect(await marks()).toEqual([]);
      });

      test("marks what nothing gives back, tells it once, and overwrites neither", async () => {
        const both = await stored("both damaged");
        await objects.put(both.key, Buffer.from("bad blob"));
        await backup.put(both.backupKey, Buffer.from("bad copy"));
        const gone = await stored("both missing");
        await objects.delete(gone.key);
        await backup.delete(gone.backupKey);
        const young = await stored("not backed up yet", { backedUp: false });
        await objects.delete(young.key);
        await stored("keeps the stores from being empty");
        await pass();
        await pass();
        expect(await marks()).toEqual(
          [
            { sha256: both.sha256, state: "damaged" },
            { sha256: gone.sha256, state: "missing" },
            { sha256: young.sha256, state: "missing" },
          ].toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : 1)),
        );
        expect(String(await objects.get(both.key))).toBe("bad blob");
        expect(String(await backup.get(both.backupKey))).toBe("bad copy");
        const { items } = await listScripts(catalog, {
          filter: {},
          sort: "upload_time",
          descending: false,
          limit: 10,
        });
        expect(items.map(({ integrity }) => integrity?.state)).toEqual([
          "damaged",
          "missing",
          "missing",
          undefined,
        ]);
        const [damaged] = items;
        expect(
          damaged && (await readVersion(catalog, { scriptId: damaged.scriptId }))?.integrity,
        ).toMatchObject({ state: "damaged", foundAt: expect.any(Date) });
        const told = (await events()).filter((one) => one === "blob.unrepairable");
        expect(told).toHaveLength(3);
        // Somebody has found the bytes, and puts them where they were.
        await objects.put(both.key, await encode(both.content, "zstd"));
        await pass();
        expect((await marks()).map(({ sha256 }) => sha256)).not.toContain(both.sha256);
        expect((await backup.get(both.backupKey)).equals(await objects.get(both.key))).toBe(true);
      });

      test("marks and writes nothing where a whole store is gone, until an operator says so", async () => {
        const blobs = await Promise.all(["1", "2", "3"].map((text) => stored(text)));
        for await (const { key } of objects.list("")) await objects.delete(key);
        await pass();
        await run();
        expect(await readScrubPass(catalog)).toMatchObject({
          halted: expect.stringContaining("the object store is empty"),
          counts: { checked: 0 },
          finishedAt: undefined,
        });
        expect(await events()).toEqual(["scrub.halted"]);
        expect(await marks()).toEqual([]);
        await pass(true);
        for (const { sha256, content: whole } of blobs)
          expect((await content(sha256)).equals(whole)).toBe(true);
        expect((await readScrubPass(catalog))?.halted).toBeUndefined();
      });

      test("halts where most of many are gone from either store", async () => {
        const blobs = await Promise.all(Array.from({ length: 30 }, (_, n) => stored(`many ${n}`)));
        for (const { backupKey } of blobs.slice(0, 25)) await backup.delete(backupKey);
        await pass();
        expect((await readScrubPass(catalog))?.halted).toMatch(/25 of 30 .* backup store/);
        expect(await marks()).toEqual([]);
      });

      test("puts what was part of an archive back as an object of its own", async () => {
        const [first, second] = [await stored("first"), await stored("second")];
        const parts = [await objects.get(first.key), await objects.get(second.key)] as const;
        const pack = Buffer.concat(parts);
        pack.fill(0, 4, 8);
        await objects.put("archive/pack-1", pack);
        for (const [index, { sha256, key }] of [first, second].entries()) {
          await catalog.query(
            `update blobs set key = 'archive/pack-1', "offset" = $2 where sha256 = $1`,
            [sha256, index === 0 ? 0 : parts[0].length],
          );
          await objects.delete(key);
        }
        await pass();
        expect(await readBlobPlace(catalog, first.sha256)).toMatchObject({
          key: first.key,
          offset: 0,
        });
        expect(await readBlobPlace(catalog, second.sha256)).toMatchObject({
          key: "archive/pack-1",
        });
        for (const { sha256, content: whole } of [first, second])
          expect((await content(sha256)).equals(whole)).toBe(true);
        expect((await objects.get("archive/pack-1")).equals(pack)).toBe(true);
      });
    },
  );
}

describeWith(["postgres"], "the scrub, while the backup store is away", () => {
  test("fails, and marks nothing", async () => {
    const catalog = await openFreshCatalog(sharedPostgres());
    const objects = await openObjectStore(`file://${temporaryDirectory()}/store`);
    const directory = `${temporaryDirectory()}/backup`;
    const backup = await openObjectStore(`file://${directory}`);
    const sha256 = "0".repeat(64);
    await objects.put("other", Buffer.from("x"));
    await catalog.query(
      `insert into blobs (sha256, size, key, length, encoding, backup_key)
       values ($1, 1, $2, 1, 'identity', $3)`,
      [sha256, blobKey(sha256), `backups/${blobKey(sha256)}`],
    );
    const { rm } = await import("node:fs/promises");
    await rm(directory, { recursive: true });
    await expect(runScrub(scrubDeps({ catalog, objects, backup }))).rejects.toMatchObject({
      name: "StoreUnavailableError",
    });
    const { rows } = await catalog.query("select from damaged_blobs");
    expect(rows).toEqual([]);
    await catalog.close();
  });
});
