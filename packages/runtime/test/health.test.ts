import { afterEach, describe, expect, it, vi } from "vitest";
import { Counter } from "prom-client";
import { readiness, startHealthServer, type Check, type HealthServer } from "../src/health.js";
import { createMetrics } from "../src/metrics.js";

let server: HealthServer | undefined;

afterEach(async () => {
  vi.useRealTimers();
  await server?.close();
  server = undefined;
});

async function serve(checks: readonly Check[]): Promise<string> {
  const metrics = createMetrics("extract");
  new Counter({ name: "things_total", help: "things", registers: [metrics.registry] }).inc(3);
  server = await startHealthServer({ host: "127.0.0.1", port: 0, checks, metrics });
  return `http://127.0.0.1:${server.port}`;
}

const works: Check = { name: "catalog", check: async () => {} };
const fails: Check = {
  name: "queue",
  check: () => Promise.reject(new Error("connection refused")),
};

describe("health server", () => {
  it("is ready while every check passes", async () => {
    const base = await serve([works]);
    const ready = await fetch(`${base}/readyz?verbose`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: "ok", failed: [] }]);
    expect((await fetch(`${base}/livez`)).status).toBe(200);
  });

  it("names what is missing, and lives on", async () => {
    const base = await serve([works, fails]);
    const ready = await fetch(`${base}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      status: "unavailable",
      failed: [{ name: "queue", error: "connection refused" }],
    });
    expect((await fetch(`${base}/livez`)).status).toBe(200);
  });

  it("is degraded, and still ready, while all that fails is tolerated", async () => {
    const full: Check = {
      name: "store",
      check: () => Promise.reject(new RangeError("no room")),
      tolerates: (error) => error instanceof RangeError,
    };
    const ready = await fetch(`${await serve([works, full])}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: "degraded", failed: [{ name: "store", error: "no room" }] },
    ]);
    expect((await readiness([full, fails])).status).toBe("unavailable");
    const gone: Check = { ...full, check: () => Promise.reject(new Error("gone")) };
    expect((await readiness([gone])).status).toBe("unavailable");
  });

  it("counts a check that does not answer as failed", async () => {
    vi.useFakeTimers();
    const result = readiness([works, { name: "store", check: () => new Promise(() => {}) }]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await result).failed).toEqual([{ name: "store", error: "no answer within 2000 ms" }]);
  });

  it("serves metrics with the service's name", async () => {
    const response = await fetch(`${await serve([])}/metrics`);
    const text = await response.text();
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(text).toContain('things_total{service="extract"} 3');
    expect(text).toContain("process_cpu_seconds_total{");
  });

  it("knows nothing else", async () => {
    const base = await serve([]);
    expect((await fetch(`${base}/elsewhere`)).status).toBe(404);
    expect((await fetch(`${base}/livez`, { method: "POST" })).status).toBe(405);
    expect((await fetch(`${base}/livez`, { method: "HEAD" })).status).toBe(200);
  });

  it("says so where the port is taken", async () => {
    const port = Number(new URL(await serve([])).port);
    const second = startHealthServer({
      host: "127.0.0.1",
      port,
      checks: [],
      metrics: createMetrics("x"),
    });
    await expect(second).rejects.toThrow("EADDRINUSE");
  });
});
