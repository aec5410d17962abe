import { randomBytes, randomUUID } from "node:crypto";
import {
  deleteScript,
  listMetadataChanges,
  listVersions,
  moveVersionsToTrash,
  readAnalysis,
  readScript,
  readStatuses,
  readVersion,
  recordUse,
} from "@sluice/catalog";
import { metadataKey } from "@sluice/object-store";
import {
  backupKey,
  listExports,
  readChain,
  RestoreRefusedError,
  restoreScript,
  type RestoreScriptDeps,
} from "@sluice/recovery";
import { expect, test } from "vitest";
import { sha256Of } from "../catalog/fixture.js";
import { describeWith } from "../servers/index.js";
import { Stores, storeWith } from "./fixture.js";

function bringBack(stores: Stores, scriptId: string, overrides: Partial<RestoreScriptDeps> = {}) {
  const { catalog, objects, backup } = stores;
  return restoreScript({
    catalog,
    objects,
    backup,
    from: backup,
    keys: [],
    scriptId,
    filename: undefined,
    actor: "test",
    signal: new AbortController().signal,
    onProgress: () => {},
    ...overrides,
  });
}

/** What the API would answer of a script. */
async function answers({ catalog, objects }: Stores, scriptId: string): Promise<unknown> {
  const script = await readScript(catalog, scriptId);
  const { items } = await listVersions(catalog, { scriptId, limit: 100 });
  const versions = await Promise.all(
    items.map(async ({ versionId, version, blob, ...rest }) => ({
      ...rest,
      version,
      bytes:
        blob &&
        (await objects.get(blob.key, { offset: blob.offset, length: blob.length })).toString(),
      analysis: await readAnalysis(catalog, versionId),
      statuses: await readStatuses(catalog, [{ scriptId, version }]),
    })),
  );
  const { rows } = await catalog.query(
    `select p.id, p.decision, p.reason, p.actor, p.created_at, i.kind, i.name from approvals p
     left join approval_items i on i.approval_id = p.id and i.seq = p.seq where p.script_id = $1 order by p.seq`,
    [scriptId],
  );
  const changes = await listMetadataChanges(catalog, { scriptId, limit: 100 });
  return { script: { ...script, blobKey: undefined }, versions, approvals: rows, changes };
}

/** Rows first, then bytes that no other version has: nothing is left of the script but what the backup store has. */
async function purge({ catalog, objects }: Stores, scriptId: string): Promise<void> {
  const { rows } = await catalog.query<{ sha256: string; key: string | null }>(
    `select v.sha256, b.key from versions v left join blobs b on b.sha256 = v.sha256 where v.script_id = $1
       and not exists (select from versions o where o.sha256 = v.sha256 and o.script_id <> $1)`,
    [scriptId],
  );
  const mine = "(select id from versions where script_id = $1)";
  for (const statement of [
    `delete from stages where version_id in ${mine}`,
    `update versions set duplicate_of = null where duplicate_of in ${mine}`,
    `update analyses a set leader = (select o.id from versions o where o.sha256 = a.sha256 and o.script_id <> $1 limit 1)
       where leader in ${mine} and exists (select from versions o where o.sha256 = a.sha256 and o.script_id <> $1)`,
    `delete from analyses where leader in ${mine}`,
    "delete from versions where script_id = $1",
    "delete from scripts where id = $1",
  ])
    await catalog.query(statement, [scriptId]);
  for (const { sha256, key } of rows) {
    await catalog.query("delete from script_facts where sha256 = $1", [sha256]);
    await catalog.query("delete from blobs where sha256 = $1", [sha256]);
    if (key !== null) await objects.delete(key);
    await objects.delete(metadataKey(sha256));
  }
}

describeWith(["postgres"], "one script brought back from the backup", () => {
  /** A script of two versions with all that people said of it, beside another one with the same bytes, and an export of it. */
  async function exported(): Promise<{ stores: Stores; scriptId: string; twin: string }> {
    const stores = await Stores.open();
    const { scriptId } = await stores.ready("mine.py", "import os\n");
    await stores.ready("mine.py", "import sys\n", 2, scriptId);
    const twin = await stores.upload("twin.py", "import os\n");
    await stores.settle(twin, "import os\n");
    const approval = randomUUID();
    await stores.catalog.query(
      `with made as (insert into approvals (id, script_id, version, sha256, bytes_since, decision, reason, actor)
         values ($1, $2, 1, $3, 1, 'granted', 'why', 'who') returning seq)
       insert into approval_items (approval_id, seq, script_id, kind, name, "references", complete)
         select $1, seq, $2, 'capability', 'filesystem.read', '[]', true from made`,
      [approval, scriptId, sha256Of("import os\n")],
    );
    await stores.catalog.query(
      "update scripts set title = 'Mine', tags = '{a,b}', labels = '{\"k\":\"v\"}', revision = 2 where id = $1",
      [scriptId],
    );
    await stores.catalog.query(
      `insert into metadata_changes (script_id, revision, actor, changes)
       values ($1, 2, 'who', '[{"field": "/title", "from": null, "to": "Mine"}]')`,
      [scriptId],
    );
    await stores.catalog.query(
      "insert into legal_holds (script_id, reason, actor) values ($1, 'r', 'a')",
      [twin.scriptId],
    );
    await recordUse(stores.catalog, [{ scriptId, downloads: 2, metadataReads: 1 }]);
    await stores.export();
    return { stores, scriptId, twin: twin.scriptId };
  }

  test("comes back whole after a purge, with versions, decisions, metadata and its history", async () => {
    const { stores, scriptId } = await exported();
    const before = await answers(stores, scriptId);
    const others = await stores.rows(["audit_log"]);
    await purge(stores, scriptId);
    await stores.export();
    // Somebody else's decision has a number that the script's own had.
    const restored = await bringBack(stores, scriptId, {
      exportId: (await listExports(stores.backup))[0],
    });
    expect(restored).toMatchObject({
      script: "inserted",
      versions: [1, 2],
      filename: "mine.py",
      lost: [],
    });
    expect(restored.blobs).toEqual([sha256Of("import sys\n")]);
    expect(await answers(stores, scriptId)).toEqual(before);
    const now = await stores.rows(["audit_log"]);
    for (const table of [
      "scripts",
      "metadata_changes",
      "legal_holds",
      "script_use",
      "script_use_days",
      "stages",
    ])
      expect(now[table], table).toEqual(others[table]);
    const { rows } = await stores.catalog.query(
      "select action, actor, details->'versions' as versions from audit_log where script_id = $1",
      [scriptId],
    );
    expect(rows).toEqual([{ action: "script.restored", actor: "test", versions: [1, 2] }]);
    // The policy in force judges it again, and search finds it.
    const judged = await stores.catalog.query(
      "select policy_id, manifest_key from versions where script_id = $1",
      [scriptId],
    );
    expect(judged.rows).toEqual([1, 2].map(() => ({ policy_id: 0, manifest_key: null })));
    const queued = await stores.catalog.query("select from search_queue");
    expect(queued.rowCount).toBeGreaterThanOrEqual(2);
    await expect(bringBack(stores, scriptId)).rejects.toThrow(/has no script/);
  });

  test("comes back out of the trash as it went there, and its bytes where they are gone", async () => {
    const { stores, scriptId } = await exported();
    const before = await answers(stores, scriptId);
    await deleteScript(stores.catalog, { scriptId, actor: "x", trashMs: 86_400_000 });
    for (const [key] of await stores.contents()) await stores.objects.delete(key);
    const restored = await bringBack(stores, scriptId);
    expect(restored).toMatchObject({ script: "undeleted", versions: [], lost: [] });
    expect(restored.blobs).toHaveLength(2);
    expect(await answers(stores, scriptId)).toEqual(before);
  });

  test("is repaired where its bytes are damaged or gone, and refused where nothing is wrong", async () => {
    const { stores, scriptId } = await exported();
    const before = await answers(stores, scriptId);
    await expect(bringBack(stores, scriptId)).rejects.toThrow(
      /nothing to bring back.*versions\/N\/restore/,
    );
    const [first] = (await listVersions(stores.catalog, { scriptId, limit: 1 })).items;
    await stores.objects.put(first!.blob!.key, Buffer.from("import syz\n"));
    expect(await bringBack(stores, scriptId)).toMatchObject({
      script: "kept",
      versions: [],
      blobs: [first!.sha256],
    });
    expect(await answers(stores, scriptId)).toEqual(before);
    await expect(bringBack(stores, scriptId, { filename: "other.py" })).rejects.toThrow(
      /keeps its name/,
    );
  });

  test("gets back a version that was deleted, and keeps what came since", async () => {
    const { stores, scriptId } = await exported();
    const old = await listVersions(stores.catalog, { scriptId, limit: 10 });
    await stores.ready("mine.py", "import re\n", 3, scriptId);
    await stores.catalog.query("update scripts set title = 'Newer' where id = $1", [scriptId]);
    const gone = old.items.find(({ version }) => version === 2)!;
    await stores.catalog.query("delete from stages where version_id = $1", [gone.versionId]);
    await stores.catalog.query("delete from analyses where leader = $1", [gone.versionId]);
    await stores.catalog.query("delete from versions where id = $1", [gone.versionId]);
    expect(await bringBack(stores, scriptId)).toMatchObject({ script: "kept", versions: [2] });
    const script = await readScript(stores.catalog, scriptId);
    expect(script).toMatchObject({ version: 3, userMetadata: { title: "Newer" } });
    const { items } = await listVersions(stores.catalog, { scriptId, limit: 10 });
    expect(items.map(({ version }) => version)).toEqual([3, 2, 1]);
  });

  test("gets versions out of the trash that were not in it then, and waits for a purge that has begun", async () => {
    const { stores, scriptId } = await exported();
    const { catalog } = stores;
    const { versionId } = (await readVersion(catalog, { scriptId, version: 1 }))!;
    await catalog.transaction((tx) =>
      moveVersionsToTrash(tx, [{ scriptId, versionId }], { actor: "x", trashMs: 86_400_000 }),
    );
    expect(await readVersion(catalog, { scriptId, version: 1 })).toBeUndefined();
    expect(await bringBack(stores, scriptId)).toMatchObject({ script: "kept", versions: [1] });
    expect(await readVersion(catalog, { scriptId, version: 1 })).toBeDefined();
    await deleteScript(catalog, { scriptId, actor: "x", trashMs: 86_400_000 });
    await catalog.query("update trash set purged = 1 where id = $1", [scriptId]);
    const before = await stores.rows();
    await expect(bringBack(stores, scriptId)).rejects.toThrow(/being purged/);
    expect(await stores.rows()).toEqual(before);
  });

  test("begins its work anew where that was under way", async () => {
    const stores = await Stores.open();
    const version = await stores.upload("late.py", "late = 1\n");
    await stores.export();
    await purge(stores, version.scriptId);
    await stores.objects.delete(version.rawKey ?? "");
    await bringBack(stores, version.scriptId);
    const { rows } = await stores.catalog.query(
      `select v.state, s.stage, s.state as stage_state, b.key from versions v join stages s on s.version_id = v.id
         join blobs b on b.sha256 = v.sha256`,
    );
    expect(rows).toMatchObject([{ state: "queued", stage: "dedup", stage_state: "pending" }]);
    expect((await stores.objects.get(rows[0]!["key"] as string)).toString()).toBe("late = 1\n");
    await stores.settle({ versionId: version.versionId, rawKey: undefined }, "late = 1\n");
  });

  test("is not overtaken by those who delete the same bytes at that moment", async () => {
    const { stores, scriptId } = await exported();
    await purge(stores, scriptId);
    const sha256 = sha256Of("import sys\n");
    await stores.catalog.query(
      "insert into blobs (sha256, size, state, key, length, encoding) values ($1, 0, 'deleting', 'x', 0, 'identity')",
      [sha256],
    );
    const release = (): Promise<unknown> =>
      stores.catalog.query(
        "update blobs set state = 'deleted', created_at = clock_timestamp() where sha256 = $1",
        [sha256],
      );
    // The claim ends once it has been met.
    const { objects } = stores;
    let puts = 0;
    const meeting = storeWith(objects, {
      put: async (key: string, bytes: Buffer) => {
        await objects.put(key, bytes);
        if (++puts > 1) return;
        await objects.delete(key);
        await release();
      },
    });
    await bringBack(stores, scriptId, { objects: meeting });
    expect(puts).toBe(2);
    const { items } = await listVersions(stores.catalog, { scriptId, limit: 1 });
    expect((await objects.get(items[0]!.blob!.key)).toString()).toBe("import sys\n");
  });

  test("takes another name where its own is taken, and says whose it is", async () => {
    const { stores, scriptId } = await exported();
    await purge(stores, scriptId);
    await stores.upload("mine.py", "new = 1\n");
    await expect(bringBack(stores, scriptId)).rejects.toThrow(/mine\.py is that of .*--filename/);
    expect(await readScript(stores.catalog, scriptId)).toBeUndefined();
    await bringBack(stores, scriptId, { filename: "mine-again.py" });
    expect(await readScript(stores.catalog, scriptId)).toMatchObject({ filename: "mine-again.py" });
  });

  test("is of the export that was made by then, and no other is taken for it", async () => {
    const { stores, scriptId } = await exported();
    const at = new Date();
    await purge(stores, scriptId);
    await stores.export();
    await expect(bringBack(stores, scriptId)).rejects.toThrow(RestoreRefusedError);
    await expect(bringBack(stores, scriptId, { at: new Date(0) })).rejects.toThrow(
      /no export from 1970/,
    );
    await expect(bringBack(stores, randomUUID(), { at })).rejects.toThrow(/has no script/);
    expect(await bringBack(stores, scriptId, { at })).toMatchObject({ versions: [1, 2] });
  });

  test("names bytes that the backup has lost, and brings back the rest", async () => {
    const { stores, scriptId } = await exported();
    await purge(stores, scriptId);
    const lost = sha256Of("import sys\n");
    for (const key of (await stores.contents(stores.backup)).keys())
      if (key.includes(lost)) await stores.backup.delete(key);
    const restored = await bringBack(stores, scriptId);
    expect(restored).toMatchObject({
      versions: [1, 2],
      lost: [{ sha256: lost, why: "there is no copy" }],
    });
    const { items } = await listVersions(stores.catalog, { scriptId, limit: 10 });
    expect(items.map(({ blob }) => blob !== undefined)).toEqual([false, true]);
  });

  test("does not miss bytes that had been let go from quarantine", async () => {
    const { stores } = await exported();
    const { catalog } = stores;
    const { scriptId } = await stores.invalid("invalid.py", "def (\n");
    await catalog.query("delete from blobs where sha256 = $1", [sha256Of("def (\n")]);
    await catalog.query("insert into expired_blobs (sha256) values ($1)", [sha256Of("def (\n")]);
    await stores.export();
    await purge(stores, scriptId);
    await catalog.query("delete from expired_blobs");
    expect(await bringBack(stores, scriptId)).toMatchObject({ versions: [1], blobs: [], lost: [] });
    const { rows } = await catalog.query("select sha256 from expired_blobs");
    expect(rows).toEqual([{ sha256: sha256Of("def (\n") }]);
  });

  test("changes nothing where the export is damaged, which is named, or has another key", async () => {
    const { stores, scriptId } = await exported();
    await purge(stores, scriptId);
    const before = await stores.rows();
    const newest = (await listExports(stores.backup)).at(-1) as string;
    const segments = (await readChain(stores.backup, newest)).flatMap(
      ({ index }) => index.segments,
    );
    const { key } = segments.find(({ table }) => table === "approvals")!;
    const whole = await stores.backup.get(key);
    await stores.backup.put(key, whole.subarray(0, -4));
    await expect(bringBack(stores, scriptId)).rejects.toThrow(key);
    expect(await stores.rows()).toEqual(before);
    await stores.backup.put(key, whole);
    const right = backupKey(randomBytes(32));
    const other = await exported();
    await other.stores.export({ keys: [right] });
    await purge(other.stores, other.scriptId);
    await expect(bringBack(other.stores, other.scriptId)).rejects.toThrow(right.id);
    await bringBack(other.stores, other.scriptId, { keys: [right] });
  });

  test("comes from another installation's backup, and is backed up here then", async () => {
    const { stores, scriptId } = await exported();
    const target = await Stores.open();
    await bringBack(target, scriptId, { from: stores.backup });
    expect(await answers(target, scriptId)).toEqual(await answers(stores, scriptId));
    const copies = await target.contents(target.backup);
    expect([...copies.values()].toSorted()).toEqual(["import os\n", "import sys\n"]);
    // A version of the script leads its analyses here.
    const { rows } = await target.catalog.query(
      "select count(*)::int as count from analyses a join versions v on v.id = a.leader and v.script_id = $1",
      [scriptId],
    );
    expect(rows).toEqual([{ count: 2 }]);
  });
});
