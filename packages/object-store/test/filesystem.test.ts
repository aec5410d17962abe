import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileSystemObjectStore } from "../src/filesystem.js";
import {
  type ForeignEntry,
  ObjectNotFoundError,
  type ObjectStore,
  StoreUnavailableError,
} from "../src/object-store.js";

let directory: string;
let store: ObjectStore;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "sluice-objects-"));
  store = await FileSystemObjectStore.open(join(directory, "store"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const inStore = (...path: string[]) => join(directory, "store", ...path);

describe("open", () => {
  test("makes the directory, and those above it", async () => {
    await FileSystemObjectStore.open(join(directory, "a", "b", "c"));
    expect(existsSync(join(directory, "a", "b", "c"))).toBe(true);
  });

  test("finds everything again", async () => {
    await store.put("a/b", Buffer.from("x"));
    const again = await FileSystemObjectStore.open(join(directory, "store"));
    expect(String(await again.get("a/b"))).toBe("x");
  });

  test.each(["file", "file/below"])("says that %s is not a directory", async (path) => {
    writeFileSync(join(directory, "file"), "");
    const opening = FileSystemObjectStore.open(join(directory, path));
    await expect(opening).rejects.toThrow(StoreUnavailableError);
    await expect(opening).rejects.toThrow(/file:\/\/.*not a directory/);
  });
});

describe("what is on the disk", () => {
  test("is one file an object, and nothing else", async () => {
    await store.put("a/b/c", Buffer.from("x"));
    await store.put("a/b/c", Buffer.from("y"));
    expect(readdirSync(directory, { recursive: true })).toEqual([
      "store",
      "store/a",
      "store/a/b",
      "store/a/b/c",
    ]);
  });

  test("is nothing of an object that was deleted, its folders included", async () => {
    await store.put("a/b/c", Buffer.from("x"));
    await store.put("a/d", Buffer.from("x"));
    await store.delete("a/b/c");
    expect(readdirSync(directory, { recursive: true })).toEqual(["store", "store/a", "store/a/d"]);
    await store.delete("a/d");
    expect(readdirSync(directory, { recursive: true })).toEqual(["store"]);
  });
});

describe("what a crashed write left behind", () => {
  const HOUR_MS = 3_600_000;
  const leave = (name: string, ageMs: number) => {
    mkdirSync(inStore("a"), { recursive: true });
    writeFileSync(inStore("a", name), "half of it");
    const then = new Date(Date.now() - ageMs);
    utimesSync(inStore("a", name), then, then);
  };

  test("is no object", async () => {
    leave(".tmp-1", 0);
    expect(await keys("")).toEqual([]);
    expect(await keys("a/")).toEqual([]);
  });

  test("is removed by a list once it is old, and kept while it may be under way", async () => {
    leave(".tmp-old", 2 * HOUR_MS);
    leave(".tmp-young", HOUR_MS / 2);
    await keys("a/x");
    expect(readdirSync(inStore("a"))).toEqual([".tmp-young"]);
  });
});

describe("a directory that is gone", () => {
  test.each<[string, () => Promise<unknown>]>([
    ["put", () => store.put("a/b", Buffer.from("x"))],
    ["get", () => store.get("a/b")],
    ["stat", () => store.stat("a/b")],
    ["copy", () => store.copy("a/b", "c")],
    ["delete", () => store.delete("a/b")],
    ["list", () => keys("")],
    ["list of a folder", () => keys("a/b/")],
    ["check", () => store.check()],
  ])("%s says so, and does not make it again", async (_, operation) => {
    rmSync(inStore(), { recursive: true });
    const running = operation();
    await expect(running).rejects.toThrow(StoreUnavailableError);
    await expect(running).rejects.not.toThrow(ObjectNotFoundError);
    expect(existsSync(inStore())).toBe(false);
  });
});

describe("a directory that may not be written to", () => {
  // Root may write anywhere: it becomes somebody else for a moment.
  const { geteuid, seteuid } = process;
  const isRoot = geteuid?.() === 0;
  beforeEach(async () => {
    await store.put("kept/a", Buffer.from("x"));
    chmodSync(directory, 0o755);
    chmodSync(inStore(), 0o555);
    chmodSync(inStore("kept"), 0o555);
    if (isRoot) seteuid?.(65_534);
  });
  afterEach(() => {
    if (isRoot) seteuid?.(0);
    chmodSync(inStore(), 0o755);
    chmodSync(inStore("kept"), 0o755);
  });

  test.each<[string, () => Promise<unknown>]>([
    ["put", () => store.put("kept/b", Buffer.from("x"))],
    ["put of what is there", () => store.put("kept/a", Buffer.from("y"))],
    ["put in a new folder", () => store.put("new/b", Buffer.from("x"))],
    ["delete", () => store.delete("kept/a")],
    ["check", () => store.check()],
  ])("%s says so", async (_, operation) => {
    await expect(operation()).rejects.toThrow(
      /file:\/\/.*: .*this user may not read or write there/,
    );
    expect(String(await store.get("kept/a"))).toBe("x");
  });
});

describe("what somebody else has put there", () => {
  const foreign = async (prefix = ""): Promise<ForeignEntry[]> => {
    const entries: ForeignEntry[] = [];
    for await (const _ of store.list(prefix, (entry) => entries.push(entry)));
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  };

  test("is told and not listed, and hides nothing of what is listed", async () => {
    await store.put("a/kept", Buffer.from("x"));
    writeFileSync(inStore("a", "my notes.txt"), "y");
    writeFileSync(inStore(".hidden"), "y");
    mkdirSync(inStore("not a key"));
    writeFileSync(inStore("not a key", "in it"), "y");
    symlinkSync(inStore("a"), inStore("link-to-folder"));
    symlinkSync("/nowhere", inStore("a", "link"));
    spawnSync("mkfifo", [inStore("a", "pipe")]);
    expect(await keys("")).toEqual(["a/kept"]);
    expect(await foreign()).toEqual([
      { name: ".hidden", what: expect.stringContaining("name") },
      { name: "a/link", what: "is a symbolic link" },
      { name: "a/my notes.txt", what: expect.stringContaining("name") },
      { name: "a/pipe", what: "is neither a file nor a directory" },
      { name: "link-to-folder", what: "is a symbolic link" },
      { name: "not a key", what: expect.stringContaining("name") },
    ]);
    expect(await foreign("a/p")).toMatchObject([{ name: "a/pipe" }]);
  });

  test("a pipe or a directory in an object's place is no object, and nobody waits for it", async () => {
    spawnSync("mkfifo", [inStore("pipe")]);
    mkdirSync(inStore("folder"));
    for (const key of ["pipe", "folder"]) {
      await expect(store.get(key)).rejects.toThrow(ObjectNotFoundError);
      expect(await store.stat(key)).toBeUndefined();
    }
  });
});

/*
 * A disk of a megabyte, as a file system in memory that only a child process sees. Where the system
 * does not let this user mount one, there is nothing to test on.
 */
describe("a disk that is full", () => {
  const program = fileURLToPath(new URL("./full-disk.ts", import.meta.url));
  const run = (options: string) => {
    const script = `mount -t tmpfs -o ${options} none "$1" && exec "$2" --import tsx "$3" "$1"`;
    const args = ["sh", "-c", script, "sh", inStore(), process.execPath, program];
    return spawnSync("unshare", ["--user", "--map-root-user", "--mount", ...args], {
      encoding: "utf8",
    });
  };
  const works = spawnSync("unshare", ["--user", "--map-root-user", "--mount", "true"]).status === 0;

  test.for([
    ["bytes", "size=1m"],
    ["inodes", "size=64m,nr_inodes=4"],
  ] as const)(
    "of %s says so, keeps what it had and leaves nothing half written",
    ([, options], context) => {
      if (!works) context.skip("this system does not let the user mount a disk of its own");
      const { stdout, stderr } = run(options);
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toEqual({
        error: "StoreFullError",
        message: expect.stringMatching(/^file:\/\/.*: put b\/large: no space left on the disk$/),
        files: ["a", "a/small"],
        check: "StoreFullError",
        whileFull: "kept",
        small: "kept",
        afterwards: "written",
      });
    },
  );
});

async function keys(prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}
