import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { describeWith, temporaryDirectory } from "../servers/index.js";
import { between, Drop, type Host, startHost } from "./drop.js";

const OWN_USER = ["unshare", "--user", "--map-root-user"] as const;

function mayMount(): boolean {
  const [command, ...args] = OWN_USER;
  return spawnSync(command, [...args, "--mount", "true"]).status === 0;
}

describeWith(["postgres"], "a watcher", () => {
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

  test("takes what is renamed into place at once, and waits for what is written there", async () => {
    const { directory } = drop;
    // Nothing that is waited for comes within this test.
    drop.start({ WATCH_SETTLE_SECONDS: "3600", WATCH_SCAN_SECONDS: "86400" });
    await expect.poll(async () => (await drop.state())?.state).toBe("following");
    drop.write("in-place.py", "x\n");
    // Within one tick of the file system's clock, from a name that is ignored.
    drop.write(".quick.py.tmp", "quick\n");
    renameSync(join(directory, ".quick.py.tmp"), join(directory, "quick.py"));
    await expect.poll(() => drop.names()).toEqual(["default/quick.py"]);
    const outside = temporaryDirectory();
    writeFileSync(join(outside, "a"), "from outside\n");
    // Written to long before, as far as its times tell.
    utimesSync(join(outside, "a"), 1_000, 1_000);
    renameSync(join(outside, "a"), join(directory, "moved.py"));
    await expect.poll(() => drop.names()).toEqual(["default/moved.py", "default/quick.py"]);
    // The same again over a file that is there.
    writeFileSync(join(directory, ".tmp"), "quicker\n");
    renameSync(join(directory, ".tmp"), join(directory, "quick.py"));
    const newest = async (): Promise<unknown> =>
      (await drop.ingest.catalog.query("select max(number) as n from versions")).rows[0];
    await expect.poll(newest).toEqual({ n: 2 });
    // A folder that comes later is followed, too.
    mkdirSync(join(directory, "later"));
    await expect
      .poll(async () => {
        writeFileSync(join(directory, "later/.tmp"), "later\n");
        renameSync(join(directory, "later/.tmp"), join(directory, "later/new.py"));
        return drop.names();
      })
      .toContain("later/new.py");
    expect(await drop.names()).not.toContain("default/in-place.py");
  });

  test("at the limit of inotify says so, and polls", async (context) => {
    const limit = [
      ...OWN_USER,
      "sh",
      "-c",
      'echo 3 > /proc/sys/user/max_inotify_watches && exec "$@"',
      "sh",
    ];
    if (spawnSync(limit[0] as string, [...limit.slice(1), "true"]).status !== 0) {
      context.skip("this system does not let the user have a limit of its own");
    }
    for (let folder = 0; folder < 5; folder += 1) drop.write(`f${folder}/a.py`);
    let isAway = true;
    const api = await between(host, async () => {
      if (isAway) throw new Error("away");
    });
    context.onTestFinished(() => api.close());
    drop.start({ WATCH_UPLOAD_URL: api.url }, limit);
    await expect.poll(async () => (await drop.state())?.state).toBe("waiting");
    isAway = false;
    await expect.poll(async () => (await drop.names()).length).toBe(5);
    await expect.poll(async () => (await drop.state())?.state).toBe("polling");
    expect((await drop.state())?.last_error).toMatch(/^ENOSPC: the limit of inotify is reached/);
    expect(await drop.events("watch.polling")).toHaveLength(1);
    drop.write("f4/later.py");
    await expect.poll(() => drop.names()).toContain("f4/later.py");
  });

  test("tells what it may not read, goes on with the rest, and takes it when it may", async (context) => {
    // In a user namespace without a mapping root has no privileges, and modes count.
    const plain = ["unshare", "--user"];
    if (spawnSync("unshare", ["--user", "true"]).status !== 0) {
      context.skip("this system has no user namespaces");
    }
    const { directory } = drop;
    drop.write("good.py");
    drop.write("secret.py");
    drop.write("closed/a.py");
    drop.write("listed/a.py");
    chmodSync(join(directory, "secret.py"), 0);
    chmodSync(join(directory, "closed"), 0);
    // Its names can be read, and nothing else.
    chmodSync(join(directory, "listed"), 0o444);
    drop.start({}, plain);
    await expect
      .poll(() => drop.refusals())
      .toEqual({
        "secret.py": "unreadable",
        closed: "unreadable",
        listed: "unreadable",
      });
    await expect.poll(() => drop.names()).toEqual(["default/good.py"]);
    for (const path of ["secret.py", "closed", "listed"]) chmodSync(join(directory, path), 0o755);
    await expect
      .poll(() => drop.names())
      .toEqual(["closed/a.py", "default/good.py", "default/secret.py", "listed/a.py"]);
    await expect.poll(() => drop.refusals()).toEqual({});
    chmodSync(directory, 0);
    await expect.poll(async () => (await drop.state())?.state).toBe("missing");
    expect((await drop.state())?.last_error).toMatch(/EACCES/);
    chmodSync(directory, 0o755);
    await expect.poll(async () => (await drop.state())?.state).toBe("following");
  });

  test("deletes nothing where a disk is unmounted, the directory's own or one below it", async (context) => {
    if (!mayMount()) context.skip("this system does not let the user mount a disk of its own");
    const { directory } = drop;
    mkdirSync(join(directory, "disk"));
    const watcher = drop.start(
      {
        WATCH_DELETE_DIRS: directory,
        WATCH_DELETE_GRACE_SECONDS: "0",
        WATCH_DELETE_MAX_PERCENT: "100",
      },
      [
        ...OWN_USER,
        "--mount",
        "sh",
        "-c",
        `mount -t tmpfs none "$1" && mkdir "$1/disk" && mount -t tmpfs none "$1/disk" && shift && exec "$@"`,
        "sh",
        directory,
      ],
    );
    await expect.poll(async () => (await drop.state())?.state).toBe("following");
    const within = (...command: string[]): void => {
      const { status, stderr } = spawnSync("nsenter", [
        `--target=${watcher.pid}`,
        "--user",
        "--mount",
        "--preserve-credentials",
        ...command,
      ]);
      expect(String(stderr)).toBe("");
      expect(status).toBe(0);
    };
    const fill = 'for n in 1 2 3 4; do echo $n > "$0/f$n.py"; echo $n > "$0/disk/d$n.py"; done';
    within("sh", "-c", fill, directory);
    await expect.poll(async () => (await drop.names()).length).toBe(8);
    await drop.scanned();
    within("umount", join(directory, "disk"));
    await drop.scanned();
    expect((await drop.names()).length).toBe(8);
    // What is deleted for good goes all the same.
    within("rm", join(directory, "f1.py"));
    await expect.poll(async () => (await drop.names()).length).toBe(7);
    within("umount", directory);
    await drop.scanned();
    await drop.scanned();
    expect((await drop.names()).length).toBe(7);
  });

  test("keeps its directory while an upload takes longer than the lease", async () => {
    const { catalog } = drop.ingest;
    const leasedUntil = async (): Promise<number> => {
      const { rows } = await catalog.query<{ at: Date | null }>(
        "select leased_until as at from watch_directories",
      );
      return rows[0]?.at?.getTime() ?? 0;
    };
    let uploads = 0;
    // Hands every upload on when the lease has been renewed for twice its time.
    const slow = await between(host, async () => {
      uploads += 1;
      const begun = await leasedUntil();
      await expect.poll(leasedUntil).toBeGreaterThan(begun + 4_000);
    });
    try {
      drop.write("a.py");
      const env = { WATCH_UPLOAD_URL: slow.url };
      drop.start(env);
      await expect.poll(() => uploads).toBe(1);
      drop.start(env);
      await expect.poll(() => drop.names()).toEqual(["default/a.py"]);
      await drop.scanned();
      expect(uploads).toBe(1);
    } finally {
      await slow.close();
    }
  });

  test("tells a folder that has become a link, and follows what takes its place", async () => {
    const { directory } = drop;
    const outside = temporaryDirectory();
    writeFileSync(join(outside, "secret.py"), "secret\n");
    drop.write("folder/a.py");
    drop.start();
    await expect.poll(() => drop.names()).toEqual(["folder/a.py"]);
    rmSync(join(directory, "folder"), { recursive: true });
    symlinkSync(outside, join(directory, "folder"));
    await expect.poll(() => drop.refusals()).toEqual({ folder: "symbolic_link" });
    expect(await drop.names()).toEqual(["folder/a.py"]);
    rmSync(join(directory, "folder"));
    drop.write("folder/b.py");
    await expect.poll(() => drop.names()).toEqual(["folder/a.py", "folder/b.py"]);
    await expect.poll(() => drop.refusals()).toEqual({});
  });

  test("leaves Sluice's own stores alone, that it may not upload its own files for ever", async () => {
    const { directory } = drop;
    const objects = temporaryDirectory();
    drop.write("a.py");
    drop.write("own/objects/uploads/v1.py");
    drop.write("own/backup/v1.py");
    symlinkSync(join(directory, "own/objects"), join(objects, "link"));
    const inside = join(directory, "own/objects/uploads");
    drop.start({
      WATCH_DIRS: [directory, inside].join(","),
      // As it is not spelt in the directory.
      OBJECT_STORE_URL: pathToFileURL(join(objects, "link")).href,
      BACKUP_URL: pathToFileURL(join(directory, "own/backup")).href,
    });
    await expect
      .poll(() => drop.refusals())
      .toEqual({ "own/objects": "own_store", "own/backup": "own_store" });
    await expect.poll(() => drop.names()).toEqual(["default/a.py"]);
    const states = async (): Promise<unknown> =>
      (await drop.list()).directories.map(({ directory: of, state, last_error: error }) => [
        of,
        state,
        error,
      ]);
    await expect.poll(states).toEqual([
      [directory, "following", null],
      [inside, "missing", `${inside} is in a store of Sluice's own.`],
    ]);
    drop.write("own/objects/uploads/v2.py");
    await drop.scanned();
    expect(await drop.names()).toEqual(["default/a.py"]);
  });
});
