import { randomUUID } from "node:crypto";
import {
  keepWebhookEndpoints,
  recordEvents,
  settleWebhookMessage,
  takeWebhookMessage,
  type WebhookOutcome,
} from "@sluice/catalog";
import type { EventList, MaintenanceList, WebhookList } from "@sluice/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "../servers/index.js";
import { type Ingest, startIngest } from "./ingest.js";

describeWith(["postgres"], "events", () => {
  let ingest: Ingest;
  const script = "01a2094b-5a3c-761f-a6e9-09ad8dfdcae2";
  beforeAll(async () => {
    ingest = await startIngest();
    await recordEvents(ingest.catalog, [
      { severity: "warning", kind: "maintenance.failing", message: "first" },
      { severity: "info", kind: "maintenance.recovered", message: "second", scriptId: script },
      { severity: "warning", kind: "maintenance.failing", message: "third", details: { a: 1 } },
    ]);
  });
  afterAll(() => ingest.stop());

  const get = async (query: string): Promise<{ status: number; body: EventList }> => {
    const response = await fetch(`${ingest.url}/api/v1/${query}`);
    return { status: response.status, body: (await response.json()) as EventList };
  };
  const messages = async (query: string): Promise<string[]> =>
    (await get(query)).body.items.map(({ message }) => message);

  test("are listed newest first, and by what is asked for", async () => {
    expect(await messages("events")).toEqual(["third", "second", "first"]);
    expect(await messages("events?severity=info")).toEqual(["second"]);
    expect(await messages("events?kind=maintenance.failing")).toEqual(["third", "first"]);
    expect(await messages(`events?script_id=${script}`)).toEqual(["second"]);
    expect(await messages("events?since=2999-01-01T00:00:00Z")).toEqual([]);
  });

  test("are paged, by a cursor that holds for its own list only", async () => {
    const first = await get("events?limit=2");
    expect(first.body.items).toHaveLength(2);
    expect(await messages(`events?limit=2&cursor=${first.body.next_cursor}`)).toEqual(["first"]);
    const other = await get(`events?limit=2&severity=info&cursor=${first.body.next_cursor}`);
    expect([other.status, other.body]).toEqual([
      400,
      expect.objectContaining({ code: "invalid_cursor" }),
    ]);
  });

  test("of an unknown kind or severity are not asked for", async () => {
    for (const query of ["events?kind=nothing", "events?severity=loud", "events?since=yesterday"]) {
      expect(await get(query)).toMatchObject({ status: 400, body: { code: "invalid_query" } });
    }
  });

  test("maintenance lists what the janitor does", async () => {
    await ingest.catalog.query(
      "insert into maintenance_tasks (name, last_started_at, failures, last_error) values ('a', now(), 2, 'no')",
    );
    const response = await fetch(`${ingest.url}/api/v1/maintenance`);
    expect((await response.json()) as MaintenanceList).toEqual({
      items: [
        {
          name: "a",
          running: false,
          last_started_at: expect.any(String),
          last_finished_at: null,
          failures: 2,
          last_error: "no",
        },
      ],
    });
  });

  test("webhooks lists whom events are sent to, without what is secret of their URLs", async () => {
    const webhooks = async () =>
      ((await (await fetch(`${ingest.url}/api/v1/webhooks`)).json()) as WebhookList).items;
    expect(await webhooks()).toEqual([]);
    const { catalog } = ingest;
    await keepWebhookEndpoints(catalog, [
      { name: "a", url: "https://h:8443/secret?x=1", severity: "info", kinds: ["blob.*"] },
    ]);
    await recordEvents(catalog, [{ severity: "info", kind: "blob.repaired", message: "m" }]);
    const active = {
      name: "a",
      origin: "https://h:8443",
      severity: "info",
      kinds: ["blob.*"],
      state: "active",
      last_success_at: null,
      failing_since: null,
      failures: 0,
      last_error: null,
      backlog: 1,
      next_attempt_at: expect.any(String),
      delivered: 0,
      given_up: 0,
    };
    expect(await webhooks()).toEqual([active]);
    const token = randomUUID();
    const settle = async (outcome: WebhookOutcome) => {
      await takeWebhookMessage(catalog, { endpoint: "a", token, leaseMs: 60_000 });
      await settleWebhookMessage(catalog, { endpoint: "a", token, outcome });
    };
    await settle({ kind: "failed", error: "it answered 500", retryMs: 0, restMs: 0 });
    expect(await webhooks()).toEqual([
      {
        ...active,
        state: "failing",
        failures: 1,
        failing_since: expect.any(String),
        last_error: "it answered 500",
      },
    ]);
    await settle({ kind: "gone", error: "it answered 410" });
    expect(await webhooks()).toMatchObject([
      { state: "disabled", backlog: 0, next_attempt_at: null, last_error: "it answered 410" },
    ]);
    await keepWebhookEndpoints(catalog, []);
  });
});
