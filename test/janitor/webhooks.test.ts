import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Catalog,
  keepWebhookEndpoints,
  listEvents,
  listWebhooks,
  type NewEvent,
  recordEvents,
  settleWebhookMessage,
  takeWebhookMessage,
  trimWebhookMessages,
} from "@sluice/catalog";
import { createLog, type WebhookSettings } from "@sluice/runtime";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test } from "vitest";
import { retryMs } from "../../services/janitor/src/webhooks/backoff.js";
import { deliver, toHeaders, toPayload } from "../../services/janitor/src/webhooks/deliver.js";
import { sendWebhooks } from "../../services/janitor/src/webhooks/send-webhooks.js";
import { openFreshCatalog } from "../catalog/fixture.js";
import { describeWith, sharedPostgres } from "../servers/index.js";

const log = createLog("janitor", { logLevel: "silent" });
const { signal } = new AbortController();
const onAttempt = () => {};

function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Somebody who is sent events, and answers as the test says. */
class Receiver {
  readonly received: Received[] = [];
  readonly #server: Server;
  answer: (response: ServerResponse) => void = (response) => response.writeHead(204).end();

  constructor() {
    this.#server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        this.received.push({ headers: request.headers, body });
        this.answer(response);
      });
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** What was received, verified as the specification's own library does. */
  verified(secret: string): { type: string; timestamp: string; data: Record<string, unknown> }[] {
    return this.received.map(
      ({ headers, body }) =>
        new Webhook(secret).verify(body, headers as Record<string, string>) as {
          type: string;
          timestamp: string;
          data: Record<string, unknown>;
        },
    );
  }
}

const DAMAGED: NewEvent = {
  severity: "warning",
  kind: "blob.damaged",
  message: "it is damaged",
  sha256: "0".repeat(64),
  details: { key: "blobs/Größe" },
};

test("signatures are those of the specification", () => {
  // The vector that its reference libraries are tested with.
  const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  const at = new Date(1_614_265_330_000);
  const body = '{"test": 2432232314}';
  expect(toHeaders(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], { id, at, body })).toEqual({
    "webhook-id": id,
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
  // And by its words: HMAC-SHA256 over id, time and body with dots between, letters beyond ASCII as UTF-8.
  const secret = newSecret();
  const text = '{"a":"ö"}';
  const expected = createHmac("sha256", Buffer.from(secret.slice(6), "base64"))
    .update(`${id}.1614265330.${text}`)
    .digest("base64");
  expect(toHeaders([secret], { id, at, body: text })["webhook-signature"]).toBe(`v1,${expected}`);
});

test("a message is tried ten times within about three days, each wait a little by chance", () => {
  const waits = Array.from({ length: 10 }, (_, index) => retryMs(index + 1, 0));
  expect(waits.slice(0, 3)).toEqual([5_000, 300_000, 1_800_000]);
  expect(waits[9]).toBeUndefined();
  const days = waits.reduce<number>((sum, wait) => sum + (wait ?? 0), 0) / 86_400_000;
  expect(days).toBeGreaterThan(3);
  expect(days).toBeLessThan(3.5);
  expect(retryMs(1, 1)).toBe(6_000);
});

test("a body is bounded, however long its event", () => {
  const at = new Date();
  const long = { id: 1, at, ...DAMAGED, details: { keys: Array(5_000).fill("blobs/ö") } };
  const body = toPayload({ ...long, message: "ö".repeat(50_000) });
  expect(Buffer.byteLength(body)).toBeLessThan(20_000);
  expect(JSON.parse(body)).toMatchObject({ data: { id: 1, details: { truncated: true } } });
});

describeWith(["postgres"], "webhooks", () => {
  let catalog: Catalog;
  let receiver: Receiver;
  let endpoint: WebhookSettings;
  beforeEach(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    receiver = new Receiver();
    await receiver.listen();
    endpoint = {
      name: "pager",
      url: `http://${receiver.host}/in/secret-path?token=7`,
      secrets: [newSecret()],
      severity: "warning",
      kinds: [],
    };
    await keepWebhookEndpoints(catalog, [endpoint]);
  });
  afterEach(async () => {
    await receiver.close();
    await catalog.close();
  });

  const send = (to = endpoint) => sendWebhooks(to, { catalog, log, signal, onAttempt });
  const state = async () => (await listWebhooks(catalog))[0];
  const dueNow = async () => {
    await catalog.query("update webhook_messages set next_attempt_at = now()");
    await catalog.query("update webhook_endpoints set resume_at = now()");
  };
  const kindsOf = async () =>
    (await listEvents(catalog, { filter: {}, limit: 100 })).items.map(({ kind }) => kind);

  test("tell of each event once, signed, in order", async () => {
    await recordEvents(catalog, [DAMAGED, { ...DAMAGED, kind: "blob.missing" }]);
    expect((await state())?.backlog).toBe(2);
    await send();
    await send();
    const [damaged, missing, ...more] = receiver.verified(endpoint.secrets[0] ?? "");
    expect(more).toEqual([]);
    const { items } = await listEvents(catalog, { filter: {}, limit: 2 });
    expect(damaged).toEqual({
      type: "blob.damaged",
      timestamp: items[1]?.at.toISOString(),
      data: {
        id: items[1]?.id,
        severity: "warning",
        message: "it is damaged",
        script_id: null,
        sha256: "0".repeat(64),
        details: { key: "blobs/Größe" },
      },
    });
    expect(missing?.type).toBe("blob.missing");
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(2);
    expect(await state()).toMatchObject({ delivered: 2, backlog: 0, failures: 0 });
  });

  test("carry a signature of each secret, so that a receiver may change from one to the next", async () => {
    const [old, next] = [newSecret(), newSecret()];
    await recordEvents(catalog, [DAMAGED]);
    await send({ ...endpoint, secrets: [next, old] });
    expect(receiver.verified(old)).toHaveLength(1);
    expect(receiver.verified(next)).toHaveLength(1);
    expect(() => receiver.verified(newSecret())).toThrow();
  });

  test("go to those who asked for their severity and kind", async () => {
    const others = [
      { ...endpoint, name: "all", severity: "info" as const },
      { ...endpoint, name: "blobs", severity: "info" as const, kinds: ["blob.*", "scrub.halted"] },
      { ...endpoint, name: "critical", severity: "critical" as const },
    ];
    await keepWebhookEndpoints(catalog, others);
    await recordEvents(catalog, [
      DAMAGED,
      { ...DAMAGED, severity: "info", kind: "blob.repaired" },
      { ...DAMAGED, severity: "critical", kind: "scrub.halted" },
      { ...DAMAGED, severity: "critical", kind: "backup.unrepairable" },
    ]);
    const backlogs = (await listWebhooks(catalog)).map(({ name, kinds, backlog }) => [
      name,
      kinds,
      backlog,
    ]);
    expect(backlogs).toEqual([
      ["all", [], 4],
      ["blobs", ["blob.*", "scrub.halted"], 3],
      ["critical", [], 2],
    ]);
  });

  test("are sent again until they are taken, under the same id", async () => {
    receiver.answer = (response) => response.writeHead(500).end();
    await recordEvents(catalog, [DAMAGED]);
    await send();
    await send();
    expect(receiver.received).toHaveLength(1);
    expect(await state()).toMatchObject({ failures: 1, lastError: "it answered 500", backlog: 1 });
    await dueNow();
    await send();
    receiver.answer = (response) => response.writeHead(200).end("thanks");
    await dueNow();
    await send();
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    expect(receiver.verified(endpoint.secrets[0] ?? "")).toHaveLength(3);
    const after = await state();
    expect(after).toMatchObject({ failures: 0, backlog: 0, delivered: 1, givenUp: 0 });
    expect(after?.failingSince).toBeUndefined();
  });

  test.each<[string, () => string | ((response: ServerResponse) => void), RegExp]>([
    ["says no", () => (response) => response.writeHead(400).end(), /^it answered 400$/],
    [
      "sends elsewhere",
      () => (response) =>
        response.writeHead(307, { location: `http://${receiver.host}/elsewhere` }).end(),
      /^it answered 307, a redirect, which is not followed$/,
    ],
    ["hangs", () => () => {}, /^no answer in time$/],
    ["breaks off", () => (response) => response.destroy(), /socket|closed|ECONNRESET/],
    [
      "answers without end",
      () => (response) => {
        response.writeHead(503);
        const more = (): void => {
          if (response.destroyed) return;
          response.write("x".repeat(100_000), () => setImmediate(more));
        };
        more();
      },
      /^it answered 503$/,
    ],
    ["has no server", () => "http://127.0.0.1:1/", /ECONNREFUSED|bad port/],
    ["has no name", () => "http://nobody.invalid/", /ENOTFOUND|EAI_AGAIN/],
    ["does not speak TLS", () => `https://${receiver.host}/`, /SSL|TLS|EPROTO/],
  ])("survive an endpoint that %s", async (_, how, error) => {
    const behaviour = how();
    if (typeof behaviour === "function") receiver.answer = behaviour;
    await recordEvents(catalog, [DAMAGED]);
    const to = typeof behaviour === "string" ? { ...endpoint, url: behaviour } : endpoint;
    const token = "00000000-0000-4000-8000-000000000000";
    const message = await takeWebhookMessage(catalog, {
      endpoint: to.name,
      token,
      leaseMs: 60_000,
    });
    if (message === undefined) throw new Error("there is no message");
    const outcome = await deliver(to, message, { signal, timeoutMs: 500 });
    expect(outcome).toMatchObject({ kind: "failed", error: expect.stringMatching(error) });
    await settleWebhookMessage(catalog, { endpoint: to.name, token, outcome });
    expect(receiver.received.length).toBeLessThanOrEqual(1);
    expect(await state()).toMatchObject({ backlog: 1, failures: 1 });
    // Neither the secret nor what follows the host is told to anybody.
    const told = JSON.stringify([
      outcome,
      (await catalog.query("select * from webhook_endpoints")).rows,
      (await catalog.query("select * from webhook_messages")).rows,
    ]);
    for (const hidden of ["secret-path", "token=7", endpoint.secrets[0] ?? ""])
      expect(told).not.toContain(hidden);
  });

  test("wait as long as a Retry-After says, an hour at most", async () => {
    await recordEvents(catalog, [DAMAGED]);
    for (const [header, least, most] of [
      ["120", 120, 120],
      ["999999", 3_600, 3_600],
      ["soon", 5, 6],
    ] as const) {
      receiver.answer = (response) => response.writeHead(429, { "retry-after": header }).end();
      await dueNow();
      await catalog.query("update webhook_messages set attempts = 0");
      await send();
      const { rows } = await catalog.query<{ wait: number }>(
        "select round(extract(epoch from next_attempt_at - now()))::int as wait from webhook_messages",
      );
      expect(rows[0]?.wait).toBeGreaterThanOrEqual(least - 4);
      expect(rows[0]?.wait).toBeLessThanOrEqual(most);
    }
  });

  test("stop for an endpoint that is gone, until it has another URL", async () => {
    receiver.answer = (response) => response.writeHead(410).end();
    await recordEvents(catalog, [DAMAGED, DAMAGED]);
    await send();
    expect(receiver.received).toHaveLength(1);
    expect((await state())?.disabledAt).toBeDefined();
    expect(await kindsOf()).toContain("webhook.disabled");
    await recordEvents(catalog, [DAMAGED]);
    await keepWebhookEndpoints(catalog, [endpoint]);
    await send();
    expect(receiver.received).toHaveLength(1);
    expect((await state())?.backlog).toBe(0);

    receiver.answer = (response) => response.writeHead(204).end();
    const moved = { ...endpoint, url: `http://${receiver.host}/new` };
    await keepWebhookEndpoints(catalog, [moved]);
    await recordEvents(catalog, [DAMAGED]);
    await send(moved);
    expect(receiver.received).toHaveLength(2);
    expect((await state())?.disabledAt).toBeUndefined();
  });

  test("tell of an endpoint that keeps failing, and of its recovery, once", async () => {
    receiver.answer = (response) => response.writeHead(503).end();
    await recordEvents(catalog, [DAMAGED]);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await dueNow();
      await send();
    }
    receiver.answer = (response) => response.writeHead(204).end();
    await dueNow();
    await send();
    await dueNow();
    await send();
    expect((await kindsOf()).toReversed()).toEqual([
      "blob.damaged",
      "webhook.failing",
      "webhook.recovered",
    ]);
    expect(receiver.verified(endpoint.secrets[0] ?? "").map(({ type }) => type)).toContain(
      "webhook.failing",
    );
  });

  test("are given up after the tenth attempt, and where too many wait", async () => {
    receiver.answer = (response) => response.writeHead(503).end();
    await recordEvents(catalog, [DAMAGED]);
    await catalog.query("update webhook_messages set attempts = 9");
    await send();
    expect(await state()).toMatchObject({ backlog: 0, givenUp: 1 });

    await recordEvents(catalog, [DAMAGED, DAMAGED, { ...DAMAGED, kind: "scrub.halted" }]);
    expect(await trimWebhookMessages(catalog, 1)).toEqual(new Map([["pager", 2]]));
    expect(await trimWebhookMessages(catalog, 1)).toEqual(new Map());
    receiver.answer = (response) => response.writeHead(204).end();
    receiver.received.length = 0;
    await dueNow();
    await send();
    expect(receiver.verified(endpoint.secrets[0] ?? "").map(({ type }) => type)).toEqual([
      "scrub.halted",
    ]);
    expect((await state())?.givenUp).toBe(3);
  });

  test("are sent once, whoever sends at the same time", async () => {
    await recordEvents(
      catalog,
      Array.from({ length: 60 }, () => DAMAGED),
    );
    await Promise.all([send(), send(), send()]);
    expect(receiver.received).toHaveLength(60);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(60);
  });

  test("that a dead janitor was about to send are sent by another, under the same id", async () => {
    await recordEvents(catalog, [DAMAGED]);
    const token = "00000000-0000-4000-8000-000000000000";
    const taken = await takeWebhookMessage(catalog, {
      endpoint: "pager",
      token,
      leaseMs: 60_000,
    });
    await send();
    expect(receiver.received).toHaveLength(0);
    await catalog.query("update webhook_messages set leased_until = now() - interval '1 s'");
    await send();
    expect(receiver.received[0]?.headers["webhook-id"]).toBe(`msg_${taken?.messageId}`);
    // The dead one was only frozen: what it has to say changes nothing.
    await settleWebhookMessage(catalog, {
      endpoint: "pager",
      token,
      outcome: { kind: "gone", error: "it answered 410" },
    });
    expect(await state()).toMatchObject({ delivered: 1, disabledAt: undefined });
  });

  test("tell of what was committed, also after what was recorded later", async () => {
    await catalog.transaction(async (tx) => {
      await recordEvents(tx, [DAMAGED]);
      await recordEvents(catalog, [{ ...DAMAGED, kind: "blob.missing" }]);
      await send();
    });
    await expect(
      catalog.transaction(async (tx) => {
        await recordEvents(tx, [{ ...DAMAGED, kind: "scrub.halted" }]);
        throw new Error("rolled back");
      }),
    ).rejects.toThrow("rolled back");
    await send();
    expect(receiver.verified(endpoint.secrets[0] ?? "").map(({ type }) => type)).toEqual([
      "blob.missing",
      "blob.damaged",
    ]);
  });

  test("of an endpoint that is named no more are forgotten, and a new one hears of what comes", async () => {
    await recordEvents(catalog, [DAMAGED]);
    await keepWebhookEndpoints(catalog, []);
    await recordEvents(catalog, [DAMAGED]);
    await keepWebhookEndpoints(catalog, [endpoint]);
    expect((await state())?.backlog).toBe(0);
    await recordEvents(catalog, [DAMAGED]);
    expect((await state())?.backlog).toBe(1);
  });
});
