import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Catalog, type StageScript, takeLostWork } from "@sluice/catalog";
import { type ObjectStore, openObjectStore, StoreFullError } from "@sluice/object-store";
import { advance, type Outcome, snooze, STAGES } from "@sluice/pipeline";
import { type Delivery, openQueue, type Queue } from "@sluice/queue";
import { createLog } from "@sluice/runtime";
import type { StageResults } from "@sluice/catalog";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createChunkRunner } from "../../packages/worker/src/chunk-runner.js";
import { openFreshCatalog, register, standing, upload, DEDUP_RESULT } from "../catalog/fixture.js";
import { createDatabase, describeWith, sharedPostgres } from "../servers/index.js";

describeWith(["postgres"], "a chunk", () => {
  let catalog: Catalog;
  let queue: Queue;
  let objects: ObjectStore;
  let directory: string;
  const log = createLog("test", { logLevel: "silent" });

  beforeAll(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    queue = openQueue(await createDatabase(sharedPostgres()), log);
    directory = mkdtempSync(join(tmpdir(), "sluice-worker-"));
    objects = await openObjectStore(pathToFileURL(directory).href);
  });
  afterAll(async () => {
    await queue.close();
    await objects.close();
    await catalog.close();
    rmSync(directory, { recursive: true, force: true });
  });

  let counter = 0;
  const versions = (count: number) =>
    Promise.all(
      Array.from({ length: count }, () => {
        counter += 1;
        return register(catalog, upload(`chunk-${counter}.py`, `chunk ${counter}`));
      }),
    );
  const delivery = (items: readonly { versionId: string }[], redelivered = false): Delivery => ({
    jobId: "1",
    versions: items.map(({ versionId }) => versionId),
    redelivered,
  });
  type Handle = (script: StageScript) => Promise<Outcome<StageResults["dedup"]>>;
  const observed: string[] = [];
  const runner = (handle: Handle, stopping = new AbortController().signal, concurrency = 2) =>
    createChunkRunner({
      stage: "dedup",
      handler: handle,
      deps: {},
      catalog,
      queue,
      objects,
      log,
      metrics: { began: () => {}, observe: (outcome) => observed.push(outcome) },
      concurrency,
      leaseMs: 60_000,
      stopping,
    });
  const succeed: Handle = async () => advance(DEDUP_RESULT);

  /** What the queue of a stage brings next. */
  const nextOf = (stage: "dedup" | "validate", count: number) =>
    new Promise<string[][]>((resolve) => {
      const chunks: string[][] = [];
      const consumer = queue.consume(
        stage,
        async (next) => {
          chunks.push([...next.versions]);
          if (chunks.length === count) void consumer.close().then(() => resolve(chunks));
        },
        1,
      );
    });

  test("is committed, and what follows is enqueued together", async () => {
    const items = await versions(5);
    await runner(succeed)(delivery(items));
    for (const { scriptId } of items) {
      expect(await standing(catalog, scriptId)).toMatch(
        /^processing null dedup:done validate:pending/,
      );
    }
    const [next] = await nextOf("validate", 1);
    expect(next?.toSorted()).toEqual(items.map(({ versionId }) => versionId).toSorted());
  });

  test("whose one script fails lets the others through, and brings that one back alone", async () => {
    const items = await versions(4);
    const bad = items[1]?.versionId;
    await runner(async ({ versionId }) => {
      if (versionId === bad) throw new TypeError("thrown on purpose");
      return advance(DEDUP_RESULT);
    })(delivery(items));
    const standings = await Promise.all(items.map(({ scriptId }) => standing(catalog, scriptId)));
    expect(standings.map((line) => /dedup:(\w+)/.exec(line)?.[1])).toEqual([
      "done",
      "pending",
      "done",
      "done",
    ]);
    const { rows } = await catalog.query<{ error: unknown }>(
      "select error from stages where version_id = $1",
      [bad],
    );
    expect(rows[0]?.error).toEqual({ code: "type", message: "thrown on purpose" });
    expect(await nextOf("dedup", 1)).toEqual([[bad]]);
    await runner(succeed)(delivery([{ versionId: bad ?? "" }]));
    expect(await standing(catalog, items[1]?.scriptId ?? "")).toMatch(/dedup:done/);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      "store",
      () => Promise.reject(new StoreFullError("file:///x: put a: no space left on the disk")),
      "store_full",
    ],
    [
      "catalog's disk",
      // As PostgreSQL says it, without a disk to fill.
      () => catalog.query("do $$ begin raise exception 'no room' using errcode = '53100'; end $$"),
      "catalog_full",
    ],
    [
      // As every session fares where PostgreSQL has no room for its log.
      "catalog's log",
      () => catalog.query("select pg_terminate_backend(pg_backend_pid())"),
      "catalog_unavailable",
    ],
  ])(
    "of one script that finds the %s full waits for room, and keeps its tries",
    async (_, fill, code) => {
      const [item] = (await versions(1)) as [Awaited<ReturnType<typeof register>>];
      const stage = async () => {
        const { rows } = await catalog.query<{ state: string; failures: number; code: string }>(
          "select state, failures, error ->> 'code' as code from stages where version_id = $1 and stage = 'dedup'",
          [item.versionId],
        );
        return rows[0];
      };
      const due = () =>
        catalog.query("update stages set available_at = now() where version_id = $1", [
          item.versionId,
        ]);
      for (let tries = 0; tries <= STAGES.dedup.retry.attempts; tries += 1) {
        await due();
        await runner(async () => {
          await fill();
          return advance(DEDUP_RESULT);
        })(delivery([item]));
      }
      expect(await stage()).toEqual({ state: "pending", failures: 0, code });
      await due();
      await runner(succeed)(delivery([item]));
      expect(await standing(catalog, item.scriptId)).toMatch(/dedup:done/);
    },
  );

  test("of one script whose ending finds no room is waited for, and its worker is not counted as dead", async () => {
    const [item] = (await versions(1)) as [Awaited<ReturnType<typeof register>>];
    const { versionId, scriptId } = item;
    // As PostgreSQL says it, without a disk to fill.
    await catalog.query(
      `create function no_room() returns trigger language plpgsql as
         $$ begin raise exception 'no room' using errcode = '53100'; end $$`,
    );
    await catalog.query(
      `create trigger no_room before update on stages for each row
       when (new.state = 'done' and new.version_id = '${versionId}') execute function no_room()`,
    );
    const deaths = async () => {
      const { rows } = await catalog.query<{ deaths: number; failures: number }>(
        "select deaths, failures from stages where version_id = $1 and stage = 'dedup'",
        [versionId],
      );
      return rows[0];
    };
    let tried = false;
    const first = runner(async () => {
      tried = true;
      return advance(DEDUP_RESULT);
    })(delivery([item]));
    await expect.poll(() => tried).toBe(true);
    let goOn = () => {};
    const going = new Promise<void>((resolve) => (goOn = resolve));
    const second = runner(async () => {
      await going;
      return advance(DEDUP_RESULT);
    })(delivery([item], true));
    await expect.poll(deaths).toEqual({ deaths: 1, failures: 0 });
    await catalog.query("drop trigger no_room on stages; drop function no_room()");
    await first;
    expect(await deaths()).toEqual({ deaths: 0, failures: 0 });
    goOn();
    await second;
    expect(await standing(catalog, scriptId)).toMatch(/dedup:done/);
    expect(await deaths()).toEqual({ deaths: 0, failures: 0 });
  });

  test("delivered a second time finds nothing to do", async () => {
    const items = await versions(2);
    await runner(succeed)(delivery(items));
    let calls = 0;
    await runner(async () => {
      calls += 1;
      return advance(DEDUP_RESULT);
    })(delivery(items, false));
    expect(calls).toBe(0);
  });

  test("whose worker died comes back in halves, and at once", async () => {
    const items = await versions(5);
    // A worker that took it and died: its leases live on.
    void runner(() => new Promise(() => {}))(delivery(items));
    await expect
      .poll(async () =>
        (await Promise.all(items.map(({ scriptId }) => standing(catalog, scriptId)))).join(),
      )
      .not.toMatch(/dedup:pending/);
    await runner(succeed)(delivery(items, true));
    const halves = await nextOf("dedup", 2);
    expect(halves.map((half) => half.length)).toEqual([3, 2]);
    await runner(succeed)(delivery(halves.flat().map((versionId) => ({ versionId }))));
    for (const { scriptId } of items)
      expect(await standing(catalog, scriptId)).toMatch(/dedup:done/);
  });

  test("of one script whose worker died is taken over, and given up after many deaths", async () => {
    const [item] = (await versions(1)) as [Awaited<ReturnType<typeof register>>];
    await catalog.query(
      "update stages set state = 'running', leased_alone = true, deaths = 5, leased_until = now() + interval '1 hour' where version_id = $1",
      [item.versionId],
    );
    await runner(succeed)(delivery([item], true));
    expect(await standing(catalog, item.scriptId)).toMatch(/^failed null dedup:failed/);
  });

  test("whose lease was lost meanwhile writes nothing and deletes nothing", async () => {
    const [item] = (await versions(1)) as [Awaited<ReturnType<typeof register>>];
    await objects.put("uploads/kept.py", Buffer.from("x"));
    observed.length = 0;
    await runner(async ({ versionId }) => {
      await catalog.query(
        "update stages set lease_token = gen_random_uuid() where version_id = $1",
        [versionId],
      );
      return advance(DEDUP_RESULT, ["uploads/kept.py"]);
    })(delivery([item]));
    expect(observed).toEqual(["fenced_off"]);
    expect(await objects.stat("uploads/kept.py")).toBeDefined();
    expect(await standing(catalog, item.scriptId)).toMatch(/dedup:running/);
  });

  test("leaves garbage that is deleted once its result is committed", async () => {
    const [item] = (await versions(1)) as [Awaited<ReturnType<typeof register>>];
    await objects.put("uploads/gone.py", Buffer.from("x"));
    await runner(async () => advance(DEDUP_RESULT, ["uploads/gone.py", "uploads/never-there.py"]))(
      delivery([item]),
    );
    expect(await objects.stat("uploads/gone.py")).toBeUndefined();
  });

  test("keeps what its results make garbage where another policy came into force before they were committed", async () => {
    const items = await versions(2);
    const stale = items[0]?.versionId;
    const keys = new Map(items.map(({ versionId }) => [versionId, `uploads/${versionId}.py`]));
    for (const key of keys.values()) await objects.put(key, Buffer.from("x"));
    observed.length = 0;
    await runner(async ({ versionId }) =>
      advance({ ...DEDUP_RESULT, policyId: versionId === stale ? 1 : 0 }, [
        keys.get(versionId) ?? "",
      ]),
    )(delivery(items));
    expect(observed.toSorted()).toEqual(["done", "later"]);
    expect(await objects.stat(keys.get(stale ?? "") ?? "")).toBeDefined();
    expect(await objects.stat(keys.get(items[1]?.versionId ?? "") ?? "")).toBeUndefined();
    const { rows } = await catalog.query<{ error: unknown }>(
      "select error from stages where version_id = $1",
      [stale],
    );
    expect(rows[0]?.error).toMatchObject({ code: "policy_changed" });
  });

  test("that is stopped finishes what it has begun and gives back the rest", async () => {
    const items = await versions(6);
    const stopping = new AbortController();
    let calls = 0;
    await runner(
      async () => {
        calls += 1;
        stopping.abort();
        return advance(DEDUP_RESULT);
      },
      stopping.signal,
      1,
    )(delivery(items));
    expect(calls).toBe(1);
    const given = (await nextOf("dedup", 1)).flat();
    expect(given).toHaveLength(5);
    const { rows } = await catalog.query<{ attempts: number; state: string }>(
      "select attempts, state from stages where stage = 'dedup' and version_id = any($1::uuid[])",
      [given],
    );
    expect(new Set(rows.map(({ attempts, state }) => `${attempts} ${state}`))).toEqual(
      new Set(["0 pending"]),
    );
  });

  test("may be postponed without using up a try", async () => {
    const [item] = (await versions(1)) as [Awaited<ReturnType<typeof register>>];
    await runner(async () => snooze(3_600_000, "not now"))(delivery([item]));
    const { rows } = await catalog.query<{ failures: number; error: unknown }>(
      "select failures, error from stages where version_id = $1",
      [item.versionId],
    );
    expect(rows[0]).toEqual({ failures: 0, error: { code: "postponed", message: "not now" } });
    const since = new Date(Date.now() + 60_000);
    expect(await takeLostWork(catalog, { stage: "dedup", since, limit: 10 })).not.toContainEqual(
      expect.objectContaining({ versionId: item.versionId }),
    );
  });
});
