import { mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AuditList, EventList, WatchList } from "@sluice/contracts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { call, upload } from "../http/client.js";
import { freshDatabase, type Ingest, startIngest } from "../http/ingest.js";
import { describeWith, temporaryDirectory } from "../servers/index.js";
import { startWatcher, type Watcher } from "./watcher.js";

describeWith(["postgres"], "a file that goes away", () => {
  let ingest: Ingest;
  let catalogUrl: string;
  let drop: string;
  const watchers: Watcher[] = [];
  beforeEach(async () => {
    catalogUrl = await freshDatabase();
    ingest = await startIngest({ catalogUrl });
    drop = realpathSync(temporaryDirectory());
  });
  afterEach(async () => {
    await Promise.all(watchers.splice(0).map((watcher) => watcher.stop("SIGKILL")));
    await ingest.stop();
  });

  const start = (env: Record<string, string> = {}): Watcher => {
    const watcher = startWatcher({
      CATALOG_URL: catalogUrl,
      QUEUE_URL: catalogUrl,
      WATCH_DIRS: drop,
      WATCH_DELETE_DIRS: drop,
      WATCH_DELETE_GRACE_SECONDS: "0",
      WATCH_UPLOAD_URL: ingest.url,
      ...env,
    });
    watchers.push(watcher);
    return watcher;
  };
  const write = (path: string, text = `print(${JSON.stringify(path)})\n`): void => {
    mkdirSync(join(drop, path, ".."), { recursive: true });
    writeFileSync(join(drop, path), text);
  };
  const scripts = async (): Promise<Record<string, string>> => {
    const { rows } = await ingest.catalog.query<{ name: string; id: string }>(
      "select namespace || '/' || filename as name, id from scripts where deleted_at is null",
    );
    return Object.fromEntries(rows.map(({ name, id }) => [name, id]));
  };
  const names = async (): Promise<string[]> => Object.keys(await scripts()).toSorted();
  const directory = async (): Promise<WatchList["directories"][number] | undefined> =>
    (await call<WatchList>(ingest, "listWatch", "/api/v1/watch")).body.directories[0];
  /** Resolves after a whole scan that began after this call. */
  const scanned = async (): Promise<void> => {
    for (let round = 0; round < 2; round += 1) {
      const before = (await directory())?.last_scan_at;
      await expect.poll(async () => (await directory())?.last_scan_at).not.toBe(before);
    }
  };
  const audited = async (action: string): Promise<AuditList["items"]> =>
    (await call<AuditList>(ingest, "listAudit", `/api/v1/audit?action=${action}`)).body.items;

  test("takes its script to the trash, unless somebody needs that", async () => {
    for (let file = 0; file < 20; file += 1) write(`f${file}.py`);
    start({ WATCH_DELETE_MAX_PERCENT: "50" });
    await expect.poll(async () => (await names()).length).toBe(20);
    await scanned();
    const { "default/f0.py": held, "default/f1.py": pinned } = await scripts();
    await ingest.catalog.query(
      "insert into legal_holds (script_id, reason, actor) values ($1, 'trial', 'me')",
      [held],
    );
    await ingest.catalog.query("update scripts set pinned = true where id = $1", [pinned]);
    await upload(ingest, "f2.py", "somebody's own\n");
    for (const file of [0, 1, 2, 3]) rmSync(join(drop, `f${file}.py`));
    await expect.poll(async () => (await names()).length).toBe(19);
    await scanned();
    expect(await names()).not.toContain("default/f3.py");
    expect(await names()).toEqual(
      expect.arrayContaining(["default/f0.py", "default/f1.py", "default/f2.py"]),
    );
    expect(await audited("script.deleted")).toMatchObject([
      { actor: "watch", details: { filename: "f3.py", reason: `Its file in ${drop} is gone.` } },
    ]);
    // It comes back as another script, its name being free.
    write("f3.py", "again\n");
    await expect.poll(names).toContain("default/f3.py");
  });

  test("takes nothing along where too much is gone at once, and goes on when that is back", async () => {
    for (let file = 0; file < 10; file += 1) write(`${file < 5 ? "a" : "b"}/f${file}.py`);
    start();
    await expect.poll(async () => (await names()).length).toBe(10);
    await scanned();
    renameSync(join(drop, "a"), `${drop}.a`);
    await expect
      .poll(async () => (await directory())?.last_error)
      .toMatch(/^5 of 10 files are gone at once/);
    expect((await names()).length).toBe(10);
    const { body } = await call<EventList>(
      ingest,
      "listEvents",
      "/api/v1/events?kind=watch.deletions_halted",
    );
    expect(body.items).toHaveLength(1);
    renameSync(`${drop}.a`, join(drop, "a"));
    await expect.poll(async () => (await directory())?.last_error).toBeNull();
    renameSync(drop, `${drop}.away`);
    mkdirSync(drop);
    await expect.poll(async () => (await directory())?.last_error).toMatch(/^10 of 10 files/);
    rmSync(drop, { recursive: true });
    await expect.poll(async () => (await directory())?.state).toBe("missing");
    renameSync(`${drop}.away`, drop);
    await expect.poll(async () => (await directory())?.last_error).toBeNull();
    await scanned();
    expect((await names()).length).toBe(10);
  });

  test("waits out its grace, also over a restart, and keeps its script where the settings say nothing", async () => {
    for (let file = 0; file < 9; file += 1) write(`f${file}.py`);
    const first = start({ WATCH_DELETE_GRACE_SECONDS: "86400" });
    await expect.poll(async () => (await names()).length).toBe(9);
    await scanned();
    rmSync(join(drop, "f0.py"));
    const marked = async (): Promise<unknown> =>
      (await ingest.catalog.query("select path from watch_files where gone_since is not null"))
        .rows;
    await expect.poll(marked).toEqual([{ path: "f0.py" }]);
    await scanned();
    expect((await names()).length).toBe(9);
    await first.stop();
    const second = start({ WATCH_DELETE_DIRS: "" });
    await scanned();
    expect((await names()).length).toBe(9);
    await second.stop();
    await ingest.catalog.query(
      "update watch_files set gone_since = gone_since - interval '1 day' where gone_since is not null",
    );
    start({ WATCH_DELETE_GRACE_SECONDS: "86400" });
    await expect.poll(names).not.toContain("default/f0.py");
  });

  test("and comes again under another name takes its script along", async () => {
    for (let file = 0; file < 5; file += 1) write(`team/f${file}.py`);
    write("taken.py", "taken\n");
    start({ WATCH_RENAME_DIRS: drop, WATCH_DELETE_GRACE_SECONDS: "3600" });
    await expect.poll(async () => (await names()).length).toBe(6);
    await scanned();
    const before = await scripts();
    renameSync(join(drop, "team"), join(drop, "crew"));
    renameSync(join(drop, "crew/f0.py"), join(drop, "renamed.py"));
    await expect
      .poll(names)
      .toEqual([
        ...[1, 2, 3, 4].map((file) => `crew/f${file}.py`),
        "default/renamed.py",
        "default/taken.py",
      ]);
    const after = await scripts();
    expect(after["default/renamed.py"]).toBe(before["team/f0.py"]);
    expect(after["crew/f1.py"]).toBe(before["team/f1.py"]);
    expect(await audited("script.renamed")).toHaveLength(5);

    // Where the name is another script's, it is that script which gets the bytes.
    renameSync(join(drop, "renamed.py"), join(drop, "taken.py"));
    const versions = async (): Promise<unknown> =>
      (
        await ingest.catalog.query("select latest_version from scripts where id = $1", [
          before["default/taken.py"],
        ])
      ).rows;
    await expect.poll(versions).toEqual([{ latest_version: 2 }]);
    expect(await names()).toContain("default/renamed.py");
    expect((await ingest.catalog.query("select count(*)::int as n from versions")).rows).toEqual([
      { n: 7 },
    ]);
  });
});
