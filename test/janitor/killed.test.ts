import { utimes } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { manifestKey } from "@sluice/backup";
import { readBlob } from "@sluice/blobs";
import { deleteScript, listEvents, queueForArchive, readBlobPlace } from "@sluice/catalog";
import { isPackKey, metadataKey } from "@sluice/object-store";
import { expect, test } from "vitest";
import { register, upload } from "../catalog/fixture.js";
import { start } from "../recovery/command.js";
import { Stores } from "../recovery/fixture.js";
import { killWhere, writesTo } from "../recovery/kill-where.js";
import { createDatabase, describeWith, sharedPostgres } from "../servers/index.js";
import { enforceArchiving } from "./archive-fixture.js";
import { type StoredScript, storeScript } from "./stored.js";

const KILL_AT = fileURLToPath(new URL("kill-at.mjs", import.meta.url));
const MAIN = fileURLToPath(new URL("../../services/janitor/dist/main.js", import.meta.url));
const JANITOR = ["--import", KILL_AT, MAIN];

/** Where it is killed: before or behind a call to a store, or while it waits in the middle of a transaction. */
const STEPS = [
  "before put ^archive/",
  "behind put ^archive/",
  "before delete ^blobs/.*zst$",
  "behind delete ^blobs/.*zst$",
  "behind delete ^blobs/.*json$",
  "behind delete ^backups/manifests/",
  writesTo("audit_log"),
];

describeWith(["postgres"], "a janitor that is killed while it archives and purges", () => {
  test("has lost nothing, and the next one ends what it began", { timeout: 240_000 }, async () => {
    const stores = await Stores.open();
    const { catalog, objects, backup } = stores;
    await enforceArchiving(catalog);
    const env = {
      QUEUE_URL: await createDatabase(sharedPostgres()),
      LEASE_SECONDS: "1",
      JANITOR_INTERVAL_SECONDS: "1",
      ORPHAN_GRACE_SECONDS: "60",
    };
    const living: StoredScript[] = [];
    const gone: StoredScript[] = [];

    /** Scripts to be archived, one whose time in the trash is over, and one of these whose bytes another has as well. */
    async function giveWork(step: string): Promise<void> {
      for (const n of [1, 2])
        living.push(await storeScript(stores, `${step} old ${n}`, { namespace: "old" }));
      const shared = await storeScript(stores, `${step} shared`);
      living.push(shared);
      for (const script of [await storeScript(stores, `${step} gone`), await again(shared)]) {
        await backup.put(manifestKey(script.scriptId, 1), Buffer.from("{}"));
        await deleteScript(catalog, { scriptId: script.scriptId, actor: "alice", trashMs: 0 });
        gone.push(script);
      }
      await makeDue();
    }
    /** The same bytes under another name. */
    async function again(script: StoredScript): Promise<StoredScript> {
      const copy = upload("again.py", script.content.toString(), { rawKey: undefined });
      const { scriptId, versionId } = await register(catalog, copy);
      await catalog.query("delete from stages where version_id = $1", [versionId]);
      await catalog.query("update versions set state = 'ready', raw_key = null where id = $1", [
        versionId,
      ]);
      return { ...script, scriptId, versionId };
    }
    /** Lets the times be over that the tasks wait for: their pauses, and the two minutes that a claim is another's. */
    async function makeDue(): Promise<void> {
      await queueForArchive(
        catalog,
        living.map(({ sha256 }) => sha256),
      );
      await catalog.query("update archive_queue set queued_at = now() - interval '1 day'");
      await catalog.query(
        "update blobs set created_at = now() - interval '1 day' where state = 'deleting'",
      );
      await catalog.query(
        `insert into maintenance_tasks (name, last_started_at)
         select unnest(array['archive', 'purge-trash']), now() - interval '1 day'
         on conflict (name) do update set last_started_at = excluded.last_started_at`,
      );
    }
    async function expectNothingLost(step: string): Promise<void> {
      const { rows } = await catalog.query<{ sha256: string }>(
        "select distinct sha256 from versions",
      );
      const referred = rows.map(({ sha256 }) => sha256);
      for (const { sha256 } of living) expect(referred, step).toContain(sha256);
      for (const sha256 of referred) {
        const place = await readBlobPlace(catalog, sha256);
        expect(place, step).toBeDefined();
        if (place !== undefined) await readBlob(objects, place, sha256);
      }
    }

    for (const step of STEPS) {
      await giveWork(step);
      if (step.startsWith("lock")) await killWhere(step, JANITOR, stores, env);
      else {
        const { code, said } = await start(JANITOR, stores, { ...env, KILL_AT: step }).ended;
        expect(code, `${step}: ${said}`).toBeNull();
      }
      await expectNothingLost(step);
    }

    // What they have left is an orphan when it is old enough.
    for await (const { key } of objects.list(""))
      await utimes(`${objects.description.replace("file://", "")}/${key}`, 0, 0);
    await catalog.query("update packs set created_at = now() - interval '1 day'");
    await makeDue();
    const last = start(JANITOR, stores, env);
    const left = async () => {
      const { rows } = await catalog.query<{ left: number }>(
        `select ((select count(*) from trash) + (select count(*) from purged_objects) + (select count(*) from archive_queue)
           + (select count(*) from unreferenced_blobs where removed_at is null)
           + (select count(*) from blobs where state = 'deleting'))::int as left`,
      );
      return rows[0]?.left;
    };
    await expect.poll(left, { timeout: 60_000 }).toBe(0);
    await expectNothingLost("the last");
    const places = await Promise.all(living.map(({ sha256 }) => readBlobPlace(catalog, sha256)));
    const keys = places.flatMap((place, index) => {
      const { key = "" } = place ?? {};
      return isPackKey(key) ? [key] : [key, metadataKey(living[index]?.sha256 ?? "")];
    });
    const stored = async () => [...(await stores.contents()).keys()].filter(isNoRegister);
    await expect.poll(stored, { timeout: 60_000 }).toEqual([...new Set(keys)].toSorted());
    last.child.kill("SIGTERM");
    expect((await last.ended).code).toBe(0);

    expect(places.filter((place) => isPackKey(place?.key ?? ""))).toHaveLength(2 * STEPS.length);
    const { rowCount } = await catalog.query("select from scripts where id = any($1::uuid[])", [
      gone.map(({ scriptId }) => scriptId),
    ]);
    expect(rowCount).toBe(0);
    for (const { scriptId } of gone)
      expect(await backup.stat(manifestKey(scriptId, 1))).toBeUndefined();
    const told = (await listEvents(catalog, { filter: {}, limit: 200 })).items.map(
      ({ kind }) => kind,
    );
    expect(told.filter((kind) => /damaged|missing|unrepairable|failing/.test(kind))).toEqual([]);
  });
});

function isNoRegister(key: string): boolean {
  return !key.startsWith("registers/");
}
