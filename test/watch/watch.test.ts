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
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { call } from "../http/client.js";
import { describeWith, temporaryDirectory } from "../servers/index.js";
import { between, Drop, type Host, startHost } from "./drop.js";

function report({ directory }: Drop): { path: string; code: string; outcome: string }[] {
  return readFileSync(join(directory, ".sluice-report.ndjson"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { path: string; code: string; outcome: string });
}

describeWith(["postgres"], "a watched directory", () => {
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

  test("is uploaded: what lies in it and what comes, sub-folders as namespaces", async () => {
    drop.write("a.py", "a = 1\n");
    drop.write("team/jobs/b.py", "b = 1\n");
    drop.write(".hidden/c.py");
    drop.write("skip/d.py");
    drop.write(".sluiceignore", "skip/\n");
    drop.start();
    await expect.poll(() => drop.versions()).toEqual(["default/a.py 6", "team/jobs/b.py 6"]);
    drop.write("later.py", "later\n");
    // Written beside it and put in its place, as editors do.
    drop.write(".a.py.tmp", "a = 23\n");
    renameSync(join(drop.directory, ".a.py.tmp"), join(drop.directory, "a.py"));
    await expect
      .poll(() => drop.versions())
      .toEqual(["default/a.py 6", "default/a.py 7", "default/later.py 6", "team/jobs/b.py 6"]);
    expect((await drop.list()).directories).toMatchObject([
      { directory: drop.directory, state: "following", held: true, last_error: null },
    ]);
  });

  test("gives nothing of a file that is being written but the whole", async () => {
    drop.start({ WATCH_SETTLE_SECONDS: "2" });
    await drop.scanned();
    drop.write("slow.py", "");
    const scanAt = async () => (await drop.state())?.last_scan_at;
    let flips = 0;
    // Through several scans, each of which finds it and could take it for complete.
    for (let scans = 0; scans < 4; scans += 1) {
      appendFileSync(join(drop.directory, "slow.py"), `${"#".repeat(1_023)}\n`.repeat(2_500));
      for (const before = await scanAt(); (await scanAt()) === before; flips += 1) {
        appendFileSync(join(drop.directory, "slow.py"), "#");
        // A clock that jumps makes no file complete.
        utimesSync(
          join(drop.directory, "slow.py"),
          1_000_000,
          flips % 2 === 0 ? 4_000_000_000 : 1_000_000,
        );
      }
    }
    expect(await drop.versions()).toEqual([]);
    const { size } = statSync(join(drop.directory, "slow.py"));
    await expect.poll(() => drop.versions()).toEqual([`default/slow.py ${size}`]);
  });

  test("is not uploaded again after a crash, nor by a second process, nor when only its times change", async () => {
    const uploads = () =>
      drop.ingest.log.filter((line) => line["path"] === "/api/v1/upload_script").length;
    const earlier = uploads();
    for (let file = 0; file < 40; file += 1) drop.write(`f${file}.py`);
    const first = drop.start();
    await expect.poll(async () => (await drop.versions()).length).toBeGreaterThan(2);
    await first.stop("SIGKILL");
    drop.start();
    drop.start();
    await expect.poll(async () => (await drop.versions()).length).toBe(40);
    // A version is there before the answer of its upload is logged.
    await drop.scanned();
    expect(uploads()).toBeGreaterThanOrEqual(earlier + 40);
    const before = uploads();
    utimesSync(join(drop.directory, "f1.py"), 5, 5);
    await drop.scanned();
    await drop.scanned();
    expect((await drop.versions()).length).toBe(40);
    expect(uploads()).toBe(before);
  });

  test("goes on beside an upload that an API that was killed has left under way", async () => {
    const { catalog } = drop.ingest;
    const stored = async (): Promise<unknown> =>
      (
        await catalog.query<{ path: string }>(
          "select path from watch_files where code is null order by path",
        )
      ).rows.map(({ path }) => path);
    drop.write("a.py");
    drop.start();
    await expect.poll(stored).toEqual(["a.py"]);
    await catalog.query(
      "update idempotency_keys set response = null, claimed_until = now() + interval '1 hour'",
    );
    // Neither the answer nor the row has come.
    await catalog.query("delete from watch_files");
    drop.write("b.py");
    await expect.poll(stored).toEqual(["b.py"]);
    await drop.scanned();
    expect(await stored()).toEqual(["b.py"]);
    expect(await drop.refusals()).toEqual({});
    await catalog.query("update idempotency_keys set claimed_until = now()");
    await expect.poll(stored).toEqual(["a.py", "b.py"]);
    expect((await drop.versions()).length).toBe(2);
  });

  test("tells what it refuses, in the API and beside it, and follows no link out of the tree", async () => {
    const outside = join(realpathSync(temporaryDirectory()), "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "secret.py"), "secret\n");
    symlinkSync(join(outside, "secret.py"), join(drop.directory, "link.py"));
    symlinkSync(outside, join(drop.directory, "folder"));
    execFileSync("mkfifo", [join(drop.directory, "fifo.py")]);
    drop.write("notes.txt");
    drop.write("big.py", "#".repeat(10 * 1024 * 1024 + 1));
    drop.write("caf\u00e9.py", "1\n");
    writeFileSync(
      Buffer.concat([
        Buffer.from(`${drop.directory}/bad`),
        Buffer.from([0xff]),
        Buffer.from(".py"),
      ]),
      "x",
    );
    drop.write("good.py", "good\n");
    drop.write("new\nline.py", "1\n");
    const stored = ["default/caf\u00e9.py 2", "default/good.py 5", "default/newline.py 2"];
    drop.start({ WATCH_REPORT: "true" });
    await expect.poll(() => drop.versions()).toEqual(stored);
    drop.write("cafe\u0301.py", "22\n");
    drop.write("newline.py", "22\n");
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
    await expect.poll(() => drop.refusals()).toEqual(expected);
    await expect
      .poll(() => Object.fromEntries(report(drop).map(({ path, code }) => [path, code])))
      .toEqual(expected);
    expect(await drop.versions()).toEqual(stored);

    const page = await drop.list("?limit=3");
    expect(page.refusals).toHaveLength(3);
    const next = await drop.list(`?limit=3&cursor=${page.next_cursor}`);
    expect(next.refusals.map(({ path }) => path)).not.toContain(page.refusals[0]?.path);
    const other = `/api/v1/watch?directory=/x&cursor=${page.next_cursor}`;
    expect(await call(drop.ingest, "listWatch", other)).toMatchObject({ status: 400 });

    renameSync(join(drop.directory, "notes.txt"), join(drop.directory, "notes.py"));
    await expect.poll(() => drop.refusals()).not.toHaveProperty(["notes.txt"]);
  });

  test("keeps names that differ in case apart, and says so once, over a restart", async () => {
    for (const path of ["Foo.py", "foo.py", "Team/a.py", "team/b.py"]) drop.write(path, "1\n");
    const env = { WATCH_REPORT: "true" };
    const first = drop.start(env);
    const told = async (): Promise<unknown[]> =>
      (await drop.events("watch.case_twins")).map(({ details }) => details);
    const groups = [
      ["Foo.py", "foo.py"],
      ["Team", "team"],
    ];
    const event = { directory: drop.directory, groups: 2, paths: groups };
    await expect.poll(told).toEqual([event]);
    await expect
      .poll(() => drop.names())
      .toEqual(["Team/a.py", "default/Foo.py", "default/foo.py", "team/b.py"]);
    expect(report(drop)).toMatchObject([
      { path: "foo.py", code: "case_twin", outcome: "warned" },
      { path: "team", code: "case_twin", outcome: "warned" },
    ]);
    await first.stop();
    drop.start(env);
    await drop.scanned();
    expect(await told()).toEqual([event]);
    drop.write("FOO.py", "1\n");
    await expect
      .poll(told)
      .toEqual([{ ...event, paths: [["FOO.py", "Foo.py", "foo.py"], groups[1]] }, event]);
  });

  test("that vanishes is told, and followed again when it is back", async () => {
    drop.write("a.py", "a\n");
    drop.start();
    await expect.poll(() => drop.versions()).toEqual(["default/a.py 2"]);
    renameSync(drop.directory, `${drop.directory}.away`);
    await expect.poll(async () => (await drop.state())?.state).toBe("missing");
    mkdirSync(drop.directory);
    drop.write("b.py", "b\n");
    await expect.poll(() => drop.versions()).toEqual(["default/a.py 2", "default/b.py 2"]);
    const { rows } = await drop.ingest.catalog.query("select kind from events order by id");
    expect(rows).toEqual([{ kind: "watch.missing" }, { kind: "watch.found" }]);
  });

  test("waits while the API takes nothing, and goes on by itself", async (context) => {
    drop.write("a.py", "a\n");
    const gone = await between(host, async () => {});
    await gone.close();
    drop.start({ WATCH_UPLOAD_URL: gone.url });
    await expect.poll(async () => (await drop.state())?.state).toBe("waiting");
    const back = await between(host, async () => {}, undefined, Number(new URL(gone.url).port));
    context.onTestFinished(() => back.close());
    await expect.poll(() => drop.versions()).toEqual(["default/a.py 2"]);
    expect(await drop.refusals()).toEqual({});
  });
});
