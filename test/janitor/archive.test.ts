import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { copyKeyOf } from "@sluice/backup";
import { decode, readBlob, readPackIndex } from "@sluice/blobs";
import {
  activateRetentionPolicy,
  requestScrubPass,
  type Catalog,
  commitPack,
  createRegistrar,
  listAudit,
  listEvents,
  queueForArchive,
  readBlobPlace,
} from "@sluice/catalog";
import {
  blobKey,
  isPackKey,
  metadataKey,
  type ObjectStore,
  openObjectStore,
  packKey,
} from "@sluice/object-store";
import { parseRetentionPolicy } from "@sluice/retention";
import { createLog } from "@sluice/runtime";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type ArchiveDeps, archiveTask } from "../../services/janitor/src/archive/archive.js";
import { retentionTask } from "../../services/janitor/src/retain.js";
import { scrubTask } from "../../services/janitor/src/scrub/scrub.js";
import { sweepOrphans } from "../../services/janitor/src/sweep-orphans.js";
import { created, DEDUP_RESULT, done, openFreshCatalog, upload, work } from "../catalog/fixture.js";
import {
  describeWith,
  type S3Server,
  sharedPostgres,
  startS3,
  temporaryDirectory,
} from "../servers/index.js";
import { type StoredScript, storeScript } from "./stored.js";

const log = createLog("janitor", { logLevel: "silent" });
const { signal } = new AbortController();
const SLOW = `name: test
version: 1
rules:
  - {name: slow, namespace: old, even: [newest_version], action: archive}
brakes: {max_share: 100%}
`;

const SET_UPS = [
  ["a directory", undefined],
  ["minio", "minio"],
] as const;

for (const [name, kind] of SET_UPS) {
  describeWith(
    kind === undefined ? ["postgres"] : ["postgres", kind],
    `the archive on ${name}`,
    () => {
      let server: S3Server | undefined;
      let catalog: Catalog;
      let objects: ObjectStore;
      let backup: ObjectStore;
      let backupDir: string;
      beforeAll(async () => {
        if (kind !== undefined) server = await startS3(kind);
      });
      afterAll(() => server?.stop());
      beforeEach(async () => {
        catalog = await openFreshCatalog(sharedPostgres());
        objects = await openObjectStore(
          server?.bucketUrl() ?? `file://${temporaryDirectory()}/store`,
        );
        backupDir = `${temporaryDirectory()}/backup`;
        backup = await openObjectStore(server?.bucketUrl() ?? `file://${backupDir}`);
        await enforce(SLOW);
      });
      afterEach(async () => {
        await catalog.close();
        await objects.close();
        await backup.close();
      });

      /** What an S3 server makes no difference to. */
      const withoutS3 = (title: string, work: () => Promise<void>): void => {
        if (kind === undefined) test(title, work);
      };
      async function enforce(source: string): Promise<void> {
        const { name: policy, version } = parseRetentionPolicy(source);
        const activated = { name: policy, version, source, activatedBy: "alice" };
        await activateRetentionPolicy(catalog, activated, () => true);
      }
      const old = (text: string, over: Parameters<typeof storeScript>[2] = {}) =>
        storeScript({ catalog, objects, backup }, text, { namespace: "old", ...over });

      /** A round of the retention policy from its beginning. */
      async function round(): Promise<void> {
        let cursor: unknown;
        await catalog.query("delete from retention_state");
        await retentionTask({
          settings: {
            retentionIntervalMs: 60_000,
            retentionPerSecond: 100_000,
            trashMs: 86_400_000,
          },
          catalog,
          backup,
          onRetained: () => {},
        }).run({ cursor, save: async (saved) => void (cursor = saved), signal });
      }
      async function pack(overrides: Partial<ArchiveDeps> = {}): Promise<number> {
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
        }).run({ cursor: undefined, save: async () => {}, signal });
        return packed;
      }
      async function archive(...scripts: readonly StoredScript[]): Promise<string> {
        await round();
        expect(await pack()).toBe(scripts.length);
        const keys = await Promise.all(scripts.map(keyOf));
        expect(keys.every(isPackKey)).toBe(true);
        return keys[0] ?? "";
      }
      const keyOf = async ({ sha256 }: StoredScript) =>
        (await readBlobPlace(catalog, sha256))?.key ?? "";
      async function expectReadable(...scripts: readonly StoredScript[]): Promise<void> {
        for (const { sha256, content } of scripts) {
          const place = await readBlobPlace(catalog, sha256);
          if (place === undefined) throw new Error(`no blob of ${sha256}`);
          expect((await readBlob(objects, place, sha256)).equals(content)).toBe(true);
        }
      }
      async function sweep(): Promise<string[]> {
        const deleted: string[] = [];
        const onDeleted = (key: string) => void deleted.push(key);
        await sweepOrphans({ catalog, objects, log, graceMs: -1_000, signal, onDeleted });
        return deleted;
      }
      async function keys(): Promise<string[]> {
        const found: string[] = [];
        for await (const { key } of objects.list("")) found.push(key);
        return found.toSorted();
      }
      const kinds = async () =>
        (await listEvents(catalog, { filter: {}, limit: 50 })).items.map((event) => event.kind);
      const count = async (table: "packs" | "archive_queue") =>
        (await catalog.query(`select from ${table}`)).rowCount;

      test("moves what the policy sends there into one object, and says by which rule", async () => {
        const scripts = await Promise.all([
          old("zstd"),
          old("plain", { encoding: "identity" }),
          old("gzip", { encoding: "gzip" }),
        ]);
        const kept = await storeScript({ catalog, objects, backup }, "kept");
        const key = await archive(...scripts);
        expect(await keys()).toEqual([key, kept.key, metadataKey(kept.sha256)].toSorted());
        await expectReadable(...scripts, kept);
        const index = await readPackIndex(objects, key);
        const first = index.find(({ sha256 }) => sha256 === scripts[0].sha256);
        expect(index).toHaveLength(3);
        expect(first?.size).toBe(scripts[0].content.length);
        const beside = await decode(await objects.get(key, first?.metadata), "zstd");
        expect(JSON.parse(beside.toString())).toEqual({ sha256: scripts[0].sha256 });
        // All of it is frames, one behind the other.
        const whole = (await decode(await objects.get(key), "zstd")).toString();
        for (const { content } of scripts) expect(whole).toContain(content.toString());
        for (const { scriptId, sha256 } of scripts) {
          const { items } = await listAudit(catalog, { filter: { scriptId }, limit: 10 });
          expect(items[0]).toMatchObject({
            actor: "retention",
            action: "version.archived",
            version: 1,
            sha256,
            details: { rule: "slow", policy_version: expect.stringMatching(/^1/) },
          });
        }
        // Nothing is left to do, for either.
        await round();
        expect([await count("archive_queue"), await pack()]).toEqual([0, 0]);
      });

      withoutS3(
        "decides again before it packs: pins, other policies, uploads under way",
        async () => {
          const [going, pinned, busy] = [
            await old("going"),
            await old("pinned"),
            await old("busy"),
          ];
          await round();
          await catalog.query("update scripts set pinned = true where id = $1", [pinned.scriptId]);
          await createRegistrar(catalog, { onCommitted: () => {} }).register(
            upload("other.py", busy.content.toString()),
          );
          expect(await pack()).toBe(1);
          expect(isPackKey(await keyOf(going))).toBe(true);
          expect([await keyOf(pinned), await keyOf(busy)]).toEqual([pinned.key, busy.key]);
          await old("too late");
          await round();
          await enforce("name: test\nversion: 2\n");
          expect([await pack(), await count("archive_queue")]).toEqual([0, 1]);
          await expectReadable(going, pinned, busy);
        },
      );

      test("leaves a blob whose copy is bad where it is, tells and mends it, and archives it the next time", async () => {
        const [whole, edited, lost] = [await old("1"), await old("2"), await old("3")];
        await old("never backed up", { backedUp: false });
        await backup.put(edited.backupKey, Buffer.from("edited"));
        await backup.delete(lost.backupKey);
        await round();
        expect(await pack()).toBe(1);
        expect(await Promise.all([whole, edited, lost].map(keyOf))).toEqual([
          expect.stringMatching(/^archive/),
          edited.key,
          lost.key,
        ]);
        expect(await kinds()).toEqual(
          expect.arrayContaining(["backup.damaged", "backup.missing", "backup.repaired"]),
        );
        await archive(edited, lost);
      });

      withoutS3("leaves a blob that is damaged itself, and mends it from its copy", async () => {
        const script = await old("damaged", { encoding: "identity" });
        await objects.put(script.key, Buffer.from("damaged"));
        await round();
        expect([await pack(), await keyOf(script)]).toEqual([0, script.key]);
        await expectReadable(script);
        await archive(script);
      });

      withoutS3("moves nothing while the wrong backup store is mounted", async () => {
        const script = await old("script");
        await round();
        const other = await openObjectStore(
          server?.bucketUrl() ?? `file://${temporaryDirectory()}/other`,
        );
        await expect(pack({ backup: other })).rejects.toThrow("the backup store is empty");
        expect([await keyOf(script), await count("archive_queue")]).toEqual([script.key, 1]);
        for await (const object of other.list("")) throw new Error(`wrote ${object.key}`);
        await other.close();
      });

      test("loses nothing and leaves nothing over, killed at any step", async () => {
        const steps: [string, (key: string, call: string) => boolean][] = [
          ["before the pack is put", (key, call) => call === "put" && isPackKey(key)],
          ["before it is read back", (key, call) => call === "get" && isPackKey(key)],
          ["before anything is deleted", (_, call) => call === "delete"],
          ["behind a blob", (key, call) => call === "delete" && key.endsWith(".metadata.json")],
        ];
        for (const [step, dies] of steps) {
          const scripts = await Promise.all([1, 2].map((n) => old(`${step} ${n}`)));
          await round();
          const killed = new AbortController();
          await archiveTask({
            settings: { archivePerSecond: 100_000 },
            catalog,
            objects: dyingAt(objects, dies, killed),
            backup,
            log,
            patienceMs: 0,
            onPacked: () => {},
          })
            .run({ cursor: undefined, save: async () => {}, signal: killed.signal })
            .catch(() => undefined);
          expect(killed.signal.aborted).toBe(true);
          await expectReadable(...scripts);
          await pack();
          await catalog.query(
            "update packs set created_at = now() - interval '1 day' where state = 'writing'",
          );
          await sweep();
          await expectReadable(...scripts);
          const places = await Promise.all(scripts.map(keyOf));
          expect(places.every(isPackKey)).toBe(true);
        }
        const { rows } = await catalog.query<{ key: string }>("select distinct key from blobs");
        expect(await keys()).toEqual(rows.map(({ key }) => key).toSorted());
        expect(await count("packs")).toBe(rows.length);
      });

      withoutS3(
        "two at once: each blob has one place, and what they have left over goes",
        async () => {
          const scripts = await Promise.all(
            Array.from({ length: 12 }, (_, n) => old(`twice ${n}`)),
          );
          await round();
          await Promise.all([pack(), pack(), pack()]);
          await pack();
          await expectReadable(...scripts);
          expect((await Promise.all(scripts.map(keyOf))).every(isPackKey)).toBe(true);
          await sweep();
          const { rows } = await catalog.query<{ key: string }>("select distinct key from blobs");
          expect(await keys()).toEqual(rows.map(({ key }) => key).toSorted());
        },
      );

      withoutS3("one that was frozen while the sweep gave its pack up moves nothing", async () => {
        const script = await old("frozen");
        const packId = randomUUID();
        const place = await readBlobPlace(catalog, script.sha256);
        if (place === undefined) throw new Error("no blob");
        const members = [{ sha256: script.sha256, from: place, offset: 0, length: 9 }];
        await expect(
          commitPack(catalog, { packId, size: 9, members, audit: () => [] }),
        ).rejects.toMatchObject({ name: "PackLostError" });
        expect(await keyOf(script)).toBe(script.key);
      });

      withoutS3(
        "the same bytes again settle on the archived blob, and nothing is lost",
        async () => {
          const script = await old("again");
          const key = await archive(script);
          const text = script.content.toString();
          const { versionId } = created(
            await createRegistrar(catalog, { onCommitted: () => {} }).register(
              upload("again.py", text),
            ),
          );
          // As a dedup that has looked for a blob before there was one.
          const place = {
            key: blobKey(script.sha256),
            offset: 0,
            length: text.length,
            encoding: "identity",
          } as const;
          await objects.put(place.key, script.content);
          await work(catalog, "dedup", [versionId], done<"dedup">({ ...DEDUP_RESULT, place }));
          expect(await keyOf(script)).toBe(key);
          expect(await sweep()).toEqual([place.key]);
          await expectReadable(script);
          const archived = await readBlobPlace(catalog, script.sha256);
          expect(archived && copyKeyOf(script.sha256, archived)).toBe(script.backupKey);
        },
      );

      test("a pack that is damaged, cut or gone is mended from the backups, blob by blob", async () => {
        const harms: ((pack: string) => Promise<void>)[] = [
          async (at) => objects.put(at, (await objects.get(at)).fill("x", 5, 30)),
          async (at) => objects.put(at, (await objects.get(at)).subarray(0, 50)),
          (at) => objects.delete(at),
        ];
        // What else there is: a store that has lost everything is taken for the wrong one.
        await storeScript({ catalog, objects, backup }, "hot");
        for (const [index, harm] of harms.entries()) {
          const scripts = await Promise.all([1, 2].map((n) => old(`harm ${index} ${n}`)));
          await harm(await archive(...scripts));
          await requestScrubPass(catalog, { askedBy: "test", trusted: false });
          await scrubTask({
            catalog,
            objects,
            backup,
            log,
            settings: {
              scrubIntervalMs: 86_400_000,
              scrubObjectsPerSecond: 100_000,
              scrubBytesPerSecond: 1e9,
            },
            onScrubbed: () => {},
          }).run({ cursor: undefined, save: async () => {}, signal });
          await expectReadable(...scripts);
          expect((await catalog.query("select from damaged_blobs")).rowCount).toBe(0);
          await round();
          await pack();
          expect((await Promise.all(scripts.map(keyOf))).every(isPackKey)).toBe(true);
          await expectReadable(...scripts);
        }
      });

      test("what is left of a pack that is mostly dead goes into another, and the dead one goes", async () => {
        const scripts = await Promise.all([1, 2, 3].map((n) => old(`left ${n}`)));
        const [left, ...gone] = scripts as [StoredScript, ...StoredScript[]];
        const first = await archive(...scripts);
        // Most of it is alive: it stays as it is.
        expect([await pack(), await pack()]).toEqual([0, 0]);
        await catalog.query(`update blobs set state = 'deleted' where sha256 = any($1::text[])`, [
          gone.map(({ sha256 }) => sha256),
        ]);
        await sweep();
        expect(await keys()).toEqual([first]);
        expect(await pack()).toBe(1);
        const second = await keyOf(left);
        expect(second).not.toBe(first);
        await pack();
        expect(await keys()).toEqual([second]);
        await expectReadable(left);
        const [member] = await readPackIndex(objects, second);
        expect(
          (await decode(await objects.get(second, member?.metadata), "zstd")).toString(),
        ).toContain(left.sha256);
        await catalog.query("update blobs set state = 'deleted'");
        await pack();
        expect([await keys(), await count("packs")]).toEqual([[], 0]);
      });

      test("the sweep deletes packs that nothing knows of, and leaves files that are none", async () => {
        const key = await archive(await old("known"));
        const orphan = packKey(randomUUID());
        await objects.put(orphan, Buffer.from("lost"));
        await objects.put("archive/notes.txt", Buffer.from("mine"));
        expect(await sweep()).toEqual([orphan]);
        expect(await keys()).toEqual([key, "archive/notes.txt"].toSorted());
      });

      withoutS3("waits for more before it writes a small pack", async () => {
        await old("one");
        await round();
        expect(await pack({ patienceMs: 60_000 })).toBe(0);
        await catalog.query("update archive_queue set queued_at = now() - interval '2 minutes'");
        expect(await pack({ patienceMs: 60_000 })).toBe(1);
      });

      withoutS3(
        "while the backup store is away nothing goes, and what has moved stays readable",
        async () => {
          const archived = await old("archived");
          await archive(archived);
          const script = await old("script");
          expect(await queueForArchive(catalog, [script.sha256])).toEqual(new Set([script.sha256]));
          await rm(backupDir, { recursive: true });
          await expect(pack()).rejects.toMatchObject({ name: "StoreUnavailableError" });
          await expect(round()).rejects.toMatchObject({ name: "StoreUnavailableError" });
          expect(await keyOf(script)).toBe(script.key);
          await expectReadable(archived, script);
        },
      );
    },
  );
}

/** A store whose user dies with a call: that one does nothing any more, nor does any after it. */
function dyingAt(
  store: ObjectStore,
  dies: (key: string, call: string) => boolean,
  killed: AbortController,
): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name) as unknown;
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => {
        if (dies(String(args[0]), String(name))) killed.abort();
        if (killed.signal.aborted) return Promise.reject(new Error("killed"));
        return Reflect.apply(method, target, args) as unknown;
      };
    },
  });
}
