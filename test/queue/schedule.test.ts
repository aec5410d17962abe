import { openSchedule, type Schedule } from "@sluice/queue";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  createDatabase,
  describeWith,
  type RedisServer,
  sharedPostgres,
  startRedis,
} from "../servers/index.js";

const log = { warn: () => {} };
const HOUR_MS = 3_600_000;

/** What holds for the schedule on every server. */
function scheduleContract(freshUrl: () => Promise<string>): void {
  let schedules: Schedule[];
  let url: string;
  const open = (): Schedule => {
    const schedule = openSchedule(url, log);
    schedules.push(schedule);
    return schedule;
  };
  beforeEach(async () => {
    schedules = [];
    url = await freshUrl();
  });
  afterEach(() => Promise.all(schedules.map((schedule) => schedule.close())));

  test("runs each task at once, and again after its pause", async () => {
    const schedule = open();
    const ran: string[] = [];
    const consumer = schedule.consume(async (name) => void ran.push(name), 2);
    await schedule.keep([
      { name: "often", everyMs: 200 },
      { name: "seldom", everyMs: HOUR_MS },
    ]);
    await expect.poll(() => ran.filter((name) => name === "often").length).toBeGreaterThan(2);
    await expect.poll(() => ran.filter((name) => name === "seldom")).toEqual(["seldom"]);
    await consumer.close();
  });

  test("brings each time to one of those who consume, and only once", async () => {
    const ran: string[] = [];
    const consumers = ["first", "second"].map(() =>
      open().consume(async (name) => void ran.push(name), 2),
    );
    const tasks = ["a", "b", "c"].map((name) => ({ name, everyMs: HOUR_MS }));
    await schedules[0]?.keep(tasks);
    // Both keep the same schedule, again and again, as two janitors do.
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(schedules.map((schedule) => schedule.keep(tasks)));
    }
    await expect.poll(() => ran.toSorted()).toEqual(["a", "b", "c"]);
    await Promise.all(consumers.map((consumer) => consumer.close()));
    expect(ran).toHaveLength(3);
  });

  test("forgets what is not wanted any more", async () => {
    const schedule = open();
    await schedule.keep([
      { name: "gone", everyMs: 100 },
      { name: "stays", everyMs: 100 },
    ]);
    await schedule.keep([{ name: "stays", everyMs: 100 }]);
    const ran: string[] = [];
    const consumer = schedule.consume(async (name) => void ran.push(name), 1);
    await expect.poll(() => ran.length).toBeGreaterThan(3);
    await consumer.close();
    // Its first time had come already.
    expect(ran.filter((name) => name === "gone").length).toBeLessThanOrEqual(1);
  });
}

describeWith(["postgres"], "the schedule on PostgreSQL", () => {
  scheduleContract(() => createDatabase(sharedPostgres()));
});

describeWith(["redis"], "the schedule on Redis", () => {
  let redis: RedisServer;
  let database = 0;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  scheduleContract(async () => `${redis.url}/${(database += 1)}`);
});
