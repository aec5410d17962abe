import { once } from "node:events";
import { request } from "node:http";
import type { Problem, Status, UploadedScript } from "@sluice/contracts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../servers/index.js";
import { type Answer, call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";
import { ALL_STAGES, pass } from "./stages.js";

describeWith(["postgres"], "a status", () => {
  let ingest: Ingest;

  beforeAll(async () => {
    ingest = await startIngest();
  });
  afterAll(() => ingest.stop());

  let count = 0;
  async function script(): Promise<UploadedScript> {
    count += 1;
    const { body } = await upload(ingest, `s${count}.py`, `x = ${count}\n`);
    return body;
  }
  const read = (
    { script_id }: UploadedScript,
    query = "",
    headers: Record<string, string> = {},
  ): Promise<Answer<Status>> =>
    call<Status>(ingest, "readStatus", `/api/v1/scripts/${script_id}/status${query}`, { headers });

  it("says where each stage stands, all the way", async () => {
    const uploaded = await script();
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      const { body } = await read(uploaded);
      seen.push(
        `${body.state} ${body.stages.map(({ state }) => state).join(" ")} ${body.progress}`,
      );
    };
    await look();
    for (const stage of ALL_STAGES) {
      await pass(ingest, uploaded, stage);
      await look();
    }
    expect(seen).toEqual([
      "queued pending pending pending pending pending 0",
      "processing done pending pending pending pending 0.2",
      "processing done done pending pending pending 0.4",
      "processing done done done pending pending 0.6",
      "processing done done done done pending 0.8",
      "needs_approval done done done done done 1",
    ]);
    const { body } = await read(uploaded);
    expect(body.verdict).toBe("needs_approval");
    for (const { attempts, started_at, finished_at, duration_ms, error } of body.stages) {
      expect(attempts).toBe(1);
      expect(Date.parse(finished_at as string)).toBeGreaterThanOrEqual(
        Date.parse(started_at as string),
      );
      expect(duration_ms).toBeGreaterThanOrEqual(0);
      expect(error).toBeNull();
    }
  });

  it("is 304 as long as it is the same", async () => {
    const uploaded = await script();
    const first = await read(uploaded);
    const etag = first.headers.get("etag") as string;
    expect((await read(uploaded, "", { "If-None-Match": etag })).status).toBe(304);
    await pass(ingest, uploaded, "dedup");
    const second = await read(uploaded, "", { "If-None-Match": etag });
    expect(second.status).toBe(200);
    expect(second.headers.get("etag")).not.toBe(etag);
  });

  it("is that of its version, under the URL that the upload gave", async () => {
    const first = await upload(ingest, "two.py", "one = 1\n");
    const second = await upload(ingest, "two.py", "two = 2\n");
    await pass(ingest, first.body, "dedup");
    for (const { body } of [first, second]) {
      const status = await call<Status>(ingest, "readVersionStatus", body.status_url);
      expect(status.body.version).toBe(body.version);
      const same = await read(body, `?version=${body.version}`);
      expect(same.body).toEqual(status.body);
      expect(same.headers.get("etag")).toBe(status.headers.get("etag"));
    }
    expect((await read(first.body)).body.version).toBe(2);
  });

  it("comes when it is final, if that is waited for", async () => {
    const uploaded = await script();
    let answered = false;
    const waiting = read(uploaded, "?wait=60").then((answer) => {
      answered = true;
      return answer;
    });
    for (const stage of ALL_STAGES) {
      expect(answered).toBe(false);
      await pass(ingest, uploaded, stage);
    }
    const { status, body } = await waiting;
    expect([status, body.state]).toEqual([200, "needs_approval"]);
    // It is final already: nothing to wait for.
    expect((await read(uploaded, "?wait=60")).body.state).toBe("needs_approval");
  });

  it("comes when it differs from the one that is known, if that is waited for", async () => {
    const uploaded = await script();
    const first = await read(uploaded);
    const waiting = read(uploaded, "?wait=60", {
      "If-None-Match": first.headers.get("etag") as string,
    });
    await pass(ingest, uploaded, "dedup");
    const { status, body } = await waiting;
    expect([status, body.stages[0]?.state]).toEqual([200, "done"]);
    // Whoever knows an older one need not wait.
    const late = await read(uploaded, "?wait=60", {
      "If-None-Match": first.headers.get("etag") as string,
    });
    expect(late.status).toBe(200);
  });

  it("comes as it is when the time is over", async () => {
    const uploaded = await script();
    const plain = await read(uploaded, "?wait=1");
    expect([plain.status, plain.body.state]).toEqual([200, "queued"]);
    const known = await read(uploaded, "?wait=1", {
      "If-None-Match": plain.headers.get("etag") as string,
    });
    expect(known.status).toBe(304);
  });

  it("that is waited for is 404 when the script is deleted meanwhile", async () => {
    const uploaded = await script();
    const waiting = call<Problem>(ingest, "readVersionStatus", `${uploaded.status_url}?wait=60`);
    const path = `/api/v1/scripts/${uploaded.script_id}?confirm=${uploaded.script_id}`;
    await call(ingest, "deleteScript", path);
    const { status, body } = await waiting;
    expect([status, body.code]).toEqual([404, "script_not_found"]);
  });

  it("is not waited for any longer when its client is gone", async () => {
    const uploaded = await script();
    const sent = request(`${ingest.url}/api/v1/scripts/${uploaded.script_id}/status?wait=60`, {
      headers: { "X-Request-Id": "gone" },
    });
    sent.on("error", () => {});
    sent.end();
    await once(sent, "socket");
    await expect.poll(() => waiterCount(ingest)).toBe(1);
    sent.destroy();
    await expect
      .poll(() => ingest.log.find((line) => line["request_id"] === "gone"))
      .toMatchObject({ level: "info", client_gone: true });
    expect(await waiterCount(ingest)).toBe(0);
  });

  it("is answered at once to all who wait when the server stops", async () => {
    const own = await startIngest();
    const { body } = await upload(own, "stop.py", "x = 1\n");
    const waiters = Array.from({ length: 5 }, () =>
      call<Status>(own, "readVersionStatus", `${body.status_url}?wait=60`),
    );
    await expect.poll(() => waiterCount(own)).toBe(waiters.length);
    const code = await own.terminate();
    for (const { status, body: answered } of await Promise.all(waiters)) {
      expect([status, answered.state]).toEqual([200, "queued"]);
    }
    expect(code).toBe(0);
    await own.stop();
  });
});

async function waiterCount({ url }: Ingest): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^sluice_status_waiters\S* (\d+)/m.exec(text)?.[1] ?? NaN);
}
