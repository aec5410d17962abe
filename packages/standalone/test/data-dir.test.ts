import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDataDir } from "../src/data-dir.js";
import { processIdentity } from "../src/process-identity.js";
import { StartError } from "../src/start-error.js";

let parent: string;
let path: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "sluice-data-dir-"));
  path = join(parent, "a", "data");
});

afterEach(() => rmSync(parent, { recursive: true, force: true }));

const IDLE = fileURLToPath(new URL("idle-child.mjs", import.meta.url));

describe("the data directory", () => {
  it("is made, held, and released without a trace", () => {
    const held = openDataDir(path);
    expect(held).toMatchObject({ path, wasAbandoned: false });
    expect(readdirSync(path)).toEqual(["sluice.lock"]);
    held.release();
    expect(readdirSync(path)).toEqual([]);
    expect(openDataDir(path).wasAbandoned).toBe(false);
  });

  it("is refused while another process that runs holds it", async () => {
    openDataDir(path).release();
    const child = fork(IDLE);
    await once(child, "message");
    const holder = { pid: child.pid, identity: processIdentity(child.pid ?? 0) };
    writeFileSync(join(path, "sluice.lock"), JSON.stringify(holder));
    expect(() => openDataDir(path)).toThrow(
      new RegExp(`in use by another Sluice \\(process ${child.pid}\\)`),
    );
    expect(readdirSync(path)).toEqual(["sluice.lock"]);

    child.kill("SIGKILL");
    await once(child, "exit");
    expect(openDataDir(path).wasAbandoned).toBe(true);
  });

  it.each([
    ["a process that is gone", JSON.stringify({ pid: 2 ** 30, identity: "1" })],
    ["a later process with the same number", JSON.stringify({ pid: 1, identity: "another time" })],
    ["a crash while it was written", ""],
    ["something else", "null"],
  ])("is taken over from %s", (_, lock) => {
    openDataDir(path).release();
    writeFileSync(join(path, "sluice.lock"), lock);
    const held = openDataDir(path);
    expect(held.wasAbandoned).toBe(true);
    expect(JSON.parse(readFileSync(join(path, "sluice.lock"), "utf8"))).toMatchObject({
      pid: process.pid,
    });
    expect(readdirSync(path)).toEqual(["sluice.lock"]);
  });

  it("must be a directory that can be made", () => {
    writeFileSync(join(parent, "file"), "");
    expect(() => openDataDir(join(parent, "file"))).toThrow(StartError);
    expect(() => openDataDir(join(parent, "file", "data"))).toThrow(
      /is not a directory: set SLUICE_DATA/,
    );
  });
});

describe("a process's identity", () => {
  it("stays the same while it runs, and is none afterwards", async () => {
    const child = fork(IDLE);
    await once(child, "message");
    const pid = child.pid ?? 0;
    expect(processIdentity(pid)).toBeTruthy();
    expect(processIdentity(pid)).toBe(processIdentity(pid));
    expect(processIdentity(pid)).not.toBe(processIdentity(1));
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(processIdentity(pid)).toBeUndefined();
  });
});
