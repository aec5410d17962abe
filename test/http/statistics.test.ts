import { addStatisticChanges, recordUse } from "@sluice/catalog";
import type {
  DailyStatistics,
  NamespaceStatistics,
  Problem,
  ScriptUsageAnswer,
  StatisticsAnswer,
} from "@sluice/contracts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../servers/index.js";
import { call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";

const UNKNOWN = "01a2094b-5a3c-761f-a6e9-09ad8dfdcae2";
const CSV = { headers: { Accept: "text/csv" } };

describeWith(["postgres"], "statistics", () => {
  let ingest: Ingest;
  let scriptId: string;
  const today = new Date().toISOString().slice(0, 10);
  const read = <Body = StatisticsAnswer>(query = "", init: RequestInit = {}) =>
    call<Body>(ingest, "readStatistics", `/api/v1/stats${query}`, init);
  const days = <Body = DailyStatistics>(query = "", init: RequestInit = {}) =>
    call<Body>(ingest, "listDailyStatistics", `/api/v1/stats/days${query}`, init);
  const namespaces = <Body = NamespaceStatistics>(query = "", init: RequestInit = {}) =>
    call<Body>(ingest, "listNamespaceStatistics", `/api/v1/stats/namespaces${query}`, init);
  const usage = <Body = ScriptUsageAnswer>(id: string, query = "", init: RequestInit = {}) =>
    call<Body>(ingest, "readScriptUsage", `/api/v1/scripts/${id}/usage${query}`, init);

  beforeAll(async () => {
    ingest = await startIngest({ env: { USE_DAYS: "40" } });
    const first = await upload(ingest, "a.py", "print(1)\n");
    scriptId = first.body.script_id;
    await upload(ingest, "b.py", "print(22)\n", { query: "?namespace=%3Dformula" });
    await recordUse(ingest.catalog, [{ scriptId, downloads: 2, metadataReads: 1 }]);
    await addStatisticChanges(ingest.catalog, 100);
  });
  afterAll(() => ingest.stop());

  it("tell what there is, of everything, of days and of a namespace", async () => {
    const { body } = await read();
    expect(body).toMatchObject({
      from: null,
      to: null,
      namespace: null,
      scripts: { live: 2, deleted: 0 },
      uploads: { count: 2, bytes: 19 },
      versions: { count: 2, bytes: 19, by_state: { queued: { count: 2, bytes: 19 } } },
      storage: {
        uploaded_bytes: 19,
        waiting_bytes: 19,
        unique_bytes: 0,
        stored_bytes: 0,
        dedup_saved_bytes: 0,
      },
      failures: [],
      use: { downloads: 2, metadata_reads: 1 },
    });
    expect(body.stages?.map(({ stage, done, work }) => [stage, done, work])).toContainEqual([
      "validate",
      0,
      null,
    ]);
    expect((await read(`?from=${today}`)).body).toMatchObject({
      from: today,
      to: today,
      uploads: { count: 2 },
    });
    expect((await read("?from=2020-01-01&to=2020-12-31")).body.uploads.count).toBe(0);
    expect((await read("?namespace=default")).body).toMatchObject({
      namespace: "default",
      uploads: { count: 1, bytes: 9 },
      storage: null,
      stages: null,
    });
    expect((await read("?namespace=nobody")).body.scripts.live).toBe(0);
  });

  it("are given by day, each of them", async () => {
    const { body } = await days();
    expect(body.items).toHaveLength(30);
    expect(body.items.at(-1)).toMatchObject({
      day: today,
      scripts: 2,
      uploads: 2,
      uploaded_bytes: 19,
      states: { queued: 2, ready: 0 },
      downloads: 2,
    });
    const old = await days("?from=2024-02-28&to=2024-03-01&namespace=default");
    expect(
      old.body.items.map(({ day, uploads, stored_bytes }) => [day, uploads, stored_bytes]),
    ).toEqual([
      ["2024-02-28", 0, null],
      ["2024-02-29", 0, null],
      ["2024-03-01", 0, null],
    ]);
  });

  it("are given by namespace, page by page", async () => {
    const first = await namespaces("?limit=1");
    expect(first.body.items).toMatchObject([{ namespace: "=formula", scripts: 1 }]);
    const second = await namespaces(`?limit=1&cursor=${first.body.next_cursor}`);
    expect(second.body).toMatchObject({
      items: [{ namespace: "default", uploads: 1 }],
      next_cursor: null,
    });
    const other = await namespaces<Problem>(`?from=${today}&cursor=${first.body.next_cursor}`);
    expect([other.status, other.body.code]).toEqual([400, "invalid_cursor"]);
  });

  it("are tables as well, whose cells no spreadsheet takes for a formula", async () => {
    const all = await read<string>("", CSV);
    expect(all.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    expect(all.body).toMatch(/^measure,value\r\nscripts.live,2\r\n/);
    expect(all.body).toContain("\r\nversions.by_state.queued.bytes,19\r\n");

    const table = await days<string>(`?from=${today}`, CSV);
    expect(table.body.split("\r\n")).toEqual([
      "day,scripts,deleted_scripts,uploads,uploaded_bytes,queued,processing,ready,needs_approval,rejected,failed," +
        "given_up,downloads,metadata_reads,unique_bytes,stored_bytes",
      `${today},2,0,2,19,2,0,0,0,0,0,0,2,1,0,0`,
      "",
    ]);

    const names = await namespaces<string>("?limit=1", CSV);
    expect(names.body.split("\r\n")[1]).toMatch(/^'=formula,1,/);
    const link = /^<(\?.*)>; rel="next"$/.exec(names.headers.get("link") ?? "")?.[1];
    expect((await namespaces<string>(link, CSV)).body.split("\r\n")[1]).toMatch(/^default,1,/);

    const refused = await read<Problem>("", { headers: { Accept: "image/png" } });
    expect([refused.status, refused.body.code]).toEqual([406, "not_acceptable"]);
  });

  it("of one script tell its use by day, and what is not known any more", async () => {
    const { body } = await usage(scriptId);
    expect(body).toMatchObject({ downloads: 2, metadata_reads: 1, days_kept: 40, to: today });
    expect(body.last_used_at).not.toBeNull();
    expect(body.days).toHaveLength(30);
    expect(body.days.at(-1)).toEqual({ day: today, downloads: 2, metadata_reads: 1 });
    expect(body.days[0]).toMatchObject({ downloads: 0 });

    const long = await usage(scriptId, "?from=2020-01-01&to=2020-01-02");
    expect(long.body.days).toEqual([
      { day: "2020-01-01", downloads: null, metadata_reads: null },
      { day: "2020-01-02", downloads: null, metadata_reads: null },
    ]);
    const table = await usage<string>(scriptId, "?from=2020-01-01&to=2020-01-01", CSV);
    expect(table.body).toBe("day,downloads,metadata_reads\r\n2020-01-01,,\r\n");

    const none = await usage<Problem>(UNKNOWN);
    expect([none.status, none.body.code]).toEqual([404, "script_not_found"]);
  });

  it("of wrong days are refused, and told why", async () => {
    for (const [query, message] of [
      ["from=yesterday", "must be a date, such as 2026-11-23"],
      ["from=2026-02-30", "must be a date, such as 2026-11-23"],
      ["to=2026-01-01", "must be there where `to` is"],
      ["from=2026-01-02&to=2026-01-01", "must not be after `to`, or after today"],
      ["from=2999-01-01", "must not be after `to`, or after today"],
      ["from=2024-01-01&to=2025-01-01", "must be 365 days before `to` at most"],
      ["since=2026-01-01", expect.any(String)],
    ] as const) {
      for (const answer of [
        await read<Problem>(`?${query}`),
        await days<Problem>(`?${query}`),
        await namespaces<Problem>(`?${query}`),
        await usage<Problem>(scriptId, `?${query}`),
      ]) {
        expect([answer.status, answer.body.code], query).toEqual([400, "invalid_query"]);
        expect(answer.body.errors?.map((error) => error.message)).toEqual([message]);
      }
    }
  });
});
