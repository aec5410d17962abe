import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { randomUUID } from "node:crypto";
import { type Operation, OPERATIONS, problem, type Problem } from "@sluice/contracts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../servers/index.js";
import { expectProblem, form, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";

const KEY = "a-key-of-more-than-16-characters";
const ID = "0190a0b0-0000-7000-8000-000000000000";

describeWith(["postgres"], "the API", () => {
  let ingest: Ingest;

  beforeAll(async () => {
    ingest = await startIngest();
  });
  afterAll(() => ingest.stop());

  async function ask(
    path: string,
    init: RequestInit = {},
  ): Promise<{ response: Response; body: Problem }> {
    const response = await fetch(ingest.url + path, init);
    return { response, body: expectProblem(response, await response.text()) };
  }

  it.each([
    "/",
    "/api",
    "/api/v1",
    "/api/v2/scripts",
    "/API/v1/scripts",
    "/index.html",
    "/docs/x",
    "/favicon.ico",
  ])("has nothing at %s", async (path) => {
    const { body } = await ask(path);
    expect(body).toMatchObject({ status: 404, code: "not_found", instance: path });
  });

  it.each(["/api/v1/scripts/%E0%A4%A", "/api/v1/scripts/%"])(
    "does not take the path %s",
    async (path) => {
      const { body } = await ask(path);
      expect(body).toMatchObject({ status: 400, code: "malformed_request" });
    },
  );

  const methodsOf = new Map<string, string[]>();
  for (const { path, method } of Object.values(OPERATIONS) as Operation[]) {
    methodsOf.set(path, [...(methodsOf.get(path) ?? []), method.toUpperCase()]);
  }
  it.each([...methodsOf])(
    "answers other methods on %s with 405 and those there are",
    async (path, methods) => {
      const url = path.replace("{id}", ID).replace("{n}", "1");
      const allowed = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(
        ", ",
      );
      for (const method of ["PATCH", "PUT", "DELETE", "POST", "GET", "PROPFIND"]) {
        if (methods.includes(method)) continue;
        const { response, body } = await ask(url, { method });
        expect(body).toMatchObject({ status: 405, code: "method_not_allowed" });
        expect(response.headers.get("allow")).toBe(allowed);
      }
      const options = await fetch(ingest.url + url, { method: "OPTIONS" });
      expect([options.status, options.headers.get("allow")]).toEqual([204, allowed]);
      if (!methods.includes("GET")) return;
      const head = await fetch(ingest.url + url, { method: "HEAD" });
      expect(head.status).not.toBe(405);
      expect(await head.text()).toBe("");
    },
  );

  it("gives every request an id: the client's where it is sane", async () => {
    for (const id of ["a", "trace-1.2:3/4+5=", "0".repeat(128)]) {
      const { response, body } = await ask("/nowhere", { headers: { "X-Request-Id": id } });
      expect(response.headers.get("x-request-id")).toBe(id);
      expect(body.request_id).toBe(id);
    }
    for (const id of ["", "with blank", "0".repeat(129), "<script>", "-rf", "ä"]) {
      const { body } = await ask("/nowhere", { headers: { "X-Request-Id": id } });
      expect(body.request_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
    }
  });

  it("lets no browser run, frame or guess at what it serves", async () => {
    for (const path of ["/livez", "/api/v1/scripts", "/nowhere"]) {
      const { headers } = await fetch(ingest.url + path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("x-powered-by")).toBeNull();
    }
  });

  it.each([
    ["no HTTP", "hello\r\n\r\n", "malformed_request"],
    [
      "two lengths",
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "malformed_request",
    ],
    [
      "a wrong length",
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "malformed_request",
    ],
    [
      "length and chunks",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "malformed_request",
    ],
    [
      "huge headers",
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      "headers_too_large",
    ],
  ])("answers %s with a problem as well", async (_what, sent, code) => {
    const socket = connect(Number(new URL(ingest.url).port), "127.0.0.1");
    socket.write(sent);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(socket, "close");
    const [head = "", text = ""] = Buffer.concat(chunks).toString().split("\r\n\r\n");
    const body = problem.strict().parse(JSON.parse(text));
    expect(body.code).toBe(code);
    expect(head).toContain(`HTTP/1.1 ${body.status} `);
    expect(head).toContain("application/problem+json");
  });

  it("explains every code where problem documents point to", async () => {
    const { body } = await ask("/nowhere");
    const page = await (await fetch(new URL(body.type, ingest.url))).text();
    expect(page).toContain(`id="${new URL(body.type, ingest.url).hash.slice(1)}"`);
  });

  it("asks for a key where it has some, but for its health and its description", async () => {
    const own = await startIngest({ env: { API_KEYS: `another-key-entirely,${KEY}` } });
    try {
      for (const path of ["/livez", "/readyz", "/openapi.json", "/docs", "/docs/problems"]) {
        expect((await fetch(own.url + path)).status).toBe(200);
      }
      for (const path of ["/metrics", "/api/v1/scripts", `/api/v1/scripts/${ID}`, "/nowhere"]) {
        for (const authorization of [
          undefined,
          "",
          KEY,
          `Basic ${KEY}`,
          "Bearer",
          "Bearer ",
          `Bearer ${KEY}x`,
          `Bearer ${KEY.slice(1)}`,
          `Bearer ${KEY} ${KEY}`,
          `Bearer another-key-entirely,${KEY}`,
        ]) {
          const headers: Record<string, string> =
            authorization === undefined ? {} : { authorization };
          const response = await fetch(own.url + path, { headers });
          const body = expectProblem(response, await response.text());
          expect([authorization, body.code]).toEqual([authorization, "unauthorized"]);
          expect(response.headers.get("www-authenticate")).toMatch(/^Bearer realm="sluice"/);
        }
      }
      const refused = await fetch(`${own.url}/api/v1/upload_script`, {
        method: "POST",
        body: form("a.py", "a"),
      });
      expect(refused.status).toBe(401);
      for (const authorization of [
        `Bearer ${KEY}`,
        `bearer  ${KEY}`,
        "Bearer another-key-entirely",
      ]) {
        expect((await fetch(`${own.url}/metrics`, { headers: { authorization } })).status).toBe(
          200,
        );
      }
      const taken = await upload(own, "a.py", "a", { headers: { authorization: `Bearer ${KEY}` } });
      expect(taken.status).toBe(202);
      expect(JSON.stringify(own.log)).not.toContain(KEY);
    } finally {
      await own.stop();
    }
  });

  it("tells Prometheus of its work, of the stages' and of its peers'", async () => {
    const peer = createServer((_req, res) => {
      res.end(
        '# HELP sluice_test A test\n# TYPE sluice_test counter\nsluice_test 1\nsluice_test{a="}"} 2\n',
      );
    }).listen(0, "127.0.0.1");
    await once(peer, "listening");
    const peerHost = `127.0.0.1:${(peer.address() as AddressInfo).port}`;
    const own = await startIngest({
      env: { METRICS_PEERS: `http://${peerHost},http://127.0.0.1:1` },
    });
    try {
      await upload(own, "a.py", "a = 1\n");
      await upload(own, "a.py", "a = 1\n");
      await fetch(`${own.url}/api/v1/scripts/${randomUUID()}`);
      let lines: string[] = [];
      const scrape = async (): Promise<string> => {
        const response = await fetch(`${own.url}/metrics`);
        expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
        lines = (await response.text()).split("\n");
        return (
          lines.find((line) => /^sluice_http_request\S+_count\{.*status="404"/.test(line)) ?? ""
        );
      };
      // A request is counted when its answer is on its way, which may be after the client has it.
      await expect
        .poll(scrape, { timeout: 10_000 })
        .toContain('method="GET",route="/api/v1/scripts/{id}"');
      for (const line of [
        'sluice_uploads_total{outcome="created",service="ingest"} 1',
        'sluice_uploads_total{outcome="unchanged",service="ingest"} 1',
        'sluice_upload_bytes_total{service="ingest"} 6',
        'sluice_stage_unfinished{stage="dedup",state="pending",service="ingest"} 1',
        'sluice_stage_unfinished{stage="backup",state="pending",service="ingest"} 0',
        'sluice_queue_jobs{stage="dedup",state="waiting",service="ingest"} 1',
        'sluice_queue_paused{stage="dedup",service="ingest"} 0',
        `sluice_test{process="${peerHost}"} 1`,
        `sluice_test{a="}",process="${peerHost}"} 2`,
      ]) {
        expect(lines).toContain(line);
      }
      expect(
        lines.some((line) => line.startsWith('sluice_stage_oldest_pending_seconds{stage="dedup"')),
      ).toBe(true);
      // Each series once, or Prometheus takes none of it.
      const series = lines
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => line.replace(/ \S+$/, ""));
      expect(new Set(series).size).toBe(series.length);
    } finally {
      await own.stop();
      peer.close();
    }
  });
});
