import { randomUUID } from "node:crypto";
import type { Problem, Scrub, ScrubPassBody } from "@sluice/contracts";
import { type ObjectStore, openObjectStore } from "@sluice/object-store";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ScrubDeps } from "../../services/janitor/src/scrub/scrub.js";
import { runScrub, scrubDeps } from "../janitor/scrub-fixture.js";
import { storeScript } from "../janitor/stored.js";
import { describeWith, temporaryDirectory } from "../servers/index.js";
import { call } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";

const PATH = "/api/v1/scrub";

describeWith(["postgres"], "the scrub over HTTP", () => {
  let ingest: Ingest;
  let backup: ObjectStore;
  let deps: ScrubDeps;
  beforeAll(async () => {
    const BACKUP_URL = `file://${temporaryDirectory()}/backup`;
    ingest = await startIngest({ env: { BACKUP_URL } });
    backup = await openObjectStore(BACKUP_URL);
    deps = scrubDeps({ catalog: ingest.catalog, objects: ingest.store, backup });
  });
  afterAll(async () => {
    await ingest.stop();
    await backup.close();
  });

  const read = async (): Promise<Scrub> => (await call<Scrub>(ingest, "readScrub", PATH)).body;
  const start = <Body = ScrubPassBody>(query = "", headers: Record<string, string> = {}) =>
    call<Body>(ingest, "startScrub", PATH + query, { headers });

  it("says that there was none yet", async () => {
    expect(await read()).toEqual({
      pass: null,
      last_done: null,
      damaged_blobs: { count: 0, items: [] },
      unknown_objects: { count: 0, items: [] },
    });
  });

  it("begins when it is asked for, once, and says what it has found", async () => {
    const lost = await storeScript(deps, "lost");
    await ingest.store.delete(lost.key);
    await backup.delete(lost.backupKey);
    const cut = await storeScript(deps, "cut");
    await ingest.store.put(cut.key, Buffer.from("x"));
    await ingest.store.put("added.py", Buffer.from("pass\n"));

    const key = { "Idempotency-Key": randomUUID() };
    const { status, body, headers } = await start("", key);
    expect([status, headers.get("location")]).toEqual([202, PATH]);
    expect(body).toMatchObject({ state: "running", trusted: false, part: "blobs", rate: null });
    expect((await start<Problem>()).body.code).toBe("scrub_running");
    const again = await start("", key);
    expect([again.status, again.body.id]).toEqual([202, body.id]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await start<Problem>("?trusted=true", key)).body.code).toBe("idempotency_key_reused");

    await runScrub(deps);
    const scrub = await read();
    expect(scrub.pass).toEqual(scrub.last_done);
    expect(scrub.pass).toMatchObject({
      id: body.id,
      state: "done",
      part: "backup_names",
      total_blobs: 2,
      checked: 2,
      damaged: 1,
      // On both sides.
      missing: 2,
      repaired: 1,
      unrepairable: 1,
      unknown: 1,
      halted_because: null,
      rate: { checked_per_second: expect.any(Number) },
    });
    expect(scrub.damaged_blobs).toMatchObject({
      count: 1,
      items: [{ sha256: lost.sha256, state: "missing", script_ids: [lost.scriptId] }],
    });
    expect(scrub.unknown_objects).toMatchObject({
      count: 1,
      items: [{ store: "objects", name: "added.py", size: 5 }],
    });
  });

  it("says that it has halted, and gives way to one that is trusted", async () => {
    await ingest.store.delete("added.py");
    for await (const { key } of ingest.store.list("")) await ingest.store.delete(key);
    await start();
    await runScrub(deps);
    expect((await read()).pass).toMatchObject({
      state: "halted",
      halted_because: expect.stringContaining("the object store is empty"),
    });
    const { status, body } = await start("?trusted=true");
    expect([status, body.trusted]).toEqual([202, true]);
    await runScrub(deps);
    expect((await read()).pass).toMatchObject({ id: body.id, state: "done", repaired: 1 });
  });

  it("takes no other parameters", async () => {
    for (const query of ["?trusted=yes", "?trust=true"])
      expect((await start<Problem>(query)).body.code).toBe("invalid_query");
  });
});
