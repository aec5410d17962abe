import { once } from "node:events";
import { renameSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import type { Problem, Readiness, ScriptList, Status } from "@sluice/contracts";
import { migrate } from "@sluice/catalog";
import { afterEach, expect, it } from "vitest";
import {
  createDatabase,
  describeWith,
  startPostgres,
  startRedis,
  temporaryDirectory,
} from "../servers/index.js";
import { call, form, upload } from "./client.js";
import { freshDatabase, type Ingest, remains, startIngest } from "./ingest.js";

describeWith(["postgres", "redis"], "ingest", () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });
  function started(ingest: Ingest): Ingest {
    stops.push(() => ingest.stop());
    return ingest;
  }
  const readyz = (ingest: Ingest) => call<Readiness>(ingest, "readyz", "/readyz");

  it("without its catalog says so, loses nothing, and goes on when it is back", async () => {
    const postgres = await startPostgres();
    stops.push(() => postgres.stop());
    const catalogUrl = await createDatabase(postgres);
    await migrate(catalogUrl);
    const ingest = started(
      await startIngest({ catalogUrl, env: { QUEUE_URL: await freshDatabase() } }),
    );
    const { body: script } = await upload(ingest, "a.py", "a = 1\n");
    const waiting = call<Problem>(ingest, "readVersionStatus", `${script.status_url}?wait=60`);
    await postgres.kill();

    const refused = await upload<Problem>(ingest, "b.py", "b = 1\n");
    expect([refused.status, refused.body.code, refused.body.dependency]).toEqual([
      503,
      "catalog_unavailable",
      "catalog",
    ]);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect((await waiting).status).toBe(503);
    const list = await call<Problem>(ingest, "listScripts", "/api/v1/scripts");
    expect(list.body.code).toBe("catalog_unavailable");
    const keyed = await upload<Problem>(ingest, "b.py", "b = 1\n", {
      headers: { "Idempotency-Key": "k" },
    });
    expect(keyed.body.code).toBe("catalog_unavailable");
    const unready = await readyz(ingest);
    expect([unready.status, unready.body.status]).toEqual([503, "unavailable"]);
    expect(unready.body.failed.map(({ name }) => name)).toEqual(["catalog"]);
    expect((await call(ingest, "livez", "/livez")).status).toBe(200);
    expect((await fetch(`${ingest.url}/metrics`)).status).toBe(200);

    await postgres.start();
    await expect.poll(async () => (await readyz(ingest)).status, { timeout: 30_000 }).toBe(200);
    const again = await upload(ingest, "b.py", "b = 1\n", { headers: { "Idempotency-Key": "k" } });
    expect(again.status).toBe(202);
    const found = await call<ScriptList>(ingest, "listScripts", "/api/v1/scripts?sort=name");
    expect(found.body.items.map(({ filename }) => filename)).toEqual(["a.py", "b.py"]);
  });

  it("without its queue takes uploads all the same", async () => {
    const redis = await startRedis();
    stops.push(() => redis.stop());
    const ingest = started(await startIngest({ env: { QUEUE_URL: redis.url } }));
    expect((await readyz(ingest)).body).toEqual({ status: "ok", failed: [] });
    await redis.kill();
    for (const number of [1, 2, 3]) {
      const { status } = await upload(ingest, "a.py", `a = ${number}\n`);
      expect(status).toBe(202);
    }
    const degraded = await readyz(ingest);
    expect([degraded.status, degraded.body.status]).toEqual([200, "degraded"]);
    expect(degraded.body.failed.map(({ name }) => name)).toEqual(["queue"]);
    const status = await call<Status>(ingest, "readStatus", await statusOf(ingest));
    expect(status.body).toMatchObject({ version: 3, state: "queued" });
    expect(await remains(ingest)).toMatchObject({ versions: 3, stages: 3, objects: 3 });
    await redis.start();
    await expect
      .poll(async () => (await readyz(ingest)).body.status, { timeout: 30_000 })
      .toBe("ok");
  });

  async function statusOf(ingest: Ingest): Promise<string> {
    const { body } = await call<ScriptList>(ingest, "listScripts", "/api/v1/scripts");
    return `/api/v1/scripts/${body.items[0]?.script_id}/status`;
  }

  it("without its object store refuses uploads and leaves nothing of them", async () => {
    const directory = `${temporaryDirectory()}/objects`;
    const ingest = started(await startIngest({ env: { OBJECT_STORE_URL: `file://${directory}` } }));
    const { body: script } = await upload(ingest, "old.py", "old = 1\n");
    // As when its volume is not mounted.
    renameSync(directory, `${directory}-away`);
    const before = await ingest.catalog.query("select count(*) from versions");
    const refused = await upload<Problem>(ingest, "a.py", "a = 1\n", {
      headers: { "Idempotency-Key": "k" },
    });
    expect([refused.status, refused.body.code, refused.body.dependency]).toEqual([
      503,
      "object_store_unavailable",
      "object_store",
    ]);
    expect(refused.body.detail).not.toContain(directory);
    expect((await ingest.catalog.query("select count(*) from versions")).rows).toEqual(before.rows);
    const unready = await readyz(ingest);
    expect([unready.status, unready.body.failed.map(({ name }) => name)]).toEqual([
      503,
      ["object_store"],
    ]);
    const content = await call<Problem>(
      ingest,
      "readContent",
      `/api/v1/scripts/${script.script_id}/content`,
    );
    expect([content.status, content.body.code]).toEqual([503, "object_store_unavailable"]);
    renameSync(`${directory}-away`, directory);
    await expect
      .poll(
        async () =>
          (await upload(ingest, "a.py", "a = 1\n", { headers: { "Idempotency-Key": "k" } })).status,
      )
      .toBe(202);
  });

  it("holds no more of uploads in memory than it may, and tells the others to come later", async () => {
    const ingest = started(await startIngest({ env: { UPLOAD_MEMORY_MB: "16" } }));
    const bytes = new Uint8Array(9 * 1024 * 1024).fill(35);
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, index) => upload<Problem>(ingest, `large-${index}.py`, bytes)),
    );
    const late = answers.filter(({ status }) => status !== 202);
    expect(late.length).toBeGreaterThan(0);
    for (const { status, body, headers } of late) {
      expect([status, body.code]).toEqual([503, "overloaded"]);
      expect(headers.get("retry-after")).toBe("1");
    }
    const taken = answers.length - late.length;
    expect(await remains(ingest)).toMatchObject({ versions: taken, objects: taken });
    expect((await upload(ingest, "later.py", bytes)).status).toBe(202);
  });

  it("finishes the uploads it has begun before it stops, and takes no more", async () => {
    const ingest = started(await startIngest());
    const response = new Response(form("slow.py", "#".repeat(5_000)));
    const type = response.headers.get("content-type") as string;
    const body = Buffer.from(await response.arrayBuffer());
    const sent = request(`${ingest.url}/api/v1/upload_script`, {
      method: "POST",
      headers: { "Content-Type": type, "Content-Length": String(body.length) },
    });
    sent.write(body.subarray(0, 4_000));
    await expect
      .poll(async () => (await fetch(`${ingest.url}/metrics`)).text())
      .toMatch(/upload_held_bytes\S* [1-9]/);
    const stopped = ingest.terminate();
    await expect.poll(() => ingest.log.some(({ msg }) => msg === "stopping")).toBe(true);
    await expect(fetch(`${ingest.url}/livez`)).rejects.toThrow();
    sent.end(body.subarray(4_000));
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    expect([answer.statusCode, answer.headers.connection]).toEqual([202, "close"]);
    answer.resume();
    expect(await stopped).toBe(0);
    expect(await remains(ingest)).toMatchObject({ versions: 1, objects: 1 });
  });
});
