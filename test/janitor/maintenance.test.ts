import { type Catalog, listEvents, listTasks } from "@sluice/catalog";
import { openSchedule, type Schedule } from "@sluice/queue";
import { createLog, Shutdown } from "@sluice/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MaintenanceRunner } from "../../services/janitor/src/maintenance/runner.js";
import type { MaintenanceTask, TaskRun } from "../../services/janitor/src/maintenance/task.js";
import { openFreshCatalog } from "../catalog/fixture.js";
import { createDatabase, describeWith, sharedPostgres } from "../servers/index.js";

const log = createLog("janitor", { logLevel: "silent" });
const HOUR_MS = 3_600_000;
const onRun = () => {};

describeWith(["postgres"], "maintenance", () => {
  let catalog: Catalog;
  let schedule: Schedule;
  let shutdown: Shutdown;
  beforeEach(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    schedule = openSchedule(await createDatabase(sharedPostgres()), log);
    shutdown = new Shutdown(log);
    shutdown.add("catalog", () => catalog.close());
    shutdown.add("schedule", () => schedule.close());
  });
  afterEach(() => shutdown.now());

  const janitor = (tasks: readonly MaintenanceTask[], leaseMs = 30_000): MaintenanceRunner =>
    new MaintenanceRunner(tasks, { catalog, schedule, log, shutdown, leaseMs, onRun });
  const task = (run: (run: TaskRun) => Promise<void>, everyMs = HOUR_MS): MaintenanceTask => ({
    name: "sweep",
    everyMs,
    run,
  });
  const state = async () => (await listTasks(catalog))[0];

  test("two janitors never run the same task at once", async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const both = [1, 2].map(() =>
      janitor([
        task(async () => {
          runs += 1;
          running += 1;
          most = Math.max(most, running);
          await ended;
          running -= 1;
        }),
      ]),
    );
    const first = both.map((each) => each.run("sweep"));
    // The one that did not get it has gone.
    await Promise.race(first);
    expect(await state()).toMatchObject({ running: true });
    end();
    await Promise.all(first);
    expect([runs, most]).toEqual([1, 1]);
    expect(await state()).toMatchObject({ running: false, failures: 0 });
    await both[1]?.run("sweep");
    expect(runs).toBe(2);
  });

  test("goes on where the run before it has come to, also after a failure", async () => {
    const seen: unknown[] = [];
    const runner = janitor([
      task(async ({ cursor, save }) => {
        seen.push(cursor);
        await save({ after: seen.length });
        if (seen.length === 1) throw new Error("killed in the middle");
        if (seen.length === 3) await save(undefined);
      }),
    ]);
    for (let round = 0; round < 4; round += 1) await runner.run("sweep");
    expect(seen).toEqual([undefined, { after: 1 }, { after: 2 }, undefined]);
  });

  test("one that was frozen past its lease can save nothing any more, and is told to stop", async () => {
    let thaw: () => void = () => {};
    const frozen = new Promise<void>((resolve) => (thaw = resolve));
    let begin: () => void = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    let refused: unknown;
    const slow = janitor([
      task(async ({ save }) => {
        begin();
        await frozen;
        await save("old").catch((error: unknown) => (refused = error));
      }),
    ]).run("sweep");
    await begun;
    await catalog.query("update maintenance_tasks set leased_until = now() - interval '1 s'");
    await janitor([task(({ save }) => save("new"))]).run("sweep");
    thaw();
    await slow;
    expect(refused).toMatchObject({ name: "TaskLostError" });
    const { rows } = await catalog.query("select cursor from maintenance_tasks");
    expect(rows).toEqual([{ cursor: "new" }]);
  });

  test("a task that keeps failing is told once, and once more when it succeeds", async () => {
    let fails = true;
    const runner = janitor([
      task(async () => {
        if (fails) throw new Error("the store is away\0");
      }),
    ]);
    for (let round = 0; round < 5; round += 1) await runner.run("sweep");
    expect(await state()).toMatchObject({ failures: 5, lastError: "the store is away\u{fffd}" });
    fails = false;
    await runner.run("sweep");
    expect(await state()).toMatchObject({ failures: 0, lastError: undefined });
    const { items } = await listEvents(catalog, { filter: {}, limit: 10 });
    expect(items.map(({ severity, kind }) => [severity, kind])).toEqual([
      ["info", "maintenance.recovered"],
      ["warning", "maintenance.failing"],
    ]);
  });

  test("is run by the schedule", async () => {
    let runs = 0;
    const runner = janitor([task(async () => void (runs += 1), 200)]);
    runner.start();
    await runner.keep();
    await expect.poll(() => runs).toBeGreaterThan(2);
  });

  test("is run although the queue's server is away, when it is overdue", async () => {
    let runs = 0;
    const away = openSchedule("postgres://nobody@127.0.0.1:1/none", log);
    shutdown.add("schedule that is away", () => away.close());
    const runner = new MaintenanceRunner([task(async () => void (runs += 1))], {
      catalog,
      schedule: away,
      log,
      shutdown,
      leaseMs: 30_000,
      onRun,
    });
    await runner.run("sweep");
    await runner.keep();
    expect(runs).toBe(1);
    await catalog.query(
      "update maintenance_tasks set last_started_at = now() - interval '4 hours'",
    );
    await runner.keep();
    await expect.poll(() => runs).toBe(2);
  });
});
