import { randomUUID } from "node:crypto";
import { PackBuilder, type PackMember, readPackIndex } from "@sluice/blobs";
import { readBlobPlace, readScrubPass, readStoredBlobs } from "@sluice/catalog";
import { isPackKey, packKey } from "@sluice/object-store";
import { expect } from "vitest";
import { type ArchiveFixture, describeArchive } from "./archive-fixture.js";
import { scrubDeps, scrubPass } from "./scrub-fixture.js";
import { describeScript, type StoredScript, storeScript } from "./stored.js";

describeArchive("packs", ({ test, withoutS3 }) => {
  type Harm = (its: ArchiveFixture, key: string, scripts: readonly StoredScript[]) => Promise<void>;
  const edit =
    (change: (pack: Buffer, index: readonly PackMember[]) => Buffer): Harm =>
    async ({ objects }, key) => {
      const index = await readPackIndex(objects, key);
      await objects.put(key, change(await objects.get(key), index));
    };
  /** What leaves all that somebody reads of it as it was. */
  const BESIDE: Readonly<Record<string, Harm>> = {
    "bytes behind it": edit((pack) => Buffer.concat([pack, Buffer.from("more")])),
    "its end cut off": edit((pack) => pack.subarray(0, -1)),
    "its index cut off": edit((pack, index) => pack.subarray(0, endOf(index))),
    "its index edited": edit((pack) => pack.fill("x", pack.length - 40, pack.length - 30)),
    "another index, which is right": async (its, key, scripts) => {
      const index = await readPackIndex(its.objects, key);
      const again = new PackBuilder();
      for (const { sha256, content } of scripts) await again.add(sha256, content);
      const frames = (await its.objects.get(key)).subarray(0, endOf(index));
      const other = await again.finish();
      await its.objects.put(key, Buffer.concat([frames, other.subarray(again.length)]));
    },
    "what lies beside a member edited": edit((pack, index) => {
      const { offset, length } = index[0]?.metadata ?? { offset: 0, length: 0 };
      return pack.fill("x", offset + length - 8, offset + length);
    }),
    "a member edited that nothing refers to": async (its, key, [first]) => {
      const { sha256 = "" } = first ?? {};
      const { offset = 0 } = (await readBlobPlace(its.catalog, sha256)) ?? {};
      await its.catalog.query("update blobs set state = 'deleted' where sha256 = $1", [sha256]);
      await edit((pack) => pack.fill("x", offset + 6, offset + 12))(its, key, []);
    },
  };
  /** What takes members with it. */
  const MEMBERS: Readonly<Record<string, Harm>> = {
    "a member edited": edit((pack) => pack.fill("x", 5, 30)),
    "bytes put between its members": edit((pack, index) => {
      const at = index[1]?.offset ?? 0;
      return Buffer.concat([pack.subarray(0, at), Buffer.from("more"), pack.subarray(at)]);
    }),
    "most of it cut off": edit((pack) => pack.subarray(0, 50)),
    "nothing in it": edit(() => Buffer.alloc(0)),
    "another pack in its place": async (its, key) => {
      const other = await its.archive(await its.old(`other than ${key}`));
      await its.objects.put(key, await its.objects.get(other));
    },
    "no object": ({ objects }, key) => objects.delete(key),
  };

  for (const [what, harms] of [
    ["beside what is read of it", BESIDE],
    ["with what is read of it", MEMBERS],
  ] as const)
    withoutS3(
      `the scrub finds whatever was done to a pack ${what}, and loses nothing`,
      async (its) => {
        // What else there is: a store that has lost everything is taken for the wrong one.
        await storeScript(its, "hot");
        for (const [name, harm] of Object.entries(harms)) {
          const scripts = [await its.old(`${name} 1`), await its.old(`${name} 2`)] as const;
          const [first, second] = scripts;
          await describeScript(its, first);
          const description = await describeScript(its, second);
          const key = await its.archive(...scripts);
          await harm(its, key, scripts);
          const isStored = (await readStoredBlobs(its.catalog, [first.sha256])).length > 0;
          const living = isStored ? scripts : [second];
          await scrubPass(scrubDeps(its));
          await its.expectReadable(...living);
          expect(await its.objects.stat(key), name).toBeUndefined();
          expect(await its.count("damaged_blobs"), name).toBe(0);
          expect(await its.eventsOf(key), name).toEqual([
            name === "no object" ? "object.missing" : "object.damaged",
            "object.repaired",
          ]);
          if (harms === BESIDE)
            expect((await its.keysOf(living)).every(isPackKey), name).toBe(true);
          await its.round();
          await its.pack();
          const now = await its.keyOf(second);
          expect(isPackKey(now), name).toBe(true);
          expect(await its.besideIn(now, second), name).toEqual(description);
          await scrubPass(scrubDeps(its));
          expect(await readScrubPass(its.catalog), name).toMatchObject({
            halted: undefined,
            counts: { damaged: 0, missing: 0, unrepairable: 0 },
          });
          await its.expectReadable(...living);
          await its.sweep();
          expect(await its.count("packs"), name).toBe((await its.keys()).filter(isPackKey).length);
        }
      },
    );

  test("the scrub finds nothing wrong with packs that are as they were written", async (its) => {
    const key = await its.archive(await its.old("whole"));
    await scrubPass(scrubDeps(its));
    expect(await its.kinds()).toEqual([]);
    expect((await readScrubPass(its.catalog))?.counts).toMatchObject({ checked: 1, documents: 1 });
    await its.objects.put(key, Buffer.concat([await its.objects.get(key), Buffer.from("more")]));
    await scrubPass(scrubDeps(its));
    expect(await its.eventsOf(key)).toEqual(["object.damaged", "object.repaired"]);
    expect((await readScrubPass(its.catalog))?.counts).toMatchObject({ damaged: 1, repaired: 1 });
  });

  withoutS3(
    "keeps what is left of a pack that nothing gives back, tells it once, and takes it when it is put back",
    async (its) => {
      const [lost, other] = [await its.old("lost"), await its.old("other")];
      const key = await its.archive(lost, other);
      const whole = await its.objects.get(key);
      const { offset = 0 } = (await readBlobPlace(its.catalog, lost.sha256)) ?? {};
      await its.objects.put(key, Buffer.from(whole).fill("x", offset + 5, offset + 30));
      await its.backup.put(lost.backupKey, Buffer.from("edited"));
      await scrubPass(scrubDeps(its));
      await scrubPass(scrubDeps(its));
      expect(await its.count("damaged_blobs")).toBe(1);
      expect(await its.keyOf(lost)).toBe(key);
      await its.expectReadable(other);
      expect(await its.eventsOf(key)).toEqual(["object.damaged"]);
      await its.objects.put(key, whole);
      await scrubPass(scrubDeps(its));
      expect(await its.count("damaged_blobs")).toBe(0);
      await its.expectReadable(lost, other);
      expect((await its.backup.get(lost.backupKey)).toString()).not.toBe("edited");
    },
  );

  withoutS3(
    "the scrub moves nothing out of a damaged pack while the wrong backup store is mounted",
    async (its) => {
      const script = await its.old("script");
      const key = await its.archive(script);
      await its.objects.put(key, Buffer.concat([await its.objects.get(key), Buffer.from("more")]));
      const other = await its.openOther();
      await scrubPass(scrubDeps({ ...its, backup: other }));
      expect((await readScrubPass(its.catalog))?.halted).toContain("the backup store is empty");
      expect(await its.keyOf(script)).toBe(key);
      await other.close();
    },
  );

  withoutS3(
    "a pack of before they were named by their bytes goes into one that is, and is no damage",
    async (its) => {
      const script = await its.old("script");
      const key = await its.archive(script);
      const id = randomUUID();
      await its.objects.put(packKey(id), await its.objects.get(key));
      await its.objects.delete(key);
      await its.catalog.query("update packs set id = $1", [id]);
      await its.catalog.query("update blobs set key = $1", [packKey(id)]);
      await scrubPass(scrubDeps(its));
      expect(await its.keys()).toEqual([await its.keyOf(script)]);
      expect(await its.keyOf(script)).not.toBe(packKey(id));
      await its.expectReadable(script);
      expect(await its.kinds()).toEqual([]);
    },
  );

  test("what is left of a pack that is mostly dead goes into another, and the dead one goes", async (its) => {
    const scripts = await Promise.all([1, 2, 3].map((n) => its.old(`left ${n}`)));
    const [left, ...gone] = scripts as [StoredScript, ...StoredScript[]];
    const description = await describeScript(its, left);
    const first = await its.archive(...scripts);
    // Most of it is alive: it stays as it is.
    expect([await its.pack(), await its.pack()]).toEqual([0, 0]);
    await its.catalog.query(`update blobs set state = 'deleted' where sha256 = any($1::text[])`, [
      gone.map(({ sha256 }) => sha256),
    ]);
    await its.sweep();
    expect(await its.keys()).toEqual([first]);
    expect(await its.pack()).toBe(1);
    const second = await its.keyOf(left);
    expect(second).not.toBe(first);
    await its.pack();
    expect(await its.keys()).toEqual([second]);
    await its.expectReadable(left);
    expect(await its.besideIn(second, left)).toEqual(description);
    await its.catalog.query("update blobs set state = 'deleted'");
    await its.pack();
    expect([await its.keys(), await its.count("packs")]).toEqual([[], 0]);
  });

  withoutS3("what was purged does not stay in a pack for more than a week", async (its) => {
    const scripts = await Promise.all([1, 2, 3].map((n) => its.old(`week ${n}`)));
    const [gone, ...left] = scripts as [StoredScript, ...StoredScript[]];
    const first = await its.archive(...scripts);
    const age = (days: number) =>
      its.catalog.query("update packs set created_at = now() - $1 * interval '1 day'", [days]);
    await age(8);
    expect(await its.pack()).toBe(0);
    await its.catalog.query("update blobs set state = 'deleted' where sha256 = $1", [gone.sha256]);
    await age(6);
    expect(await its.pack()).toBe(0);
    await age(8);
    expect(await its.pack()).toBe(2);
    await its.pack();
    const key = await its.keyOf(left[0] as StoredScript);
    expect(key).not.toBe(first);
    expect(await its.keys()).toEqual([key]);
    const index = await readPackIndex(its.objects, key);
    expect(index.map(({ sha256 }) => sha256)).not.toContain(gone.sha256);
    await its.expectReadable(...left);
  });

  test("the sweep deletes packs that nothing knows of, and leaves files that are none", async (its) => {
    const key = await its.archive(await its.old("known"));
    const orphan = packKey(randomUUID());
    await its.objects.put(orphan, Buffer.from("lost"));
    await its.objects.put("archive/notes.txt", Buffer.from("mine"));
    expect(await its.sweep()).toEqual([orphan]);
    expect(await its.keys()).toEqual([key, "archive/notes.txt"].toSorted());
  });
});

/** Where the members end, and what is beside them. */
function endOf(index: readonly PackMember[]): number {
  return Math.max(
    ...index
      .flatMap(({ metadata, ...member }) => [member, metadata ?? member])
      .map(({ offset, length }) => offset + length),
  );
}
