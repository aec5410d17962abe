import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { WatchList } from "@sluice/contracts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { call } from "../http/client.js";
import { freshDatabase, type Ingest, startIngest } from "../http/ingest.js";
import { describeWith, temporaryDirectory } from "../servers/index.js";
import { startWatcher, type Watcher } from "./watcher.js";

describeWith(["postgres"], "a watched directory", () => {
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
  /** Every version, as `namespace/filename size`. */
  const versions = async (): Promise<string[]> => {
    const { rows } = await ingest.catalog.query<{ it: string }>(
      `select s.namespace || '/' || s.filename || ' ' || v.size as it
       from versions v join scripts s on s.id = v.script_id order by 1`,
    );
    return rows.map(({ it }) => it);
  };
  const list = async (query = ""): Promise<WatchList> =>
    (await call<WatchList>(ingest, "listWatch", `/api/v1/watch${query}`)).body;
  const refusals = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await list()).refusals.map(({ path, code }) => [path, code]));
  /** Resolves after a whole scan that began after this call. */
  const scanned = async (): Promise<void> => {
    for (let round = 0; round < 2; round += 1) {
      const before = (await list()).directories[0]?.last_scan_at;
      await expect.poll(async () => (await list()).directories[0]?.last_scan_at).not.toBe(before);
    }
  };

  test("is uploaded: what lies in it and what comes, sub-folders as namespaces", async () => {
    write("a.py", "a = 1\n");
    write("team/jobs/b.py", "b = 1\n");
    write(".hidden/c.py");
    write("skip/d.py");
    write(".sluiceignore", "skip/\n");
    start();
    await expect.poll(versions).toEqual(["default/a.py 6", "team/jobs/b.py 6"]);
    write("later.py", "later\n");
    // Written beside it and put in its place, as editors do.
    write(".a.py.tmp", "a = 23\n");
    renameSync(join(drop, ".a.py.tmp"), join(drop, "a.py"));
    await expect
      .poll(versions)
      .toEqual(["default/a.py 6", "default/a.py 7", "default/later.py 6", "team/jobs/b.py 6"]);
    expect((await list()).directories).toMatchObject([
      { directory: drop, state: "following", held: true, last_error: null },
    ]);
  });

  test("gives nothing of a file that is being written but the whole", async () => {
    start({ WATCH_SETTLE_SECONDS: "2" });
    await scanned();
    write("slow.py", "");
    const scanAt = async () => (await list()).directories[0]?.last_scan_at;
    let flips = 0;
    // Through several scans, each of which finds it and could take it for complete.
    for (let scans = 0; scans < 4; scans += 1) {
      appendFileSync(join(drop, "slow.py"), `${"#".repeat(1_023)}\n`.repeat(2_500));
      for (const before = await scanAt(); (await scanAt()) === before; flips += 1) {
        appendFileSync(join(drop, "slow.py"), "#");
        // A clock that jumps makes no file complete.
        utimesSync(join(drop, "slow.py"), 1_000_000, flips % 2 === 0 ? 4_000_000_000 : 1_000_000);
      }
    }
    expect(await versions()).toEqual([]);
    const { size } = statSync(join(drop, "slow.py"));
    await expect.poll(versions).toEqual([`default/slow.py ${size}`]);
  });

  test("is not uploaded again after a crash, nor by a second process, nor when only its times change", async () => {
    for (let file = 0; file < 40; file += 1) write(`f${file}.py`);
    const first = start();
    await expect.poll(async () => (await versions()).length).toBeGreaterThan(2);
    await first.stop("SIGKILL");
    start();
    start();
    await expect.poll(async () => (await versions()).length).toBe(40);
    const uploads = () =>
      ingest.log.filter((line) => line["path"] === "/api/v1/upload_script").length;
    // A version is there before the answer of its upload is logged.
    await scanned();
    expect(uploads()).toBeGreaterThanOrEqual(40);
    const before = uploads();
    utimesSync(join(drop, "f1.py"), 5, 5);
    await scanned();
    await scanned();
    expect((await versions()).length).toBe(40);
    expect(uploads()).toBe(before);
  });

  test("tells what it refuses, in the API and beside it, and follows no link out of the tree", async () => {
    const outside = join(realpathSync(temporaryDirectory()), "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "secret.py"), "secret\n");
    symlinkSync(join(outside, "secret.py"), join(drop, "link.py"));
    symlinkSync(outside, join(drop, "folder"));
    execFileSync("mkfifo", [join(drop, "fifo.py")]);
    write("notes.txt");
    write("big.py", "#".repeat(10 * 1024 * 1024 + 1));
    write("caf\u00e9.py", "1\n");
    writeFileSync(
      Buffer.concat([Buffer.from(`${drop}/bad`), Buffer.from([0xff]), Buffer.from(".py")]),
      "x",
    );
    write("good.py", "good\n");
    write("new\nline.py", "1\n");
    const stored = ["default/caf\u00e9.py 2", "default/good.py 5", "default/newline.py 2"];
    start({ WATCH_REPORT: "true" });
    await expect.poll(versions).toEqual(stored);
    write("cafe\u0301.py", "22\n");
    write("newline.py", "22\n");
    const expected = {
      "link.py": "symbolic_link",
      folder: "symbolic_link",
      "fifo.py": "not_a_file",
      "notes.txt": "unsupported_file_type",
      "big.py": "file_too_large",
      "bad\ufffd.py": "malformed_name",
      "cafe\u0301.py": "name_collision",
      "newline.py": "name_collision",
    };
    await expect.poll(refusals).toEqual(expected);
    const report = (): Record<string, string> =>
      Object.fromEntries(
        readFileSync(join(drop, ".sluice-report.ndjson"), "utf8")
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as { path: string; code: string })
          .map(({ path, code }) => [path, code]),
      );
    await expect.poll(report).toEqual(expected);
    expect(await versions()).toEqual(stored);

    const page = await list("?limit=3");
    expect(page.refusals).toHaveLength(3);
    const next = await list(`?limit=3&cursor=${page.next_cursor}`);
    expect(next.refusals.map(({ path }) => path)).not.toContain(page.refusals[0]?.path);
    const other = `/api/v1/watch?directory=/x&cursor=${page.next_cursor}`;
    expect(await call(ingest, "listWatch", other)).toMatchObject({ status: 400 });

    renameSync(join(drop, "notes.txt"), join(drop, "notes.py"));
    await expect.poll(refusals).not.toHaveProperty(["notes.txt"]);
  });

  test("that vanishes is told, and followed again when it is back", async () => {
    write("a.py", "a\n");
    start();
    await expect.poll(versions).toEqual(["default/a.py 2"]);
    renameSync(drop, `${drop}.away`);
    await expect.poll(async () => (await list()).directories[0]?.state).toBe("missing");
    mkdirSync(drop);
    write("b.py", "b\n");
    await expect.poll(versions).toEqual(["default/a.py 2", "default/b.py 2"]);
    const { rows } = await ingest.catalog.query("select kind from events order by id");
    expect(rows).toEqual([{ kind: "watch.missing" }, { kind: "watch.found" }]);
  });

  test("waits while the API takes nothing, and goes on by itself", async () => {
    write("a.py", "a\n");
    const port = new URL(ingest.url).port;
    const { url } = ingest;
    await ingest.terminate();
    start({ WATCH_UPLOAD_URL: url });
    const state = async (): Promise<unknown> =>
      (await ingest.catalog.query("select state from watch_directories")).rows[0];
    await expect.poll(state).toEqual({ state: "waiting" });
    await ingest.stop();
    ingest = await startIngest({ catalogUrl, env: { PORT: port } });
    await expect.poll(versions).toEqual(["default/a.py 2"]);
    expect(await refusals()).toEqual({});
  });
});
