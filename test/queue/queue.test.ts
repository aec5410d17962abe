import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Delivery, openQueue, type Queue } from "@sluice/queue";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  createDatabase,
  describeWith,
  guard,
  type RedisServer,
  sharedPostgres,
  startRedis,
} from "../servers/index.js";

const log = { warn: () => {} };

/** What holds for the queue on every server. */
function queueContract(freshUrl: () => Promise<string>): void {
  let url: string;
  let queue: Queue;
  beforeEach(async () => {
    url = await freshUrl();
    queue = openQueue(url, log, { lockMs: 1_000 });
  });
  afterEach(() => queue.close());

  /** Consumes until so many deliveries have come. */
  async function take(count: number, concurrency = 1): Promise<Delivery[]> {
    const taken: Delivery[] = [];
    let enough: () => void = () => {};
    const all = new Promise<void>((resolve) => (enough = resolve));
    const consumer = queue.consume(
      "extract",
      async (delivery) => {
        taken.push(delivery);
        if (taken.length === count) enough();
      },
      concurrency,
    );
    await all;
    await consumer.close();
    return taken;
  }
  const versionsOf = (deliveries: readonly Delivery[]) =>
    deliveries.map(({ versions }) => versions);

  test("delivers chunks first in, first out, each once", async () => {
    await queue.enqueue("extract", [{ versions: ["a", "b"] }, { versions: ["c"] }]);
    await queue.enqueue("extract", [{ versions: ["d"] }]);
    expect(versionsOf(await take(3))).toEqual([["a", "b"], ["c"], ["d"]]);
    expect(await queue.depth("extract")).toMatchObject({ waiting: 0, active: 0, delayed: 0 });
  });

  test("keeps the queues of stages apart", async () => {
    await queue.enqueue("dedup", [{ versions: ["x"] }]);
    await queue.enqueue("extract", [{ versions: ["a"] }]);
    expect(versionsOf(await take(1))).toEqual([["a"]]);
    expect(await queue.depth("dedup")).toMatchObject({ waiting: 1 });
  });

  test("takes the same chunk twice, because a job has no identity that would swallow the second", async () => {
    await queue.enqueue("extract", [{ versions: ["a"] }]);
    await take(1);
    await queue.enqueue("extract", [{ versions: ["a"] }]);
    expect(versionsOf(await take(1))).toEqual([["a"]]);
  });

  test("says how deep it is and since when the oldest waits", async () => {
    expect(await queue.depth("extract")).toEqual({
      waiting: 0,
      active: 0,
      delayed: 0,
      oldestWaitingAt: undefined,
      paused: false,
    });
    const before = Date.now();
    await queue.enqueue("extract", [{ versions: ["a"] }]);
    const between = Date.now();
    for (const later of ["b", "c"]) {
      // So much later that the second cannot be taken for the first.
      await expect.poll(() => Date.now()).toBeGreaterThan(between + 20);
      await queue.enqueue("extract", [{ versions: [later] }]);
    }
    await queue.enqueue("extract", [{ versions: ["d"] }], 3_600_000);
    const depth = await queue.depth("extract");
    expect(depth).toMatchObject({ waiting: 3, active: 0, delayed: 1, paused: false });
    expect(depth.oldestWaitingAt?.getTime()).toBeGreaterThanOrEqual(before - 1);
    expect(depth.oldestWaitingAt?.getTime()).toBeLessThanOrEqual(between + 1);
  });

  test("holds back what is not yet due", async () => {
    await queue.enqueue("extract", [{ versions: ["late"] }], 2_000);
    await queue.enqueue("extract", [{ versions: ["soon"] }]);
    expect(versionsOf(await take(2))).toEqual([["soon"], ["late"]]);
  });

  test("delivers nothing while it is paused, counts it still, and goes on where it was", async () => {
    await queue.pause("extract");
    await queue.enqueue("extract", [{ versions: ["a"] }]);
    expect(await queue.depth("extract")).toMatchObject({ waiting: 1, paused: true });
    const taken = take(1);
    await queue.resume("extract");
    expect(versionsOf(await taken)).toEqual([["a"]]);
    expect(await queue.depth("extract")).toMatchObject({ waiting: 0, paused: false });
  });

  test("goes on after a handler has thrown", async () => {
    await queue.enqueue("extract", [{ versions: ["bad"] }, { versions: ["good"] }]);
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      queue.consume(
        "extract",
        async ({ versions }) => {
          seen.push(...versions);
          if (versions[0] === "bad") throw new Error("thrown on purpose");
          resolve();
        },
        1,
      );
    });
    expect(seen).toEqual(["bad", "good"]);
  });

  test("delivers again what a killed process held, and says so", async () => {
    await queue.enqueue("extract", [{ versions: ["a", "b"] }]);
    const program = `
      const { openQueue } = await import("@sluice/queue");
      openQueue(process.argv[1], { warn() {} }, { lockMs: 1000 })
        .consume("extract", () => { process.stdout.write("held"); return new Promise(() => {}); }, 1);`;
    const holder = guard(
      spawn(process.execPath, ["--input-type=module", "-e", program, url], {
        cwd: new URL("../../services/ingest", import.meta.url),
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
    await once(holder.stdout as NodeJS.ReadableStream, "data");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    expect(await take(1)).toMatchObject([{ versions: ["a", "b"], redelivered: true }]);
  });
}

describeWith(["postgres"], "the queue on PostgreSQL", () => {
  queueContract(() => createDatabase(sharedPostgres()));

  test("consumes as soon as a server is there that refused everybody at first", async () => {
    const url = await createDatabase(sharedPostgres());
    const open = async (allowed: boolean) => {
      const client = new pg.Client(sharedPostgres().url);
      await client.connect();
      await client.query(
        `alter database ${new URL(url).pathname.slice(1)} allow_connections ${allowed}`,
      );
      await client.end();
    };
    await open(false);
    expect(await firstAfterOutage(url, () => open(true))).toMatchObject({ versions: ["a"] });
  });

  test("fails within its time where the server is not there", async () => {
    const queue = openQueue("postgres://nobody@127.0.0.1:1/none", log);
    await expect(queue.check()).rejects.toThrow();
    await queue.close();
  });
});

/** What comes first to somebody who has consumed since before the server could be reached. */
async function firstAfterOutage(url: string, end: () => Promise<void>): Promise<Delivery> {
  let warnings = 0;
  const queue = openQueue(url, { warn: () => (warnings += 1) });
  try {
    const first = new Promise<Delivery>((resolve) => {
      queue.consume("extract", async (delivery) => resolve(delivery), 4);
    });
    await expect(queue.check()).rejects.toThrow();
    await end();
    const enqueue = () =>
      queue.enqueue("extract", [{ versions: ["a"] }]).then(
        () => true,
        () => false,
      );
    await expect.poll(enqueue, { timeout: 20_000, interval: 200 }).toBe(true);
    const delivery = await first;
    // A tight loop would have said so thousands of times.
    expect(warnings).toBeLessThan(300);
    return delivery;
  } finally {
    await queue.close();
  }
}

describeWith(["redis"], "the queue on Redis", () => {
  let redis: RedisServer;
  let database = 0;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  queueContract(async () => `${redis.url}/${(database += 1)}`);

  test("consumes as soon as a server is there that was not at first", async () => {
    await redis.kill();
    const delivery = await firstAfterOutage(`${redis.url}/15`, () => redis.restart());
    expect(delivery).toMatchObject({ versions: ["a"] });
  });

  test("fails within its time where the server is not there, and works when it is", async () => {
    const queue = openQueue(redis.url, log);
    await queue.check();
    await redis.kill();
    await expect(queue.enqueue("extract", [{ versions: ["a"] }])).rejects.toThrow();
    await redis.restart();
    await expect
      .poll(() =>
        queue.check().then(
          () => "works",
          () => "fails",
        ),
      )
      .toBe("works");
    await queue.close();
  });
});
