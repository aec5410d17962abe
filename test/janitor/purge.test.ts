import { backupBlobKey, manifestKey } from "@sluice/backup";
import {
  BlobIsGoingError,
  deleteScript,
  listAudit,
  listEvents,
  listTrash,
  liftLegalHold,
  moveVersionsToTrash,
  placeLegalHold,
  readAnalysis,
  readScript,
  readVersion,
  undeleteScript,
  undeleteVersion,
} from "@sluice/catalog";
import { blobKey, metadataKey, type ObjectStore } from "@sluice/object-store";
import { createLog } from "@sluice/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { purgeTrashTask } from "../../services/janitor/src/purge/purge-trash.js";
import { Stores } from "../recovery/fixture.js";
import { describeWith } from "../servers/index.js";

const DAY_MS = 86_400_000;
const log = createLog("janitor", { logLevel: "silent" });

describeWith(["postgres"], "the purge of the trash", () => {
  let stores: Stores;
  beforeEach(async () => {
    stores = await Stores.open();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await stores.catalog.close();
  });

  const counted = { scripts: 0, versions: 0, blobs: 0, copies: 0 };
  beforeEach(() => void Object.assign(counted, { scripts: 0, versions: 0, blobs: 0, copies: 0 }));
  /** Runs what a janitor would at one time of its schedule. */
  const purge = (
    over: { objects?: ObjectStore; backup?: ObjectStore; signal?: AbortSignal } = {},
    keepMs = 0,
  ) =>
    purgeTrashTask({
      settings: { purgePerSecond: 1e9, exportKeepMs: keepMs },
      catalog: stores.catalog,
      objects: over.objects ?? stores.objects,
      backup: over.backup ?? stores.backup,
      log,
      onPurged: (what, count) => void (counted[what] += count),
    }).run({
      signal: over.signal ?? new AbortController().signal,
      cursor: undefined,
      save: async () => {},
    });
  const remove = (scriptId: string, reason?: string) =>
    deleteScript(stores.catalog, { scriptId, actor: "alice", trashMs: 30 * DAY_MS, reason });
  /** Lets the time in the trash be over. */
  const passTime = () =>
    stores.catalog.query("update trash set purge_at = now() - interval '1 second'");
  const removeForGood = async (scriptId: string) => {
    await remove(scriptId);
    await passTime();
  };
  const isThere = async (scriptId: string) => {
    const { rowCount } = await stores.catalog.query("select from scripts where id = $1", [
      scriptId,
    ]);
    return rowCount === 1;
  };
  const has = async (key: string, store = stores.objects) => (await store.stat(key)) !== undefined;
  const actions = async (scriptId: string) =>
    (await listAudit(stores.catalog, { filter: { scriptId }, limit: 50 })).items.map(
      ({ action }) => action,
    );
  /** A store in which something happens around each deletion. */
  const deleting = (
    store: ObjectStore,
    on: (key: string, go: () => Promise<void>) => Promise<void>,
  ): ObjectStore =>
    new Proxy(store, {
      get: (target, name: keyof ObjectStore) =>
        name === "delete"
          ? (key: string) => on(key, () => target.delete(key))
          : (target[name] as () => unknown).bind(target),
    });

  test("takes rows, bytes, metadata and manifest, and last the copies, and leaves what tells of it", async () => {
    const text = "import os\n";
    const script = await stores.ready("gone.py", text);
    const { sha256 } = script;
    await stores.objects.put(metadataKey(sha256), Buffer.from("{}"));
    const manifest = manifestKey(script.scriptId, 1);
    await stores.backup.put(manifest, Buffer.from("{}"));
    await remove(script.scriptId, "a mistake");
    await purge();
    expect(await isThere(script.scriptId)).toBe(true);

    await passTime();
    await purge({}, 7 * DAY_MS);
    expect(counted).toEqual({ scripts: 1, versions: 1, blobs: 1, copies: 0 });
    const { rows } = await stores.catalog.query(
      `select (select count(*)::int from versions) as versions, (select count(*)::int from stages) as stages,
         (select count(*)::int from analyses) as analyses, (select count(*)::int from script_facts) as facts,
         (select count(*)::int from trash) as trash, (select count(*)::int from purged_objects) as objects`,
    );
    expect(rows[0]).toEqual({
      versions: 0,
      stages: 0,
      analyses: 0,
      facts: 0,
      trash: 0,
      objects: 0,
    });
    expect([...(await stores.contents()).keys()]).toEqual([]);
    expect([...(await stores.contents(stores.backup)).keys()]).toEqual([
      backupBlobKey(blobKey(sha256)),
    ]);
    expect(await actions(script.scriptId)).toEqual(["script.purged", "script.deleted"]);
    const { items } = await listAudit(stores.catalog, {
      filter: { action: "script.purged" },
      limit: 1,
    });
    expect(items[0]).toMatchObject({
      actor: "janitor",
      details: {
        filename: "gone.py",
        deleted_by: "alice",
        reason: "a mistake",
        versions: 1,
        sha256s: [sha256],
      },
    });
    const events = await listEvents(stores.catalog, { filter: {}, limit: 5 });
    expect(events.items).toMatchObject([
      { kind: "trash.purged", details: { purged: [{ filename: "gone.py", deleted_by: "alice" }] } },
    ]);
    expect(
      await undeleteScript(stores.catalog, { scriptId: script.scriptId, actor: "alice" }),
    ).toEqual({ kind: "purged" });

    // The copies wait for an export that does not need them.
    await stores.catalog.query("update unreferenced_blobs set copies_due_at = now()");
    await purge();
    expect(await has(backupBlobKey(blobKey(sha256)), stores.backup)).toBe(true);
    await stores.export();
    await purge();
    expect(await has(backupBlobKey(blobKey(sha256)), stores.backup)).toBe(false);
    expect(counted.copies).toBe(1);
    const left = await stores.catalog.query("select from unreferenced_blobs");
    expect(left.rowCount).toBe(0);
  });

  test("leaves bytes that another script has, with what was found out about them", async () => {
    const text = "import sys\n";
    const first = await stores.ready("first.py", text);
    const second = await stores.upload("second.py", text);
    await stores.settle(second, text);
    await removeForGood(first.scriptId);
    await purge();
    expect(await isThere(first.scriptId)).toBe(false);
    expect(await has(blobKey(first.sha256))).toBe(true);
    const { rows } = await stores.catalog.query(
      "select leader, v.duplicate_of from analyses a join versions v on v.id = a.leader",
    );
    expect(rows).toEqual([{ leader: second.versionId, duplicate_of: null }]);
    expect((await readAnalysis(stores.catalog, second.versionId)).metadata).toBeDefined();
    await removeForGood(second.scriptId);
    await purge();
    expect(await has(blobKey(first.sha256))).toBe(false);
  });

  test("spares what is held meanwhile, came back, or is under way", async () => {
    const held = await stores.ready("held.py", "held = 1\n");
    const back = await stores.ready("back.py", "back = 1\n");
    const underWay = await stores.upload("under-way.py", "under = 1\n");
    for (const { scriptId } of [held, back, underWay]) await removeForGood(scriptId);
    await placeLegalHold(stores.catalog, {
      scriptId: held.scriptId,
      reason: "case",
      actor: "bob",
    });
    await undeleteScript(stores.catalog, { scriptId: back.scriptId, actor: "alice" });
    await purge();
    expect(
      await Promise.all([held, back, underWay].map(({ scriptId }) => isThere(scriptId))),
    ).toEqual([true, true, true]);
    expect(await readScript(stores.catalog, back.scriptId)).toBeDefined();
    expect((await stores.contents()).size).toBe(3);
    await liftLegalHold(stores.catalog, { scriptId: held.scriptId, actor: "bob" });
    await purge();
    expect(await isThere(held.scriptId)).toBe(false);
  });

  test("waits for the backup store, and for a copy that can be read", async () => {
    const script = await stores.ready("copied.py", "copied = 1\n");
    const copy = backupBlobKey(blobKey(script.sha256));
    const failed = await stores.upload("failed.py", "failed = 1\n");
    await stores.catalog.query("update versions set state = 'failed' where id = $1", [
      failed.versionId,
    ]);
    for (const { scriptId } of [script, failed]) await removeForGood(scriptId);
    const away = new Proxy(stores.backup, {
      get: () => () => Promise.reject(new Error("the backup store is away")),
    });
    await expect(purge({ backup: away })).rejects.toThrow("away");
    expect(await isThere(script.scriptId)).toBe(true);

    // Neither store gives the bytes back: it stays, for somebody to look.
    const content = await stores.objects.get(blobKey(script.sha256));
    await stores.objects.delete(blobKey(script.sha256));
    await stores.backup.delete(copy);
    await purge();
    expect(await isThere(script.scriptId)).toBe(true);
    // What was never settled is copied, too.
    expect(await isThere(failed.scriptId)).toBe(false);
    expect(await has(failed.rawKey as string)).toBe(false);
    expect(await has(backupBlobKey(blobKey(failed.sha256)), stores.backup)).toBe(true);

    // A bad copy is made anew before anything goes.
    await stores.objects.put(blobKey(script.sha256), content);
    await stores.backup.put(copy, Buffer.from("copied = 2\n"));
    await purge();
    expect(await isThere(script.scriptId)).toBe(false);
    expect(await stores.backup.get(copy)).toEqual(content);
  });

  test("killed between rows and bytes leaves orphans that the next run knows, and nothing without bytes", async () => {
    const scripts = await Promise.all(
      ["a", "b", "c"].map((name) => stores.ready(`${name}.py`, `${name} = 1\n`)),
    );
    for (const { scriptId } of scripts) await remove(scriptId);
    await passTime();
    const dying = deleting(stores.objects, () => Promise.reject(new Error("killed")));
    await expect(purge({ objects: dying })).rejects.toThrow("killed");
    expect(await Promise.all(scripts.map(({ scriptId }) => isThere(scriptId)))).toEqual([
      false,
      false,
      false,
    ]);
    expect((await stores.contents()).size).toBe(3);
    const { rowCount: dangling } = await stores.catalog.query(
      "select from blobs where state = 'stored' and sha256 in (select sha256 from unreferenced_blobs where removed_at is not null)",
    );
    expect(dangling).toBe(0);
    // The claims of whoever died end after two minutes.
    await stores.catalog.query(
      "update blobs set created_at = now() - interval '3 minutes' where state = 'deleting'",
    );
    await purge();
    expect((await stores.contents()).size).toBe(0);
  });

  test("by two janitors at once takes everything once", async () => {
    const scripts = await Promise.all(
      Array.from({ length: 30 }, (_, index) => stores.ready(`${index}.py`, `x = ${index % 10}\n`)),
    );
    for (const { scriptId } of scripts) await remove(scriptId);
    await passTime();
    await Promise.all([purge(), purge()]);
    await purge();
    expect(counted).toMatchObject({ scripts: 30, versions: 30, blobs: 10 });
    expect((await stores.contents()).size).toBe(0);
    const { items } = await listAudit(stores.catalog, {
      filter: { action: "script.purged" },
      limit: 100,
    });
    expect(items).toHaveLength(30);
  });

  test("loses no upload of the same bytes, whenever it comes", async () => {
    const text = "same = 1\n";
    const old = await stores.ready("old.py", text);
    await removeForGood(old.scriptId);
    // Rows are gone, bytes are not: the upload settles on the blob that is there.
    const dying = deleting(stores.objects, () => Promise.reject(new Error("killed")));
    await expect(purge({ objects: dying })).rejects.toThrow("killed");
    const early = await stores.upload("early.py", text);
    // While the object goes: dedup must not settle on it.
    await expect(stores.settle(early, text)).rejects.toThrow(BlobIsGoingError);
    await stores.catalog.query(
      "update blobs set created_at = now() - interval '3 minutes' where state = 'deleting'",
    );
    await purge();
    expect(await has(blobKey(old.sha256))).toBe(true);
    const { rowCount } = await stores.catalog.query("select from unreferenced_blobs");
    expect(rowCount).toBe(0);
    expect(await has(early.rawKey as string)).toBe(true);
  });

  test("lets an upload that comes in the middle store its bytes anew, and lead them through all stages", async () => {
    const text = "middle = 1\n";
    const old = await stores.ready("old.py", text);
    await removeForGood(old.scriptId);
    let refused: unknown;
    let late: Awaited<ReturnType<Stores["upload"]>> | undefined;
    const interrupted = deleting(stores.objects, async (key, go) => {
      if (key === blobKey(old.sha256)) {
        late = await stores.upload("late.py", text);
        refused = await stores.settle(late, text).catch((error: unknown) => error);
      }
      await go();
    });
    await purge({ objects: interrupted });
    expect(refused).toBeInstanceOf(BlobIsGoingError);
    await stores.catalog.query("update stages set state = 'pending', available_at = now()");
    await stores.settle({ ...late!, rawKey: undefined }, text);
    const { rows } = await stores.catalog.query(
      `select b.state, b.backup_key, b."offset"::int, a.leader from blobs b join analyses a using (sha256)`,
    );
    expect(rows).toEqual([
      { state: "stored", backup_key: null, offset: 0, leader: late!.versionId },
    ]);
    // Its copies are not taken away under it.
    await stores.export();
    await stores.catalog.query("update unreferenced_blobs set copies_due_at = now()");
    await stores.export();
    await purge();
    expect(await has(backupBlobKey(blobKey(old.sha256)), stores.backup)).toBe(true);
    expect(counted.copies).toBe(0);
  });

  test("goes by the database's clock, and stops where that differs from the janitor's", async () => {
    const script = await stores.ready("timed.py", "timed = 1\n");
    await remove(script.scriptId);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60 * DAY_MS });
    await purge();
    await passTime();
    await purge();
    expect(await isThere(script.scriptId)).toBe(true);
    const { items } = await listEvents(stores.catalog, { filter: {}, limit: 5 });
    expect(items).toMatchObject([{ kind: "retention.paused", severity: "critical" }]);
    vi.useRealTimers();
    await purge();
    expect(await isThere(script.scriptId)).toBe(false);
  });

  test("restored after it, nothing comes back; an older export that is kept still gives it all", async () => {
    const gone = await stores.ready("gone.py", "gone = 1\n");
    const kept = await stores.ready("kept.py", "kept = 1\n");
    await stores.export();
    const before = (await stores.catalog.query("select export_id from export_state")).rows[0];
    await removeForGood(gone.scriptId);
    await purge({}, 7 * DAY_MS);
    await stores.export({ keepMs: 7 * DAY_MS });
    await purge({}, 7 * DAY_MS);

    const newest = await Stores.open({ backup: stores.backup, migrated: false });
    expect(await newest.restore()).toMatchObject({ scripts: 1, lost: [] });
    expect(await readScript(newest.catalog, kept.scriptId)).toBeDefined();
    const { rows } = await newest.catalog.query("select sha256 from unreferenced_blobs");
    expect(rows).toEqual([{ sha256: gone.sha256 }]);
    await newest.catalog.close();

    const older = await Stores.open({ backup: stores.backup, migrated: false });
    const exportId = String(before?.["export_id"]);
    expect(await older.restore({ exportId })).toMatchObject({ scripts: 2, lost: [] });
    await older.catalog.close();
  });

  test("takes a script of many versions in steps; once begun, it cannot come back", async () => {
    const { scriptId } = await stores.ready("many.py", "n = 1\n");
    for (let version = 2; version <= 120; version += 1) {
      const { versionId } = await stores.upload("many.py", `n = ${version}\n`, version, scriptId);
      await stores.catalog.query("update versions set state = 'failed' where id = $1", [versionId]);
    }
    await removeForGood(scriptId);
    const killed = new AbortController();
    const backup = new Proxy(stores.backup, {
      get: (target, name: keyof ObjectStore) => {
        if (name !== "get") return (target[name] as () => unknown).bind(target);
        return async (key: string) => {
          killed.abort();
          return target.get(key);
        };
      },
    });
    await purge({ backup, signal: killed.signal });
    expect(counted).toMatchObject({ scripts: 0, versions: 100 });
    expect(await isThere(scriptId)).toBe(true);
    const { items } = await listTrash(stores.catalog, { filter: {}, limit: 1 });
    expect(items[0]).toMatchObject({ going: true, versions: 20 });
    expect(await undeleteScript(stores.catalog, { scriptId, actor: "alice" })).toEqual({
      kind: "purged",
    });
    await purge();
    expect(await isThere(scriptId)).toBe(false);
    expect((await stores.contents()).size).toBe(0);
    const audit = await listAudit(stores.catalog, { filter: { scriptId }, limit: 1 });
    expect(audit.items[0]?.details).toMatchObject({ versions: 120 });
  });

  test("takes single versions, which come back until then; never the newest", async () => {
    const { catalog } = stores;
    const first = await stores.ready("versions.py", "v = 1\n");
    const { scriptId } = first;
    const second = await stores.ready("versions.py", "v = 2\n", 2, scriptId);
    const third = await stores.ready("versions.py", "v = 3\n", 3, scriptId);
    const rule = { rule: "many", policy_id: 1, policy_version: "1+x" };
    const trash = () =>
      catalog.transaction((tx) =>
        moveVersionsToTrash(
          tx,
          [first, second, third].map(({ versionId }) => ({ scriptId, versionId, rule })),
          { actor: "retention", trashMs: DAY_MS },
        ),
      );
    expect(await trash()).toEqual(new Set([first.versionId, second.versionId]));
    expect(await trash()).toEqual(new Set());
    expect(await readVersion(catalog, { scriptId, version: 2 })).toBeUndefined();
    expect(await undeleteVersion(catalog, { scriptId, version: 2, actor: "alice" })).toBe(
      "undeleted",
    );
    expect(await readVersion(catalog, { scriptId, version: 2 })).toBeDefined();
    await passTime();
    await purge();
    expect(await has(blobKey(first.sha256))).toBe(false);
    expect(await has(blobKey(second.sha256))).toBe(true);
    expect(await readScript(catalog, scriptId)).toMatchObject({ version: 3 });
    expect(await undeleteVersion(catalog, { scriptId, version: 1, actor: "alice" })).toBe("purged");
    expect(await undeleteVersion(catalog, { scriptId, version: 3, actor: "alice" })).toBe(
      "not_deleted",
    );
    expect(await undeleteVersion(catalog, { scriptId, version: 9, actor: "alice" })).toBe(
      "not_found",
    );
    expect(await actions(scriptId)).toEqual([
      "version.purged",
      "version.undeleted",
      "version.deleted",
      "version.deleted",
    ]);
  });
});
