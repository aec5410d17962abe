import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Scrub } from "@sluice/contracts";
import { type ObjectStore, openObjectStore } from "@sluice/object-store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runScrub, scrubDeps } from "../janitor/scrub-fixture.js";
import { storeScript } from "../janitor/stored.js";
import { describeWith, temporaryDirectory } from "../servers/index.js";
import { type Ingest, startIngest } from "./ingest.js";
import { callSluice, runSluice } from "./sluice.js";

const KEY = "a-key-of-the-test";

describeWith(["postgres"], "sluice scrub", () => {
  let ingest: Ingest;
  let backup: ObjectStore;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    const BACKUP_URL = `file://${temporaryDirectory()}/backup`;
    ingest = await startIngest({ env: { BACKUP_URL, API_KEYS: `alice:${KEY}` } });
    backup = await openObjectStore(BACKUP_URL);
    env = { SLUICE_URL: ingest.url, SLUICE_API_KEY: KEY };
  });
  afterAll(async () => {
    await ingest.stop();
    await backup.close();
  });
  const deps = () => scrubDeps({ catalog: ingest.catalog, objects: ingest.store, backup });
  const sluice = (...args: readonly string[]) => callSluice(["scrub", ...args], env);

  test("is a command of the program, and says that there was no pass yet", async () => {
    expect(await runSluice(["scrub"], env)).toEqual({
      code: 0,
      stdout: "no pass was begun yet\n",
      stderr: "",
    });
  });

  test("begins a pass, once, waits for its end, and says what is wrong", async () => {
    const lost = await storeScript(deps(), "lost");
    await ingest.store.delete(lost.key);
    await backup.delete(lost.backupKey);
    const cut = await storeScript(deps(), "cut");
    await ingest.store.put(cut.key, Buffer.from("x"));
    await ingest.store.put("added.py", Buffer.from("pass\n"));

    const begun = await sluice("--start");
    expect([begun.code, begun.stdout]).toEqual([
      0,
      expect.stringMatching(/^pass 1, .*alice, is at blobs\n/),
    ]);
    const again = await sluice("--start");
    expect([again.code, again.stderr]).toEqual([3, expect.stringContaining("[scrub_running]")]);

    const [waited] = await Promise.all([sluice("--wait"), runScrub(deps())]);
    expect(waited.code).toBe(1);
    expect(waited.stdout).toMatch(/^pass 1, .* was over at /);
    expect(waited.stdout).toContain("1 damaged, 2 missing");
    expect(waited.stdout).toContain(`missing ${lost.sha256}: `);
    expect(waited.stdout).toContain(lost.scriptId);
    expect(waited.stdout).toContain("unknown in objects: added.py is none of Sluice's objects\n");
    const json = await sluice("--json");
    const body = JSON.parse(json.stdout) as Scrub;
    expect([json.code, body.pass?.state, body.damaged_blobs.count]).toEqual([1, "done", 1]);
  });

  test.each([
    ["an argument", ["now"], {}, 2, /too many arguments/],
    ["--trusted alone", ["--trusted"], {}, 2, /--trusted goes with --start/],
    ["no URL", [], { SLUICE_URL: "sluice" }, 2, /must be a URL/],
    ["nobody there", [], { SLUICE_URL: "http://127.0.0.1:1" }, 3, /does not answer/],
    ["a wrong key", ["--start"], { SLUICE_API_KEY: "x" }, 3, /SLUICE_API_KEY.*\[unauthorized\]/],
  ])("%s", async (_what, args, other, code, said) => {
    const ended = await callSluice(["scrub", ...args], { ...env, ...other });
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toMatch(said);
  });

  test("says why a pass has halted, and ends waiting for it", async () => {
    for await (const { key } of ingest.store.list("")) await ingest.store.delete(key);
    await sluice("--start");
    const [halted] = await Promise.all([sluice("--wait"), runScrub(deps())]);
    expect(halted.code).toBe(1);
    expect(halted.stdout).toMatch(/pass 2, .* has halted: .*the object store is empty/);
    expect(halted.stdout).toMatch(/\nbefore it:\npass 1, /);
    const trusted = await sluice("--start", "--trusted");
    expect(trusted.stdout).toMatch(/^pass 3, .* is at blobs\n/);
  });

  test("takes no answer for one that is none", async () => {
    const server: Server = createServer((_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const ended = await callSluice(["scrub"], { SLUICE_URL: `http://127.0.0.1:${port}` });
      expect(ended).toMatchObject({ code: 3, stdout: "" });
      expect(ended.stderr).toContain("does not answer as Sluice does");
    } finally {
      server.close();
    }
  });
});
