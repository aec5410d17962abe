import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openObjectStore } from "@sluice/object-store";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ClamdServer,
  describeWith,
  eicar,
  EICAR_SIGNATURE,
  startClamd,
} from "../servers/index.js";
import { Client } from "./client.js";
import { freshDataDir, Installation } from "./installation.js";

/** Valid Python that only a scanner objects to. */
const INFECTED = `x = 1  # ${eicar()}\n`;

describeWith(["postgres", "clamd"], "with a virus scanner", () => {
  const dataDir = freshDataDir();
  let clamd: ClamdServer;
  let sluice: Installation | undefined;
  let client: Client;

  const restart = async (env: Readonly<Record<string, string>>): Promise<void> => {
    await sluice?.stop();
    sluice = await Installation.start(dataDir.path, env);
    client = new Client(sluice.url);
  };
  beforeAll(async () => {
    clamd = await startClamd();
  });
  afterAll(async () => {
    await sluice?.stop();
    await clamd?.stop();
    dataDir.remove();
  });

  test("what was judged without it does not pass for scanned", async () => {
    await restart({});
    const before = await client.upload("before.py", INFECTED);
    expect(await client.untilFinal(before.script_id)).toMatchObject({ state: "ready" });
    await restart({ CLAMD_URL: clamd.url });
    const after = await client.upload("after.py", INFECTED);
    expect(await client.untilFinal(after.script_id)).toMatchObject({
      state: "rejected",
      verdict: "malicious",
    });
    const report = await client.report(after.script_id);
    expect(report.findings[0]).toMatchObject({
      rule: "malware.signature",
      severity: "error",
      message: expect.stringContaining(EICAR_SIGNATURE) as string,
    });
    expect(report.analyser_version).toMatch(/\+clamav$/);
    // Two starts, on a machine that may be busy.
  }, 240_000);

  test("what it finds is quarantined, and goes no further", async () => {
    const { script_id: id, sha256 } = await client.upload("test-file.py", eicar());
    const status = await client.untilFinal(id);
    expect(status).toMatchObject({ state: "rejected", verdict: "malicious" });
    expect(status.stages.map(({ state }) => state)).toEqual([
      "done",
      "done",
      "skipped",
      "skipped",
      "skipped",
    ]);
    const objects = await openObjectStore(pathToFileURL(join(dataDir.path, "objects")).href);
    const keys: string[] = [];
    for await (const { key } of objects.list("")) if (key.includes(sha256)) keys.push(key);
    await objects.close();
    expect(keys).toEqual([expect.stringMatching(/^quarantine\//) as string]);
  });

  test("scripts wait while it is down, and pass when it is back", async () => {
    await clamd.kill();
    const { script_id: id } = await client.upload("waits.py", "x = 'waits'\n");
    const infected = await client.upload("waits-too.py", `${INFECTED}# again\n`);
    const waiting = await client.until(id, (status) =>
      status.stages.some(({ error }) => error?.code === "postponed"),
    );
    expect(waiting).toMatchObject({ state: "processing", verdict: null });
    expect(waiting.stages.find(({ error }) => error)).toMatchObject({
      name: "validate",
      error: { message: expect.stringContaining("clamd") as string },
    });
    await clamd.restart();
    expect(await client.untilFinal(id)).toMatchObject({ state: "ready" });
    expect(await client.untilFinal(infected.script_id)).toMatchObject({ verdict: "malicious" });
  });
});
