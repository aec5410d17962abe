import { randomBytes, randomUUID } from "node:crypto";
import { PackBuilder, readBlob } from "@sluice/blobs";
import {
  addStatisticChanges,
  beginPack,
  commitPack,
  HalfRestoredError,
  migrate,
  readBlobPlace,
  readStatistics,
} from "@sluice/catalog";
import {
  backupKey,
  DamagedExportError,
  KeyMissingError,
  listExports,
  readChain,
  RestoreRefusedError,
  verifyBackup,
} from "@sluice/recovery";
import { backupBlobKey } from "@sluice/backup";
import { blobKey, packKey, quarantineKey } from "@sluice/object-store";
import { expect, test } from "vitest";
import { sha256Of } from "../catalog/fixture.js";
import { describeWith } from "../servers/index.js";
import { Stores } from "./fixture.js";

describeWith(["postgres"], "a restore", () => {
  /** Stores whose newest export has everything, by a base and increments. */
  async function exported(): Promise<Stores> {
    const stores = await Stores.open();
    const first = await stores.ready("first.py", "import os\n");
    await stores.invalid("invalid.py", "def (\n");
    await stores.upload("queued.py", "x = 1\n");
    await stores.export();
    await stores.ready("first.py", "import sys\n", 2, first.scriptId);
    await stores.settle(await stores.upload("settled.py", "y = 1\n"), "y = 1\n");
    await decide(stores, first.scriptId);
    const gone = await stores.upload("gone.py", "z = 1\n");
    await stores.catalog.query(
      'update scripts set tags = \'{a,"b c"}\', labels = \'{"k": "v"}\' where id = $1',
      [first.scriptId],
    );
    await stores.export();
    await stores.catalog.query("update approvals set expired_at = now()");
    await stores.catalog.query("delete from stages where version_id = $1", [gone.versionId]);
    await stores.catalog.query("delete from versions where id = $1", [gone.versionId]);
    await stores.catalog.query("delete from scripts where id = $1", [gone.scriptId]);
    if (gone.rawKey !== undefined) await stores.objects.delete(gone.rawKey);
    await stores.export();
    return stores;
  }

  async function decide({ catalog }: Stores, scriptId: string): Promise<void> {
    await catalog.query(
      `insert into approvals (id, script_id, version, sha256, bytes_since, decision, reason, actor)
       values (gen_random_uuid(), $1, 1, $2, 1, 'granted', 'why', 'who')`,
      [scriptId, sha256Of("import os\n")],
    );
  }

  test("brings archived scripts back from their own copies, as objects of their own", async () => {
    const stores = await Stores.open();
    const texts = ["import os\n", "import re\n"] as const;
    for (const text of texts) await stores.ready(`${text.slice(7, 9)}.py`, text);
    const pack = new PackBuilder();
    for (const text of texts) await pack.add(sha256Of(text), Buffer.from(text));
    const packId = randomUUID();
    const bytes = await pack.finish();
    await stores.objects.put(packKey(packId), bytes);
    await beginPack(stores.catalog, packId);
    const members = pack.members.map(({ sha256, offset, length, size }) => ({
      sha256,
      offset,
      length,
      from: { key: blobKey(sha256), offset: 0, length: size, encoding: "identity" as const },
    }));
    const commit = { packId, size: bytes.length, members, audit: () => [] };
    expect((await commitPack(stores.catalog, commit)).size).toBe(2);
    await stores.export();
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    expect(await target.restore()).toMatchObject({ scripts: 2, lost: [] });
    for (const text of texts) {
      const sha256 = sha256Of(text);
      const place = await readBlobPlace(target.catalog, sha256);
      expect(place).toMatchObject({ key: blobKey(sha256), offset: 0 });
      expect(place && (await readBlob(target.objects, place, sha256)).toString()).toBe(text);
    }
  });

  test("gives every row and every object again, those under way and in quarantine included", async () => {
    const stores = await exported();
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    expect(await target.restore()).toMatchObject({ scripts: 4, versions: 5, lost: [] });
    const { events: told, ...rows } = await target.rows();
    const { events, ...expected } = await stores.rows();
    expect(rows).toEqual(expected);
    expect(told).toHaveLength((events ?? []).length + 1);
    const kept = async (from: Stores) =>
      new Map(
        [...(await from.contents())].filter(([key]) => !/\.metadata\.json$|^registers\//.test(key)),
      );
    expect(await kept(target)).toEqual(await kept(stores));
    // Nothing that protects the tables has been forgotten.
    expect(await shape(target)).toEqual(await shape(stores));
    await target.catalog.check();
  });

  test("counts what it has brought back", async () => {
    const stores = await exported();
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    await target.restore();
    const counted = async ({ catalog }: Stores) => {
      while ((await addStatisticChanges(catalog, 1_000)) > 0);
      const { live, states, blobs, times } = await readStatistics(catalog, {});
      return { live, states, blobs, times };
    };
    const expected = await counted(stores);
    expect(expected.live).toBe(4);
    expect(await counted(target)).toEqual(expected);
    // And what comes after it.
    await target.ready("later.py", "a = 1\n");
    expect((await counted(target)).live).toBe(5);
  });

  test("goes on with exports of its own, and its numbers where the old ones stopped", async () => {
    const stores = await exported();
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    await target.restore();
    const outcome = await target.export();
    expect(outcome).toMatchObject({ kind: "exported", index: { kind: "base" } });
    const next = await target.catalog.query(
      "insert into events (severity, kind, message) values ('info', 'x', 'y') returning id",
    );
    expect(Number(next.rows[0]?.["id"])).toBeGreaterThan(1);
    const again = await Stores.open({ backup: stores.backup, migrated: false });
    await again.restore();
    expect(await again.rows(["events"])).toEqual(await target.rows(["events"]));
  });

  test("that is stopped goes on where it stopped, and nothing is served meanwhile", async () => {
    const stores = await exported();
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    let runs = 0;
    for (let stopAt = 1, over = false; !over; stopAt += 4) {
      const abort = new AbortController();
      let steps = 0;
      const onProgress = (phase: string): void => {
        if (phase !== "checking the export" && ++steps === stopAt) abort.abort();
      };
      over = await target.restore({ signal: abort.signal, onProgress }).then(
        () => true,
        (error: unknown) => {
          expect(abort.signal.aborted, String(error)).toBe(true);
          return false;
        },
      );
      runs += 1;
      if (!over) {
        await expect(migrate(target.catalogUrl)).rejects.toThrow(HalfRestoredError);
      }
    }
    expect(runs).toBeGreaterThan(2);
    expect(await target.rows(["events"])).toEqual(await stores.rows(["events"]));
  });

  test("refuses a target that is not empty, and says what is there", async () => {
    const stores = await exported();
    await expect(stores.restore()).rejects.toThrow(
      /not empty.* rows in blobs;.* rows in scripts;.*and rows in \d+ more tables; objects in/s,
    );
    const target = await Stores.open({ backup: stores.backup });
    await target.objects.put("blobs/x", Buffer.from("x"));
    await expect(target.restore()).rejects.toThrow(/not empty.*blobs\/x.*--keep-objects/s);
    await target.restore({ keepObjects: true });
    expect((await target.contents()).get("blobs/x")).toBe("x");
  });

  test("names the object that is damaged, and has restored nothing", async () => {
    const stores = await exported();
    const newest = (await listExports(stores.backup)).at(-1) as string;
    const segments = (await readChain(stores.backup, newest)).flatMap(
      ({ index }) => index.segments,
    );
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    const damages: [string, (bytes: Buffer) => Buffer | undefined][] = [
      [segments[3]!.key, () => undefined],
      [segments[4]!.key, (bytes) => bytes.subarray(0, -1)],
      [
        segments.at(-1)!.key,
        (bytes) => Buffer.concat([bytes.subarray(0, 20), Buffer.from("!"), bytes.subarray(21)]),
      ],
      [
        `backups/catalog/indexes/${newest}.json`,
        (bytes) => Buffer.from(bytes.toString().replace("increment", "incremenT")),
      ],
      [`backups/catalog/indexes/${(await listExports(stores.backup))[0]}.json`, () => undefined],
    ];
    for (const [key, damage] of damages) {
      const whole = await stores.backup.get(key);
      const damaged = damage(whole);
      if (damaged === undefined) await stores.backup.delete(key);
      else await stores.backup.put(key, damaged);
      await expect(target.restore({ exportId: newest }), key).rejects.toThrow(DamagedExportError);
      await expect(target.restore({ exportId: newest }), key).rejects.toThrow(key);
      await stores.backup.put(key, whole);
    }
    expect(await target.contents()).toEqual(new Map());
    await target.restore();
  });

  test("says of what a newer Sluice has written that it cannot read it", async () => {
    const stores = await exported();
    const newest = (await listExports(stores.backup)).at(-1) as string;
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    await rewriteIndex(stores, newest, { format: "sluice.export/2" });
    await expect(target.restore()).rejects.toThrow(/sluice\.export\/2, which this version/);
    await rewriteIndex(stores, newest, {
      format: "sluice.export/1",
      migrations: ["0001_catalog", "9999_later"],
    });
    await expect(target.restore()).rejects.toThrow(/another version of Sluice.*9999_later/);
    expect(await target.contents()).toEqual(new Map());
  });

  test("takes exports in the order in which they were made, whatever the clock said", async () => {
    const stores = await exported();
    const ids = await listExports(stores.backup);
    // The clock was a year ahead when the first one was made, and then put right.
    await rewriteIndex(stores, ids[0] as string, { created_at: "2099-01-01T00:00:00.000Z" });
    await stores.catalog.query("delete from export_state");
    await stores.upload("after.py", "after = 1\n");
    for (let i = 0; i < 3; i++) {
      await stores.export({ keepMs: 60_000 });
      await stores.catalog.query("delete from export_state");
    }
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    const { exportId } = await target.restore();
    expect(exportId).toBe((await listExports(stores.backup)).at(-1));
    expect(await target.rows(["events"])).toEqual(await stores.rows(["events"]));
  });

  test("names blobs that the backup store has lost, and goes on without them only where it is told to", async () => {
    const stores = await exported();
    for await (const { key } of stores.backup.list("backups/quarantine/"))
      await stores.backup.delete(key);
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    await expect(target.restore()).rejects.toMatchObject({ lost: [{ why: "there is no copy" }] });
    await expect(migrate(target.catalogUrl)).rejects.toThrow(HalfRestoredError);
    expect(await target.restore({ allowMissing: true })).toMatchObject({ lost: [{}] });
  });

  test("is foretold by a verification of the backup store, which names what is lost or damaged", async () => {
    const stores = await exported();
    const { signal } = new AbortController();
    const verify = (sample: number) =>
      verifyBackup({ backup: stores.backup, keys: [], sample, signal, onProgress: () => {} });
    expect(await verify(Infinity)).toMatchObject({ blobs: 5, read: 5, lost: [] });
    expect(await verify(2)).toMatchObject({ blobs: 5, read: 2, lost: [] });
    const [damaged, gone] = [sha256Of("import os\n"), sha256Of("def (\n")];
    await stores.backup.put(backupBlobKey(blobKey(damaged)), Buffer.from("other bytes"));
    await stores.backup.delete(backupBlobKey(quarantineKey(gone)));
    const { lost } = await verify(Infinity);
    expect(lost.map(({ sha256 }) => sha256)).toEqual([gone, damaged]);
  });

  test("needs the key that the export is encrypted with", async () => {
    const stores = await Stores.open();
    await stores.ready("secret_name.py", "import os\n");
    const [right, wrong] = [backupKey(randomBytes(32)), backupKey(randomBytes(32))];
    await stores.export({ keys: [right] });
    for await (const { key } of stores.backup.list("backups/catalog/"))
      expect((await stores.backup.get(key)).includes("secret_name"), key).toBe(false);
    const target = await Stores.open({ backup: stores.backup, migrated: false });
    await expect(target.restore()).rejects.toThrow(KeyMissingError);
    await expect(target.restore({ keys: [wrong] })).rejects.toThrow(right.id);
    await target.restore({ keys: [wrong, right] });
    expect(await target.rows(["events"])).toEqual(await stores.rows(["events"]));
  });

  test("copies the backup too where the new installation has another backup store", async () => {
    const stores = await exported();
    const target = await Stores.open();
    await target.restore({ from: stores.backup, backup: target.backup });
    const copies = [...(await stores.contents(stores.backup))].filter(
      ([key]) => !key.startsWith("backups/catalog/"),
    );
    expect(await target.contents(target.backup)).toEqual(new Map(copies));
  });

  test("refuses what it was not asked of: no export, a Sluice that runs", async () => {
    const empty = await Stores.open();
    await expect(empty.restore()).rejects.toThrow(RestoreRefusedError);
  });
});

/** Says something else in an index, with the hash that it has then. */
async function rewriteIndex({ backup }: Stores, id: string, change: object): Promise<void> {
  const key = `backups/catalog/indexes/${id}.json`;
  const [, body = "{}"] = (await backup.get(key)).toString().split("\n");
  const text = JSON.stringify({ ...(JSON.parse(body) as object), ...change });
  await backup.put(key, Buffer.from(`{"sha256":"${sha256Of(text)}"}\n${text}\n`));
}

async function shape({ catalog }: Stores): Promise<unknown> {
  const constraints = await catalog.query(
    "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace order by 1, 2",
  );
  const indexes = await catalog.query(
    "select indexdef from pg_indexes where schemaname = 'public' order by 1",
  );
  const triggers = await catalog.query(
    "select tgrelid::regclass::text, tgname, tgenabled from pg_trigger where not tgisinternal and tgname <> 'record_deletions' order by 1, 2",
  );
  return [constraints.rows, indexes.rows, triggers.rows];
}
