import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { copyKeyOf } from "@sluice/backup";
import { decode, readPackIndex } from "@sluice/blobs";
import {
  commitPack,
  createRegistrar,
  listAudit,
  queueForArchive,
  readBlobPlace,
} from "@sluice/catalog";
import { blobKey, isPackKey, metadataKey, type ObjectStore } from "@sluice/object-store";
import { expect } from "vitest";
import { created, DEDUP_RESULT, done, upload, work } from "../catalog/fixture.js";
import { describeArchive } from "./archive-fixture.js";
import { storeScript } from "./stored.js";

describeArchive("the archive", ({ test, withoutS3 }) => {
  test("moves what the policy sends there into one object, and says by which rule", async (its) => {
    const scripts = await Promise.all([
      its.old("zstd"),
      its.old("plain", { encoding: "identity" }),
      its.old("gzip", { encoding: "gzip" }),
    ]);
    const kept = await storeScript(its, "kept");
    const key = await its.archive(...scripts);
    expect(await its.keys()).toEqual([key, kept.key, metadataKey(kept.sha256)].toSorted());
    await its.expectReadable(...scripts, kept);
    const index = await readPackIndex(its.objects, key);
    const first = index.find(({ sha256 }) => sha256 === scripts[0].sha256);
    expect(index).toHaveLength(3);
    expect(first?.size).toBe(scripts[0].content.length);
    expect(await its.besideIn(key, scripts[0])).toEqual({ sha256: scripts[0].sha256 });
    // All of it is frames, one behind the other.
    const whole = (await decode(await its.objects.get(key), "zstd")).toString();
    for (const { content } of scripts) expect(whole).toContain(content.toString());
    for (const { scriptId, sha256 } of scripts) {
      const { items } = await listAudit(its.catalog, { filter: { scriptId }, limit: 10 });
      expect(items[0]).toMatchObject({
        actor: "retention",
        action: "version.archived",
        version: 1,
        sha256,
        details: { rule: "slow", policy_version: expect.stringMatching(/^1/) },
      });
    }
    // Nothing is left to do, for either.
    await its.round();
    expect([await its.count("archive_queue"), await its.pack()]).toEqual([0, 0]);
  });

  withoutS3(
    "decides again before it packs: pins, other policies, uploads under way",
    async (its) => {
      const [going, pinned, busy] = [
        await its.old("going"),
        await its.old("pinned"),
        await its.old("busy"),
      ];
      await its.round();
      await its.catalog.query("update scripts set pinned = true where id = $1", [pinned.scriptId]);
      await createRegistrar(its.catalog, { onCommitted: () => {} }).register(
        upload("other.py", busy.content.toString()),
      );
      expect(await its.pack()).toBe(1);
      expect(isPackKey(await its.keyOf(going))).toBe(true);
      expect([await its.keyOf(pinned), await its.keyOf(busy)]).toEqual([pinned.key, busy.key]);
      await its.old("too late");
      await its.round();
      await its.enforce("name: test\nversion: 2\n");
      expect([await its.pack(), await its.count("archive_queue")]).toEqual([0, 1]);
      await its.expectReadable(going, pinned, busy);
    },
  );

  test("leaves a blob whose copy is bad where it is, tells and mends it, and archives it the next time", async (its) => {
    const [whole, edited, lost] = [await its.old("1"), await its.old("2"), await its.old("3")];
    await its.old("never backed up", { backedUp: false });
    await its.backup.put(edited.backupKey, Buffer.from("edited"));
    await its.backup.delete(lost.backupKey);
    await its.round();
    expect(await its.pack()).toBe(1);
    expect(await its.keysOf([whole, edited, lost])).toEqual([
      expect.stringMatching(/^archive/),
      edited.key,
      lost.key,
    ]);
    expect(await its.kinds()).toEqual(
      expect.arrayContaining(["backup.damaged", "backup.missing", "backup.repaired"]),
    );
    await its.archive(edited, lost);
  });

  withoutS3("leaves a blob that is damaged itself, and mends it from its copy", async (its) => {
    const script = await its.old("damaged", { encoding: "identity" });
    await its.objects.put(script.key, Buffer.from("damaged"));
    await its.round();
    expect([await its.pack(), await its.keyOf(script)]).toEqual([0, script.key]);
    await its.expectReadable(script);
    await its.archive(script);
  });

  withoutS3("moves nothing while the wrong backup store is mounted", async (its) => {
    const script = await its.old("script");
    await its.round();
    const other = await its.openOther();
    await expect(its.pack({ backup: other })).rejects.toThrow("the backup store is empty");
    expect([await its.keyOf(script), await its.count("archive_queue")]).toEqual([script.key, 1]);
    for await (const object of other.list("")) throw new Error(`wrote ${object.key}`);
    await other.close();
  });

  test("loses nothing and leaves nothing over, killed at any step", async (its) => {
    const steps: [string, (key: string, call: string) => boolean][] = [
      ["before the pack is put", (key, call) => call === "put" && isPackKey(key)],
      ["before it is read back", (key, call) => call === "get" && isPackKey(key)],
      ["before anything is deleted", (_, call) => call === "delete"],
      ["behind a blob", (key, call) => call === "delete" && key.endsWith(".metadata.json")],
    ];
    for (const [step, dies] of steps) {
      const scripts = await Promise.all([1, 2].map((n) => its.old(`${step} ${n}`)));
      await its.round();
      const killed = new AbortController();
      await its
        .pack({ objects: dyingAt(its.objects, dies, killed) }, killed.signal)
        .catch(() => undefined);
      expect(killed.signal.aborted).toBe(true);
      await its.expectReadable(...scripts);
      await its.pack();
      await its.catalog.query(
        "update packs set created_at = now() - interval '1 day' where state = 'writing'",
      );
      await its.sweep();
      await its.expectReadable(...scripts);
      const places = await its.keysOf(scripts);
      expect(places.every(isPackKey)).toBe(true);
    }
    const { rows } = await its.catalog.query<{ key: string }>("select distinct key from blobs");
    expect(await its.keys()).toEqual(rows.map(({ key }) => key).toSorted());
    expect(await its.count("packs")).toBe(rows.length);
  });

  withoutS3(
    "two at once: each blob has one place, and what they have left over goes",
    async (its) => {
      const scripts = await Promise.all(
        Array.from({ length: 12 }, (_, n) => its.old(`twice ${n}`)),
      );
      await its.round();
      await Promise.all([its.pack(), its.pack(), its.pack()]);
      await its.pack();
      await its.expectReadable(...scripts);
      expect((await its.keysOf(scripts)).every(isPackKey)).toBe(true);
      await its.sweep();
      const { rows } = await its.catalog.query<{ key: string }>("select distinct key from blobs");
      expect(await its.keys()).toEqual(rows.map(({ key }) => key).toSorted());
    },
  );

  withoutS3("one that was frozen while the sweep gave its pack up moves nothing", async (its) => {
    const script = await its.old("frozen");
    const packId = randomUUID();
    const place = await readBlobPlace(its.catalog, script.sha256);
    if (place === undefined) throw new Error("no blob");
    const members = [{ sha256: script.sha256, from: place, offset: 0, length: 9 }];
    await expect(
      commitPack(its.catalog, { packId, size: 9, members, audit: () => [] }),
    ).rejects.toMatchObject({ name: "PackLostError" });
    expect(await its.keyOf(script)).toBe(script.key);
  });

  withoutS3(
    "the same bytes again settle on the archived blob, and nothing is lost",
    async (its) => {
      const script = await its.old("again");
      const key = await its.archive(script);
      const text = script.content.toString();
      const { versionId } = created(
        await createRegistrar(its.catalog, { onCommitted: () => {} }).register(
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
      await its.objects.put(place.key, script.content);
      await work(its.catalog, "dedup", [versionId], done<"dedup">({ ...DEDUP_RESULT, place }));
      expect(await its.keyOf(script)).toBe(key);
      expect(await its.sweep()).toEqual([place.key]);
      await its.expectReadable(script);
      const archived = await readBlobPlace(its.catalog, script.sha256);
      expect(archived && copyKeyOf(script.sha256, archived)).toBe(script.backupKey);
    },
  );

  withoutS3("waits for more before it writes a small pack", async (its) => {
    await its.old("one");
    await its.round();
    expect(await its.pack({ patienceMs: 60_000 })).toBe(0);
    await its.catalog.query("update archive_queue set queued_at = now() - interval '2 minutes'");
    expect(await its.pack({ patienceMs: 60_000 })).toBe(1);
  });

  withoutS3(
    "while the backup store is away nothing goes, and what has moved stays readable",
    async (its) => {
      const archived = await its.old("archived");
      await its.archive(archived);
      const script = await its.old("script");
      expect(await queueForArchive(its.catalog, [script.sha256])).toEqual(new Set([script.sha256]));
      await rm(its.backupDir, { recursive: true });
      await expect(its.pack()).rejects.toMatchObject({ name: "StoreUnavailableError" });
      await expect(its.round()).rejects.toMatchObject({ name: "StoreUnavailableError" });
      expect(await its.keyOf(script)).toBe(script.key);
      await its.expectReadable(archived, script);
    },
  );
});

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
