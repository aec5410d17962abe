import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { upload } from "../http/client.js";
import { describeWith } from "../servers/index.js";
import { Drop, type Host, startHost } from "./drop.js";
import type { Watcher } from "./watcher.js";

describeWith(["postgres"], "a file that goes away", () => {
  let host: Host;
  let drop: Drop;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(() => host.ingest.stop());
  beforeEach(() => {
    drop = new Drop(host);
  });
  afterEach(() => drop.close());

  const start = (env: Record<string, string> = {}): Watcher =>
    drop.start({
      WATCH_DELETE_DIRS: drop.directory,
      WATCH_DELETE_GRACE_SECONDS: "0",
      ...env,
    });

  test("takes its script to the trash, unless somebody needs that", async () => {
    for (let file = 0; file < 20; file += 1) drop.write(`f${file}.py`);
    start({ WATCH_DELETE_MAX_PERCENT: "50" });
    await expect.poll(async () => (await drop.names()).length).toBe(20);
    await drop.scanned();
    const { "default/f0.py": held, "default/f1.py": pinned } = await drop.scripts();
    await drop.ingest.catalog.query(
      "insert into legal_holds (script_id, reason, actor) values ($1, 'trial', 'me')",
      [held],
    );
    await drop.ingest.catalog.query("update scripts set pinned = true where id = $1", [pinned]);
    await upload(drop.ingest, "f2.py", "somebody's own\n");
    for (const file of [0, 1, 2, 3]) rmSync(join(drop.directory, `f${file}.py`));
    await expect.poll(async () => (await drop.names()).length).toBe(19);
    await drop.scanned();
    expect(await drop.names()).not.toContain("default/f3.py");
    expect(await drop.names()).toEqual(
      expect.arrayContaining(["default/f0.py", "default/f1.py", "default/f2.py"]),
    );
    expect(await drop.audited("script.deleted")).toMatchObject([
      {
        actor: "watch",
        details: { filename: "f3.py", reason: `Its file in ${drop.directory} is gone.` },
      },
    ]);
    // It comes back as another script, its name being free.
    drop.write("f3.py", "again\n");
    await expect.poll(() => drop.names()).toContain("default/f3.py");
  });

  test("takes its script along though no whole scan has seen it", async () => {
    for (let file = 0; file < 10; file += 1) drop.write(`f${file}.py`);
    start({ WATCH_SCAN_SECONDS: "86400" });
    await expect.poll(async () => (await drop.state())?.state).toBe("following");
    drop.write(".later.tmp");
    renameSync(join(drop.directory, ".later.tmp"), join(drop.directory, "later.py"));
    await expect.poll(async () => (await drop.names()).length).toBe(11);
    rmSync(join(drop.directory, "later.py"));
    await drop.scanned();
    await expect.poll(() => drop.names()).not.toContain("default/later.py");
    expect((await drop.names()).length).toBe(10);
  });

  test("takes nothing along where too much is gone at once, and goes on when that is back", async () => {
    for (let file = 0; file < 10; file += 1) drop.write(`${file < 5 ? "a" : "b"}/f${file}.py`);
    start();
    await expect.poll(async () => (await drop.names()).length).toBe(10);
    await drop.scanned();
    renameSync(join(drop.directory, "a"), `${drop.directory}.a`);
    await expect
      .poll(async () => (await drop.state())?.last_error)
      .toMatch(/^5 of 10 files are gone at once/);
    expect((await drop.names()).length).toBe(10);
    expect(await drop.events("watch.deletions_halted")).toHaveLength(1);
    renameSync(`${drop.directory}.a`, join(drop.directory, "a"));
    await expect.poll(async () => (await drop.state())?.last_error).toBeNull();
    renameSync(drop.directory, `${drop.directory}.away`);
    mkdirSync(drop.directory);
    await expect.poll(async () => (await drop.state())?.last_error).toMatch(/^10 of 10 files/);
    rmSync(drop.directory, { recursive: true });
    await expect.poll(async () => (await drop.state())?.state).toBe("missing");
    renameSync(`${drop.directory}.away`, drop.directory);
    await expect.poll(async () => (await drop.state())?.last_error).toBeNull();
    await drop.scanned();
    expect((await drop.names()).length).toBe(10);
  });

  test("waits out its grace, also over a restart, and keeps its script where the settings say nothing", async () => {
    for (let file = 0; file < 9; file += 1) drop.write(`f${file}.py`);
    const first = start({ WATCH_DELETE_GRACE_SECONDS: "86400" });
    await expect.poll(async () => (await drop.names()).length).toBe(9);
    await drop.scanned();
    rmSync(join(drop.directory, "f0.py"));
    const marked = async (): Promise<unknown> =>
      (await drop.ingest.catalog.query("select path from watch_files where gone_since is not null"))
        .rows;
    await expect.poll(marked).toEqual([{ path: "f0.py" }]);
    await drop.scanned();
    expect((await drop.names()).length).toBe(9);
    await first.stop();
    const second = start({ WATCH_DELETE_DIRS: "" });
    await drop.scanned();
    expect((await drop.names()).length).toBe(9);
    await second.stop();
    await drop.ingest.catalog.query(
      "update watch_files set gone_since = gone_since - interval '1 day' where gone_since is not null",
    );
    start({ WATCH_DELETE_GRACE_SECONDS: "86400" });
    await expect.poll(() => drop.names()).not.toContain("default/f0.py");
  });

  test("and comes again under another name takes its script along", async () => {
    for (let file = 0; file < 5; file += 1) drop.write(`team/f${file}.py`);
    drop.write("taken.py", "taken\n");
    start({ WATCH_RENAME_DIRS: drop.directory, WATCH_DELETE_GRACE_SECONDS: "3600" });
    await expect.poll(async () => (await drop.names()).length).toBe(6);
    await drop.scanned();
    const before = await drop.scripts();
    renameSync(join(drop.directory, "team"), join(drop.directory, "crew"));
    renameSync(join(drop.directory, "crew/f0.py"), join(drop.directory, "renamed.py"));
    await expect
      .poll(() => drop.names())
      .toEqual([
        ...[1, 2, 3, 4].map((file) => `crew/f${file}.py`),
        "default/renamed.py",
        "default/taken.py",
      ]);
    const after = await drop.scripts();
    expect(after["default/renamed.py"]).toBe(before["team/f0.py"]);
    expect(after["crew/f1.py"]).toBe(before["team/f1.py"]);
    expect(await drop.audited("script.renamed")).toHaveLength(5);

    // Where the name is another script's, it is that script which gets the bytes.
    renameSync(join(drop.directory, "renamed.py"), join(drop.directory, "taken.py"));
    const versions = async (): Promise<unknown> =>
      (
        await drop.ingest.catalog.query("select latest_version from scripts where id = $1", [
          before["default/taken.py"],
        ])
      ).rows;
    await expect.poll(versions).toEqual([{ latest_version: 2 }]);
    expect(await drop.names()).toContain("default/renamed.py");
    expect(
      (await drop.ingest.catalog.query("select count(*)::int as n from versions")).rows,
    ).toEqual([{ n: 7 }]);
  });
});
