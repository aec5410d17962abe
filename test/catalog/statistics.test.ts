import { randomUUID } from "node:crypto";
import {
  addStatisticChanges,
  type Catalog,
  deleteScript,
  forgetUseDays,
  readDailyStatistics,
  readNamespaceStatistics,
  readScriptUsage,
  readStatistics,
  recordUse,
  retryFailed,
  undeleteScript,
} from "@sluice/catalog";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { sharedPostgres } from "../servers/index.js";
import {
  DEDUP_RESULT,
  done,
  finish,
  openFreshCatalog,
  register,
  sha256Of,
  upload,
  work,
} from "./fixture.js";

let catalog: Catalog;
beforeAll(async () => {
  catalog = await openFreshCatalog(sharedPostgres());
});
afterAll(() => catalog.close());
beforeEach(async () => {
  await catalog.query(
    "truncate scripts, versions, blobs, analyses, stages, script_use, statistics, statistic_changes cascade",
  );
});

const addAll = async (): Promise<void> => {
  while ((await addStatisticChanges(catalog, 7)) > 0);
};
const today = new Date().toISOString().slice(0, 10);
const FAILED = {
  kind: "failed",
  error: { code: "object_damaged", message: "it is damaged" },
} as const;

test("are what has happened, by state, namespace and day", async () => {
  const team = { namespace: "team" };
  const first = await register(catalog, upload("a.py", "0123456789", team));
  const twin = await register(catalog, upload("b.py", "0123456789"));
  const broken = await register(catalog, upload("c.py", "01234", team));
  await register(catalog, upload("d.py", "012"));
  await finish(catalog, first.versionId, "allowed");
  await work(catalog, "dedup", [twin.versionId], done<"dedup">(DEDUP_RESULT));
  await work(catalog, "dedup", [broken.versionId], {
    kind: "later",
    delayMs: 0,
    failure: true,
    error: FAILED.error,
  });
  await work(catalog, "dedup", [broken.versionId], FAILED);
  await deleteScript(catalog, { scriptId: twin.scriptId, actor: "alice", trashMs: 86_400_000 });
  await recordUse(catalog, [{ scriptId: first.scriptId, downloads: 2, metadataReads: 5 }]);
  await addAll();

  const all = await readStatistics(catalog, {});
  expect(all).toMatchObject({
    live: 3,
    deleted: 1,
    uploads: { count: 4, bytes: 28 },
    states: {
      ready: { count: 2, bytes: 20 },
      queued: { count: 1, bytes: 3 },
      failed: { count: 1, bytes: 5 },
    },
    verdicts: { allowed: { count: 2, bytes: 20 } },
    waitingBytes: 8,
    blobs: { count: 1, bytes: 10, storedBytes: 4 },
    failures: [{ stage: "dedup", code: "object_damaged", tries: 2, givenUp: 1 }],
    downloads: 2,
    metadataReads: 5,
  });
  expect(all.times.map(({ stage, what, count }) => `${stage} ${what} ${count}`).toSorted()).toEqual(
    ["dedup", "validate", "extract", "compress", "backup"]
      .flatMap((stage) =>
        ["work", "wait"].map((what) => `${stage} ${what} ${stage === "dedup" ? 2 : 1}`),
      )
      .toSorted(),
  );
  const validated = all.times.find(({ stage, what }) => stage === "validate" && what === "work");
  const took = validated?.sumMicroseconds ?? 0;
  // The handler says that it took 5 ms, and the row that it was leased no longer than that.
  expect(took).toBeGreaterThan(0);
  expect(Math.round(took / 1_000)).toBeLessThanOrEqual(5);
  expect(validated?.buckets).toEqual([{ n: Math.ceil(4 * Math.log2(took)), count: 1 }]);

  const days = { from: today, to: today };
  const { asOf: _, ...ofToday } = await readStatistics(catalog, { days });
  expect(all).toMatchObject(ofToday);
  expect(await readStatistics(catalog, { namespace: "team" })).toMatchObject({
    live: 2,
    deleted: 0,
    uploads: { count: 2, bytes: 15 },
    states: { ready: { count: 1, bytes: 10 }, failed: { count: 1, bytes: 5 } },
    blobs: { count: 0, bytes: 0, storedBytes: 0 },
    times: [],
    failures: [{ tries: 2, givenUp: 1 }],
    downloads: 2,
  });
  const before = { from: "2020-01-01", to: "2020-12-31" };
  expect(await readStatistics(catalog, { days: before })).toMatchObject({
    live: 0,
    uploads: { count: 0, bytes: 0 },
    states: {},
    failures: [],
  });

  const daily = await readDailyStatistics(catalog, { days });
  expect(daily.items.map(({ day, live }) => [day, live])).toEqual([[today, 3]]);
  const page = await readNamespaceStatistics(catalog, { days, after: undefined, limit: 1 });
  expect(page.items.map(({ namespace, live }) => [namespace, live])).toEqual([["default", 1]]);
  const next = await readNamespaceStatistics(catalog, { days, after: page.next, limit: 1 });
  expect(next.items.map(({ namespace, live }) => [namespace, live])).toEqual([["team", 2]]);
  expect(next.next).toBeUndefined();
});

test("that are not added yet are said to be of before", async () => {
  await register(catalog, upload("a.py", "1"));
  const { asOf, live } = await readStatistics(catalog, {});
  const { rows } = await catalog.query<{ at: Date }>("select min(at) as at from statistic_changes");
  expect([live, asOf]).toEqual([0, rows[0]?.at]);
  await addAll();
  const after = await readStatistics(catalog, {});
  expect(after.live).toBe(1);
  expect(after.asOf.getTime()).toBeGreaterThan(asOf.getTime());
});

test("are added once, however many add at once", async () => {
  for (let n = 0; n < 30; n += 1) await register(catalog, upload(`${n}.py`, String(n)));
  const adders = Array.from({ length: 8 }, async () => {
    while ((await addStatisticChanges(catalog, 3)) > 0);
  });
  await Promise.all(adders);
  await addAll();
  expect((await readStatistics(catalog, {})).live).toBe(30);
});

/** Every sum that is not zero. */
async function sums(kinds: readonly string[]): Promise<string[]> {
  const { rows } = await catalog.query<{ sum: string }>(
    `select concat_ws(' ', kind, namespace, day, name, detail, count, amount, other) as sum from statistics
     where kind = any($1) and (count <> 0 or amount <> 0 or other <> 0) order by 1`,
    [kinds],
  );
  return rows.map(({ sum }) => sum);
}

/** The same, looked for in the tables themselves. */
async function looked(): Promise<string[]> {
  const { rows } = await catalog.query<{ sum: string }>(
    `with facts (kind, namespace, at, name, detail, count, amount, other) as (
       select 'scripts', namespace, created_at, case when deleted_at is null then 'live' else 'deleted' end, '', 1, 0, 0
         from scripts
       union all
       select 'versions', s.namespace, v.created_at, v.state, case when v.state in ('queued', 'processing') then ''
           else coalesce(v.verdict, '') end, 1, v.size, case when raw_key is not null then v.size else 0 end
         from versions v join scripts s on s.id = v.script_id
       union all
       select 'blobs', null, created_at, '', '', 1, size, length from blobs where state = 'stored')
     select concat_ws(' ', kind, coalesce(namespace, ''), coalesce(day, '-infinity'), name, detail,
         sum(count), sum(amount), sum(other)) as sum
     from (select *, (at at time zone 'UTC')::date as day from facts) f
     group by kind, name, detail, grouping sets ((namespace, day), (namespace), (day), ())
     having grouping(namespace) = 1 or namespace is not null
     order by 1`,
  );
  return rows.map(({ sum }) => sum);
}

test("stay true to the tables, whatever happens", async () => {
  const text = fc.constantFrom("1", "22", "333");
  const step = fc.oneof(
    fc.record({
      what: fc.constant("upload" as const),
      text,
      name: fc.nat(3),
      namespace: fc.constantFrom("a", "b"),
    }),
    fc.record({ what: fc.constant("work" as const), fails: fc.boolean(), text }),
    fc.record({ what: fc.constantFrom("delete", "undelete", "retry", "add", "grow"), text }),
    fc.record({ what: fc.constantFrom("purge", "drop", "revive"), text }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      await catalog.query(
        "truncate scripts, versions, blobs, analyses, stages, script_use, statistics, statistic_changes cascade",
      );
      const versions = async (): Promise<{ id: string; script_id: string }[]> =>
        (
          await catalog.query<{ id: string; script_id: string }>(
            "select id, script_id from versions order by id",
          )
        ).rows;
      for (const each of steps) {
        const sha256 = sha256Of(each.text);
        const [newest] = (await versions()).toReversed();
        const scriptId = newest?.script_id ?? randomUUID();
        if (each.what === "upload" && "name" in each) {
          const { name, namespace } = each;
          const item = upload(`${name}.py`, each.text, { namespace, onConflict: "keep_both" });
          // It may be there already, which is no version.
          await register(catalog, item).catch(() => {});
        } else if (each.what === "work" && "fails" in each) {
          for (const { id } of await versions()) {
            if (each.fails) await work(catalog, "dedup", [id], FAILED);
            else await finish(catalog, id, "allowed");
          }
        } else if (each.what === "delete")
          await deleteScript(catalog, { scriptId, actor: "a", trashMs: 86_400_000 });
        else if (each.what === "undelete") await undeleteScript(catalog, { scriptId, actor: "a" });
        else if (each.what === "retry") await retryFailed(catalog, scriptId);
        else if (each.what === "add") await addStatisticChanges(catalog, 5);
        else if (each.what === "grow")
          await catalog.query("update blobs set length = length + 1, encoding = 'zstd'");
        else if (each.what === "drop")
          await catalog.query("update blobs set state = 'deleted' where sha256 = $1", [sha256]);
        else if (each.what === "revive")
          await catalog.query(
            "update blobs set state = 'stored', created_at = '2020-02-02' where sha256 = $1",
            [sha256],
          );
        else {
          await catalog.query("delete from trash");
          await catalog.query("delete from stages");
          await catalog.query("delete from analyses");
          await catalog.query("delete from versions");
          await catalog.query("delete from scripts");
        }
      }
      await addAll();
      const kinds = ["scripts", "versions", "blobs"];
      const kept = await sums(kinds);
      expect(kept).toEqual(await looked());
      await catalog.query("select recount_statistics()");
      await addAll();
      expect(await sums(kinds)).toEqual(kept);
    }),
    { numRuns: 25 },
  );
});

test("of a script's use are by day, and forgotten by day", async () => {
  const { scriptId } = await register(catalog, upload("a.py", "1"));
  await recordUse(catalog, [{ scriptId, downloads: 1, metadataReads: 0 }]);
  await recordUse(catalog, [{ scriptId, downloads: 1, metadataReads: 3 }]);
  await catalog.query(
    "insert into script_use_days values ($1, current_date - 91, 4, 4), ($1, current_date - 90, 5, 5)",
    [scriptId],
  );
  const range = { scriptId, from: "2020-01-01", to: today };
  expect(await readScriptUsage(catalog, range)).toMatchObject({
    downloads: 2,
    metadataReads: 3,
    days: [{ downloads: 4 }, { downloads: 5 }, { day: today, downloads: 2, metadataReads: 3 }],
  });
  expect(await forgetUseDays(catalog, { days: 90, limit: 10 })).toBe(1);
  expect((await readScriptUsage(catalog, range)).days).toHaveLength(2);
  const never = await readScriptUsage(catalog, { ...range, scriptId: randomUUID() });
  expect(never).toEqual({ downloads: 0, metadataReads: 0, lastUsedAt: undefined, days: [] });
});
