import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import type {
  EventList,
  Problem,
  Readiness,
  StoreRoom,
  StorageList,
  UploadedScript,
} from "@sluice/contracts";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  describeWith,
  type S3Server,
  type SmallDisk,
  startRedis,
  startS3,
  mountSmallDisk,
} from "../servers/index.js";
import { call, upload } from "./client.js";
import { type Ingest, remains, startIngest } from "./ingest.js";
import { pass } from "./stages.js";

const MB = 1024 * 1024;

describeWith(["postgres", "mount"], "ingest on a disk of 16 MB", () => {
  let disk: SmallDisk;
  let ingest: Ingest;
  beforeAll(async () => {
    disk = await mountSmallDisk(16);
    ingest = await startIngest({
      env: {
        OBJECT_STORE_URL: pathToFileURL(`${disk.seenFromHere}/objects`).href,
        DISK_CHECK_SECONDS: "1",
        DISK_LOW: "50%",
        DISK_LOW_UNTIL: "75%",
        DISK_FULL: "25%",
        DISK_FULL_UNTIL: "37.5%",
      },
    });
  });
  afterAll(async () => {
    await ingest.stop();
    await disk.remove();
  });

  async function storage(name = "objects"): Promise<StoreRoom & { open: boolean }> {
    const { status, body } = await call<StorageList>(ingest, "listStorage", "/api/v1/storage");
    expect(status).toBe(200);
    const found = body.items.find((item) => item.name === name);
    if (found === undefined) throw new Error(`no ${name} in ${JSON.stringify(body)}`);
    return { ...found, open: body.intake.open };
  }
  const state = async () => (await storage()).state;
  /** Waits until the store was looked at after now. */
  async function looked(): Promise<StoreRoom & { open: boolean }> {
    const before = (await storage()).checked_at;
    await expect.poll(async () => (await storage()).checked_at).not.toBe(before);
    return storage();
  }
  async function events(): Promise<(readonly [string, unknown])[]> {
    const { body } = await call<EventList>(ingest, "listEvents", "/api/v1/events");
    const items = body.items.filter(({ details }) => details["store"] === "objects");
    return items.map(({ kind, details }) => [kind, details["state"]] as const).toReversed();
  }
  const metric = async (line: RegExp) => {
    const text = await (await fetch(`${ingest.url}/metrics`)).text();
    return line.exec(text)?.[1];
  };

  it("warns, then refuses uploads before their bodies, and takes them again by itself", async () => {
    const { body: kept } = await upload(ingest, "kept.py", "kept = 1\n");
    const { body: two } = await upload(ingest, "kept.py", "kept = 2\n");
    expect(two.version).toBe(2);
    await pass(ingest, kept, "dedup");
    const path = `/api/v1/scripts/${kept.script_id}`;
    expect(await looked()).toMatchObject({
      state: "ok",
      open: true,
      total_bytes: 16 * MB,
      holds_intake: true,
      thresholds: {
        bytes: { low: 8 * MB, low_until: 12 * MB, full: 4 * MB, full_until: 6 * MB },
      },
    });

    disk.leave(7 * MB);
    await expect.poll(state).toBe("low");
    expect((await upload(ingest, "low.py", "low = 1\n")).status).toBe(202);
    const before = await remains(ingest);

    disk.leave(3 * MB);
    await expect.poll(state).toBe("full");
    const refused = await upload<Problem>(ingest, "full.py", "full = 1\n");
    expect([refused.status, refused.body.code, refused.body.stores]).toEqual([
      507,
      "insufficient_storage",
      ["objects"],
    ]);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(refused.body.detail).toMatch(/objects \(3\.\d MB of 16\.8 MB free\)/);
    expect(refused.body.detail).not.toContain(disk.seenFromHere);
    expect(await remains(ingest)).toEqual(before);
    expect(await answerBeforeBody(ingest)).toBe(507);

    const restored = await call<Problem>(ingest, "restoreVersion", `${path}/versions/1/restore`, {
      method: "POST",
    });
    expect([restored.status, restored.body.code]).toEqual([507, "insufficient_storage"]);
    await readersAndOthersGoOn(kept);

    const ready = await call<Readiness>(ingest, "readyz", "/readyz");
    expect([ready.status, ready.body.status]).toEqual([200, "degraded"]);
    expect(ready.body.failed.map(({ name }) => name)).toEqual(["storage"]);
    expect(await metric(/^sluice_intake_open\S* (\d)/m)).toBe("0");
    expect(await metric(/^sluice_storage_state\{[^}]*store="objects"[^}]*\} (\d)/m)).toBe("2");
    expect(
      Number(await metric(/^sluice_storage_free_bytes\{[^}]*store="objects"[^}]*\} (\d+)/m)),
    ).toBeLessThan(4 * MB);

    // Between the levels it stays as it was.
    disk.leave(5 * MB);
    expect(await looked()).toMatchObject({ state: "full", open: false });
    disk.leave(7 * MB);
    await expect.poll(state).toBe("low");
    expect((await upload(ingest, "full.py", "full = 1\n")).status).toBe(202);
    disk.leave(14 * MB);
    await expect.poll(state).toBe("ok");
    expect((await call<Readiness>(ingest, "readyz", "/readyz")).body.status).toBe("ok");
    expect(await events()).toEqual([
      ["disk.low", "low"],
      ["disk.full", "full"],
      ["disk.recovered", "low"],
      ["disk.recovered", "ok"],
    ]);
  });

  async function readersAndOthersGoOn(script: UploadedScript): Promise<void> {
    const path = `/api/v1/scripts/${script.script_id}`;
    expect((await call(ingest, "readContent", `${path}/content`)).status).toBe(200);
    const changed = await call(ingest, "patchMetadata", `${path}/metadata`, {
      headers: { "Content-Type": "application/merge-patch+json", "If-Match": "*" },
      body: JSON.stringify({ title: "Written while there was no room" }),
    });
    expect(changed.status).toBe(200);
    const { body } = await call<{ items: { script_id: string; filename: string }[] }>(
      ingest,
      "listScripts",
      "/api/v1/scripts?name=low.py",
    );
    const low = body.items[0]?.script_id;
    const deleted = await call(ingest, "deleteScript", `/api/v1/scripts/${low}?confirm=${low}`);
    expect(deleted.status).toBeLessThan(300);
  }

  it("refuses what finds no room on the way, and all that comes then, until there is some", async () => {
    disk.leave(14 * MB);
    await expect.poll(state).toBe("ok");
    // From room enough to none within one look.
    disk.leave(0);
    const first = await upload<Problem>(ingest, "first.py", `# ${"x".repeat(100_000)}\n`);
    expect([first.status, first.body.stores]).toEqual([507, ["objects"]]);
    expect((await storage()).open).toBe(false);
    expect(await events()).toContainEqual(["disk.full", "full"]);
    disk.leave(14 * MB);
    await expect
      .poll(async () => (await upload(ingest, "first.py", "first = 1\n")).status)
      .toBe(202);
  });
});

describeWith(["postgres", "redis"], "ingest on a Redis without room", () => {
  it("takes uploads, which wait in the catalog, and says that the queue is full", async () => {
    const redis = await startRedis();
    const control = new Redis(redis.url);
    const ingest = await startIngest({
      env: { QUEUE_URL: redis.url, DISK_CHECK_SECONDS: "1" },
    });
    const queue = async () => {
      const { body } = await call<StorageList>(ingest, "listStorage", "/api/v1/storage");
      return [body.items.find(({ name }) => name === "queue")?.state, body.intake.open];
    };
    try {
      expect(await queue()).toEqual(["ok", true]);
      await control.config("SET", "maxmemory", "1");
      await expect.poll(queue).toEqual(["full", true]);
      expect((await upload(ingest, "a.py", "a = 1\n")).status).toBe(202);
      const ready = await call<Readiness>(ingest, "readyz", "/readyz");
      expect([ready.status, ready.body.failed.map(({ name }) => name)]).toEqual([200, ["queue"]]);
      const { body } = await call<EventList>(ingest, "listEvents", "/api/v1/events?kind=disk.full");
      expect(body.items.map(({ message }) => message)).toEqual([
        expect.stringMatching(/^queue is full: uploads are taken, and wait .*OOM/),
      ]);
      await control.config("SET", "maxmemory", "0");
      await expect.poll(queue).toEqual(["ok", true]);
    } finally {
      control.disconnect();
      await ingest.stop();
      await redis.stop();
    }
  });
});

describeWith(["postgres"], "ingest on a catalog whose disk is full", () => {
  it("says so of uploads, and of other changes, and goes on when there is room", async () => {
    const ingest = await startIngest({ env: { DISK_CHECK_SECONDS: "1" } });
    try {
      const { body: kept } = await upload(ingest, "kept.py", "kept = 1\n");
      const before = await remains(ingest);
      // As PostgreSQL says it, without a disk to fill.
      await ingest.catalog.query(
        `create function no_room() returns trigger language plpgsql as
           $$ begin raise exception 'no room' using errcode = '53100'; end $$;
         create trigger no_room before insert on versions for each row execute function no_room();
         create trigger no_room before update on scripts for each row execute function no_room();`,
      );
      const refused = await upload<Problem>(ingest, "a.py", "a = 1\n", {
        headers: { "Idempotency-Key": "k" },
      });
      expect([refused.status, refused.body.code, refused.body.stores]).toEqual([
        507,
        "insufficient_storage",
        ["catalog"],
      ]);
      expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
      const path = `/api/v1/scripts/${kept.script_id}`;
      const change = await call<Problem>(ingest, "patchMetadata", `${path}/metadata`, {
        headers: { "Content-Type": "application/merge-patch+json", "If-Match": "*" },
        body: JSON.stringify({ title: "T" }),
      });
      expect([change.status, change.body.code]).toEqual([503, "catalog_unavailable"]);
      expect(change.body.detail).toMatch(/disk is full/);
      await ingest.catalog.query(
        "drop trigger no_room on versions; drop trigger no_room on scripts; drop function no_room()",
      );
      await expect
        .poll(async () => {
          const headers = { "Idempotency-Key": "k" };
          return (await upload(ingest, "a.py", "a = 1\n", { headers })).status;
        })
        .toBe(202);
      const after = await remains(ingest);
      expect(after).toMatchObject({ versions: 2 });
      expect(before).toMatchObject({ versions: 1 });
    } finally {
      await ingest.stop();
    }
  });
});

describeWith(["postgres", "versitygw"], "ingest on an S3 server with a quota", () => {
  let server: S3Server;
  let proxy: QuotaProxy;
  let ingest: Ingest;
  beforeAll(async () => {
    server = await startS3("versitygw");
    const url = new URL(server.bucketUrl());
    proxy = await startQuotaProxy(Number(url.port));
    url.port = String(proxy.port);
    ingest = await startIngest({ env: { OBJECT_STORE_URL: url.href, DISK_CHECK_SECONDS: "1" } });
  });
  afterAll(async () => {
    await ingest.stop();
    await proxy.close();
    await server.stop();
  });

  it("refuses uploads when it is used up, and takes them again by itself when it is not", async () => {
    const { body: kept } = await upload(ingest, "kept.py", "kept = 1\n");
    const before = await remains(ingest);
    proxy.usedUp = true;
    const first = await upload<Problem>(ingest, "a.py", "a = 1\n");
    expect([first.status, first.body.stores]).toEqual([507, ["objects"]]);
    const second = await upload<Problem>(ingest, "a.py", "a = 1\n");
    expect([second.status, second.body.stores]).toEqual([507, ["objects"]]);
    expect(second.body.detail).not.toContain("127.0.0.1");
    expect(await remains(ingest)).toEqual(before);
    const { body } = await call<StorageList>(ingest, "listStorage", "/api/v1/storage");
    expect(body.intake).toEqual({ open: false, closed_by: ["objects"] });
    expect(body.items.find(({ name }) => name === "objects")).toMatchObject({
      state: "full",
      free_bytes: null,
      refusal: expect.stringMatching(/the bucket's quota is used up/),
    });
    const path = `/api/v1/scripts/${kept.script_id}/content`;
    expect((await call(ingest, "readContent", path)).status).toBe(200);
    proxy.usedUp = false;
    await expect.poll(async () => (await upload(ingest, "a.py", "a = 1\n")).status).toBe(202);
  });
});

interface QuotaProxy {
  readonly port: number;
  /** Every write is refused, as MinIO does where the quota of a bucket is used up. */
  usedUp: boolean;
  close(): Promise<void>;
}

async function startQuotaProxy(port: number): Promise<QuotaProxy> {
  const server = createServer((incoming, response) => {
    if (incoming.method === "PUT" && proxy.usedUp) {
      incoming.resume().once("end", () => {
        response.writeHead(400, { "Content-Type": "application/xml" });
        response.end(
          "<Error><Code>XMinioAdminBucketQuotaExceeded</Code><Message>Bucket quota exceeded</Message></Error>",
        );
      });
      return;
    }
    const { method, url, headers } = incoming;
    const onward = request({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: QuotaProxy = {
    port: (server.address() as AddressInfo).port,
    usedUp: false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

/** Sends the head of an upload and nothing of its body. */
async function answerBeforeBody(ingest: Ingest): Promise<number | undefined> {
  const sent = request(`${ingest.url}/api/v1/upload_script`, {
    method: "POST",
    headers: { "Content-Type": "multipart/form-data; boundary=x", "Content-Length": "100000" },
  });
  sent.flushHeaders();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  sent.destroy();
  return answer.statusCode;
}
