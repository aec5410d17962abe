import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Catalog, listUnknownObjects, readScrubPass, requestScrubPass } from "@sluice/catalog";
import { type ObjectStore, openObjectStore } from "@sluice/object-store";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ScrubDeps } from "../../services/janitor/src/scrub/scrub.js";
import { openFreshCatalog } from "../catalog/fixture.js";
import { describeWith, sharedPostgres, temporaryDirectory } from "../servers/index.js";
import { eventsOf, runScrub, scrubDeps, scrubPass } from "./scrub-fixture.js";
import { storeScript } from "./stored.js";

describeWith(["postgres"], "a pass of the scrub", () => {
  let catalog: Catalog;
  let objects: ObjectStore;
  let backup: ObjectStore;
  let directory: string;
  let deps: ScrubDeps;
  beforeEach(async () => {
    directory = `file://${temporaryDirectory()}`;
    catalog = await openFreshCatalog(sharedPostgres());
    objects = await openObjectStore(`${directory}/objects`);
    backup = await openObjectStore(`${directory}/backup`);
    deps = scrubDeps({ catalog, objects, backup });
  });
  afterEach(async () => {
    await catalog.close();
    await objects.close();
    await backup.close();
  });

  const pathOf = (store: string, key = ""): string => fileURLToPath(`${directory}/${store}/${key}`);
  const marks = async (): Promise<number | null> =>
    (await catalog.query("select from damaged_blobs")).rowCount;
  const told = async (): Promise<string[]> => (await eventsOf(catalog)).map(({ kind }) => kind);

  async function many(count: number) {
    const scripts = [];
    for (let n = 0; n < count; n++) scripts.push(await storeScript(deps, `many ${n}`));
    return scripts;
  }

  test("is counted once, however many janitors run at once or die in the middle", async () => {
    const [bad] = await many(120);
    if (bad === undefined) throw new Error("none");
    await objects.put(bad.key, Buffer.from("edited"));
    // As if neither knew of the other: the lease that keeps them apart is the runner's.
    await Promise.all([scrubPass(deps), runScrub(deps), runScrub(deps)]);
    for (;;) {
      const pass = await readScrubPass(catalog);
      if (pass?.finishedAt !== undefined) break;
      await runScrub(deps);
    }
    const first = await readScrubPass(catalog);
    expect(first?.counts.checked).toBe(120);
    expect((await eventsOf(catalog)).filter(({ kind: k }) => k === "blob.repaired")).toHaveLength(
      1,
    );

    const dying = new AbortController();
    const killed = scrubDeps(deps, { onScrubbed: () => dying.abort() });
    await catalog.query("update scrub_passes set started_at = now() - interval '2 days'");
    await runScrub(killed, dying.signal);
    const stopped = await readScrubPass(catalog);
    expect(stopped).toMatchObject({ finishedAt: undefined, counts: { checked: 100 } });
    await runScrub(deps);
    expect(await readScrubPass(catalog)).toMatchObject({
      id: stopped?.id,
      finishedAt: expect.any(Date),
      counts: { checked: 120 },
    });
  });

  test("tells of files, links and directories that are none of its objects, but for a file system's own", async () => {
    await storeScript(deps, "keeps the stores from being empty");
    const root = pathOf("objects");
    mkdirSync(`${root}/lost+found`);
    mkdirSync(`${root}/My Files`);
    writeFileSync(`${root}/My Files/a.py`, "pass\n");
    writeFileSync(`${root}/b\u{1f600} c.py`, "pass\n");
    symlinkSync("/etc/passwd", `${root}/blobs/passwd`);
    writeFileSync(`${root}/.tmp-young`, "a write under way");
    await scrubPass(deps);
    const { items } = await listUnknownObjects(catalog, 10);
    const names = new Set(items.map(({ name }) => name));
    expect(names).toEqual(new Set(["My Files", "b\u{1f600} c.py", "blobs/passwd"]));
    rmSync(`${root}/blobs/passwd`);
  });

  test("waits, and marks nothing, where the backup store goes away in the middle, and goes on where it was", async () => {
    await many(120);
    const away = pathOf("away");
    const leaving = scrubDeps(deps, {
      onScrubbed: () => renameSync(pathOf("backup"), away),
    });
    await expect(runScrub(leaving)).rejects.toMatchObject({ name: "StoreUnavailableError" });
    await expect(runScrub(deps)).rejects.toMatchObject({ name: "StoreUnavailableError" });
    const waiting = await readScrubPass(catalog);
    expect(waiting).toMatchObject({ finishedAt: undefined, counts: { checked: 100, missing: 0 } });
    expect([await marks(), await told()]).toEqual([0, []]);
    renameSync(away, pathOf("backup"));
    await runScrub(deps);
    expect(await readScrubPass(catalog)).toMatchObject({
      id: waiting?.id,
      finishedAt: expect.any(Date),
      counts: { checked: 120, missing: 0 },
    });
  });

  test.each(["objects", "backup"] as const)(
    "writes nothing where the volume of the %s is not mounted, and goes on when it is",
    async (store) => {
      const scripts = await many(3);
      const away = pathOf("away");
      renameSync(pathOf(store), away);
      await expect(scrubPass(deps)).rejects.toMatchObject({ name: "StoreUnavailableError" });
      // What it was mounted on: a directory that has nothing.
      await mkdir(pathOf(store));
      await runScrub(deps);
      await runScrub(deps);
      expect((await readScrubPass(catalog))?.halted).toMatch(/store is empty/);
      expect([await marks(), await told()]).toEqual([0, ["scrub.halted"]]);
      rmSync(pathOf(store), { recursive: true });
      renameSync(away, pathOf(store));
      await runScrub(deps);
      expect(await readScrubPass(catalog)).toMatchObject({
        halted: undefined,
        finishedAt: expect.any(Date),
        counts: { checked: scripts.length, missing: 0, repaired: 0 },
      });
    },
  );

  test("repairs what cannot be read, from either side, and marks it where neither can be", async () => {
    const [blob, copy, both] = await many(3);
    if (blob === undefined || copy === undefined || both === undefined) throw new Error("too few");
    // Root reads whatever it may not; a link to itself nobody.
    const spoil = (path: string): void => {
      rmSync(path);
      symlinkSync(path, path);
    };
    spoil(pathOf("objects", blob.key));
    spoil(pathOf("backup", copy.backupKey));
    spoil(pathOf("objects", both.key));
    spoil(pathOf("backup", both.backupKey));
    await scrubPass(deps);
    for (const one of [blob, copy])
      expect((await objects.get(one.key)).equals(await backup.get(one.backupKey))).toBe(true);
    expect((await catalog.query("select sha256 from damaged_blobs")).rows).toEqual([
      { sha256: both.sha256 },
    ]);
    await scrubPass(deps);
    expect((await told()).filter((kind) => kind === "blob.unrepairable")).toHaveLength(1);
  });

  test("takes a mark away of what somebody has put back on both sides", async () => {
    const [one] = await many(2);
    if (one === undefined) throw new Error("none");
    const [blob, copy] = [await objects.get(one.key), await backup.get(one.backupKey)];
    await objects.delete(one.key);
    await backup.delete(one.backupKey);
    await scrubPass(deps);
    expect(await marks()).toBe(1);
    await objects.put(one.key, blob);
    await backup.put(one.backupKey, copy);
    await scrubPass(deps);
    expect(await marks()).toBe(0);
  });

  test("comes by the catalog's clock, also where that was set back or ahead", async () => {
    await many(1);
    await runScrub(deps);
    await runScrub(deps);
    const first = await readScrubPass(catalog);
    expect(first).toMatchObject({ id: 1, finishedAt: expect.any(Date) });
    // The clock that it began by was ahead, and has been set right.
    await catalog.query("update scrub_passes set started_at = now() + interval '3 years'");
    await runScrub(deps);
    await runScrub(deps);
    expect((await readScrubPass(catalog))?.id).toBe(2);
    // The clock is ahead now.
    await catalog.query("update scrub_passes set started_at = now() - interval '3 years'");
    await runScrub(deps);
    await runScrub(deps);
    expect((await readScrubPass(catalog))?.id).toBe(3);
  });

  test("is begun once, whoever asks; one that has halted gives way", async () => {
    await many(1);
    const asked = { askedBy: "test", trusted: false };
    const both = await Promise.all([1, 2, 3].map(() => requestScrubPass(catalog, asked)));
    expect(both.map(({ kind }) => kind).toSorted()).toEqual(["begun", "running", "running"]);
    expect(new Set(both.map(({ pass }) => pass.id)).size).toBe(1);
    await objects.put("blobs/other", Buffer.from("x"));
    await catalog.query("update scrub_passes set halted = 'the object store is empty'");
    const { kind, pass } = await requestScrubPass(catalog, { askedBy: "test", trusted: true });
    expect([kind, pass.trusted]).toEqual(["begun", true]);
    expect(await readScrubPass(catalog, both[0]?.pass.id)).toMatchObject({
      finishedAt: expect.any(Date),
      halted: "the object store is empty",
    });
    await runScrub(deps);
    expect(await readScrubPass(catalog)).toMatchObject({
      id: pass.id,
      finishedAt: expect.any(Date),
      halted: undefined,
    });
  });
});
