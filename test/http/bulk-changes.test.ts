import {
  advanceBulkChange,
  type Catalog,
  expireIdempotencyKeys,
  previewBulkChange,
  startBulkChange,
  tidyBulkChanges,
} from "@sluice/catalog";
import { bulkChangeRequest } from "@sluice/contracts";
import type {
  AuditList,
  BulkChange,
  BulkChangeFailures,
  BulkChangeList,
  BulkChangePreview,
  MetadataHistory,
  Problem,
  ScriptDetails,
  UploadedScript,
} from "@sluice/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";

let ingest: Ingest;
let count = 0;
beforeAll(async () => {
  ingest = await startIngest();
});
afterAll(() => ingest.stop());

const PATH = "/api/v1/metadata/changes";
const JSON_TYPE = { "Content-Type": "application/json" };

/** Scripts in a namespace of their own. */
async function scripts(how: number): Promise<{ namespace: string; all: UploadedScript[] }> {
  count += 1;
  const namespace = `bulk${count}`;
  const all = await Promise.all(
    Array.from({ length: how }, async (_, n) => {
      const query = `?namespace=${namespace}`;
      return (await upload(ingest, `b${n}.py`, `x = ${n}\n`, { query })).body;
    }),
  );
  return { namespace, all };
}

function post<Body>(
  request: unknown,
  { query = "", headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<Answer<Body>> {
  const body = JSON.stringify(request);
  return call<Body>(ingest, "startBulkChange", PATH + query, {
    body,
    headers: { ...JSON_TYPE, ...headers },
  });
}

async function preview(request: unknown): Promise<{ body: BulkChangePreview; tag: string }> {
  const { status, body, headers } = await post<BulkChangePreview>(request, {
    query: "?dry_run=true",
  });
  expect(status).toBe(200);
  return { body, tag: String(headers.get("etag")) };
}

async function begin(request: unknown): Promise<BulkChange> {
  const { tag } = await preview(request);
  const { status, body, headers } = await post<BulkChange>(request, {
    headers: { "If-Match": tag },
  });
  expect(status).toBe(202);
  expect(headers.get("location")).toBe(body.status_url);
  return body;
}

async function patch({ script_id }: UploadedScript, change: unknown): Promise<void> {
  await call(ingest, "patchMetadata", `/api/v1/scripts/${script_id}/metadata`, {
    body: JSON.stringify(change),
    headers: { ...JSON_TYPE, "If-Match": "*" },
  });
}

async function details({ script_id }: UploadedScript): Promise<ScriptDetails> {
  return (await call<ScriptDetails>(ingest, "readScript", `/api/v1/scripts/${script_id}`)).body;
}

async function read({ status_url }: BulkChange): Promise<BulkChange> {
  return (await call<BulkChange>(ingest, "readBulkChange", status_url)).body;
}

async function run(catalog: Catalog = ingest.catalog, step = 3): Promise<void> {
  while ((await advanceBulkChange(catalog, step)) > 0);
}

describe("a change of many scripts", () => {
  it("is tried first, and then made to what was previewed, with each script's history", async () => {
    const { namespace, all } = await scripts(5);
    const [had, full] = all as [UploadedScript, UploadedScript];
    await patch(had, { owner: "zoe", tags: ["new"] });
    await patch(full, { tags: Array.from({ length: 50 }, (_, n) => `t${n}`) });
    const request = {
      filter: { namespace },
      patch: { owner: "zoe" },
      add_tags: ["new"],
      remove_tags: ["old"],
    };
    const { body } = await preview(request);
    expect(body).toMatchObject({
      selected: 5,
      examined: 5,
      would_change: 3,
      unchanged: 1,
      would_fail: 1,
    });
    expect(body.sample[0]).toMatchObject({
      script_id: full.script_id,
      failure: "/tags must have at most 50 entries",
    });
    expect(body.sample[1]?.changes).toEqual([
      { field: "/tags", from: [], to: ["new"] },
      { field: "/owner", from: null, to: "zoe" },
    ]);
    expect((await details(all[2] as UploadedScript)).revision).toBe(1);

    const change = await begin(request);
    expect(change).toMatchObject({ state: "running", selected: 5, left: 5 });
    await run();
    expect(await read(change)).toMatchObject({
      state: "done",
      changed: 3,
      unchanged: 1,
      failed: 1,
      left: 0,
      request,
    });
    const path = `/api/v1/scripts/${all[2]?.script_id}/metadata/history`;
    const history = await call<MetadataHistory>(ingest, "listMetadataHistory", path);
    expect(history.body.items).toMatchObject([
      {
        revision: 2,
        actor: "local",
        change_id: change.change_id,
        changes: body.sample[1]?.changes,
      },
    ]);
    const failures = await call<BulkChangeFailures>(
      ingest,
      "listBulkChangeFailures",
      `${change.status_url}/failures`,
    );
    expect(failures.body.items).toEqual([
      {
        script_id: full.script_id,
        reason: "invalid",
        message: "/tags must have at most 50 entries",
      },
    ]);
    const audit = await call<AuditList>(
      ingest,
      "listAudit",
      "/api/v1/audit?action=metadata.bulk_started",
    );
    expect(audit.body.items[0]?.details).toMatchObject({
      change_id: change.change_id,
      selected: 5,
    });
    const list = await call<BulkChangeList>(ingest, "listBulkChanges", `${PATH}?limit=1`);
    expect(list.body.items.map(({ change_id }) => change_id)).toEqual([change.change_id]);
  });

  it("is made by two janitors once, and goes on after one was killed", async () => {
    const { namespace, all } = await scripts(40);
    const change = await begin({ filter: { namespace }, patch: { labels: { a: "1" } } });
    const dying: Catalog = {
      ...ingest.catalog,
      transaction: (work) =>
        ingest.catalog.transaction(async (tx) => {
          await work(tx);
          throw new Error("killed");
        }),
    };
    await advanceBulkChange(ingest.catalog, 3);
    await expect(advanceBulkChange(dying, 3)).rejects.toThrow("killed");
    expect(await read(change)).toMatchObject({ changed: 3, left: 37 });
    while ((await read(change)).state === "running") await Promise.all([run(), run()]);
    expect(await read(change)).toMatchObject({ state: "done", changed: 40, failed: 0 });
    for (const each of all) {
      expect(await details(each)).toMatchObject({ revision: 2, labels: { a: "1" } });
    }
  });

  it("leaves alone what was changed or deleted since it began", async () => {
    const { namespace, all } = await scripts(3);
    const [edited, deleted, other] = all as [UploadedScript, UploadedScript, UploadedScript];
    const change = await begin({ filter: { namespace }, patch: { title: "all" } });
    await patch(edited, { title: "mine" });
    const path = `/api/v1/scripts/${deleted.script_id}?confirm=${deleted.script_id}`;
    await call(ingest, "deleteScript", path);
    await run();
    expect(await read(change)).toMatchObject({ state: "done", changed: 1, failed: 2 });
    expect([(await details(edited)).title, (await details(other)).title]).toEqual(["mine", "all"]);
    const failures: string[] = [];
    let cursor = "";
    do {
      const { body } = await call<BulkChangeFailures>(
        ingest,
        "listBulkChangeFailures",
        `${change.status_url}/failures?limit=1${cursor}`,
      );
      failures.push(...body.items.map(({ script_id, reason }) => `${script_id} ${reason}`));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(failures).toEqual(
      [`${edited.script_id} changed_meanwhile`, `${deleted.script_id} deleted`].toSorted(),
    );
  });

  it("passes over scripts that somebody is writing to, and comes back to them", async () => {
    const { namespace, all } = await scripts(2);
    const change = await begin({ filter: { namespace }, patch: { title: "all" } });
    await ingest.catalog.transaction(async (tx) => {
      await tx.query("select from scripts where id = $1 for update", [all[0]?.script_id]);
      await run();
      expect(await read(change)).toMatchObject({ state: "running", changed: 1, left: 1 });
    });
    await run();
    expect(await read(change)).toMatchObject({ state: "done", changed: 2 });
  });

  it("begins page by page and all the same at once, or not at all where a script has changed", async () => {
    const { namespace, all } = await scripts(205);
    const request = bulkChangeRequest.parse({ filter: { namespace }, patch: { title: "paged" } });
    const { selection } = await previewBulkChange(ingest.catalog, request, 1);
    const start = (catalog: Catalog) =>
      startBulkChange(catalog, {
        request,
        selection,
        actor: "local",
        idempotency: undefined,
        page: 30,
      });
    const last = all
      .map(({ script_id }) => script_id)
      .toSorted()
      .at(-1);
    let pages = 0;
    const meanwhile: Catalog = {
      ...ingest.catalog,
      transaction: (work) =>
        ingest.catalog.transaction((tx) =>
          work({
            async query(config, values) {
              // Somebody else's change, between two pages, of a script of the last one.
              if (JSON.stringify(config).includes("with chosen") && ++pages === 2) {
                await ingest.catalog.query(
                  "update scripts set revision = revision + 1 where id = $1",
                  [last],
                );
              }
              return tx.query(config, values);
            },
          }),
        ),
    };
    const change = await start(meanwhile);
    expect(pages).toBeGreaterThan(6);
    expect(change).toMatchObject({ selected: 205, state: "running" });
    const { rows } = await ingest.catalog.query<{ count: number }>(
      `select count(distinct script_id)::int as count from bulk_change_chunks, unnest(script_ids) script_id
       where change_id = $1`,
      [change?.changeId],
    );
    expect(rows).toEqual([{ count: 205 }]);
    await run(ingest.catalog, 100);
    const path = `${PATH}/${change?.changeId}`;
    const { body } = await call<BulkChange>(ingest, "readBulkChange", path);
    expect(body).toMatchObject({ state: "done", changed: 204, failed: 1 });
    const failures = await call<BulkChangeFailures>(
      ingest,
      "listBulkChangeFailures",
      `${path}/failures`,
    );
    expect(failures.body.items).toMatchObject([{ script_id: last, reason: "changed_meanwhile" }]);

    expect(await start(ingest.catalog)).toBeUndefined();
    const left = await ingest.catalog.query("select from bulk_change_chunks");
    expect(left.rows).toEqual([]);
  });

  it("is forgotten long after it ended, and never while a key of a request names it", async () => {
    const { namespace, all } = await scripts(3);
    const request = { filter: { namespace }, patch: { title: "kept" } };
    const { tag } = await preview(request);
    const headers = { "If-Match": tag, "Idempotency-Key": `tidy-${namespace}` };
    const { body: ended } = await post<BulkChange>(request, { headers });
    await patch(all[0] as UploadedScript, { title: "mine" });
    await run();
    const cancelled = await begin({ filter: { namespace }, patch: { owner: "nobody" } });
    await call(ingest, "cancelBulkChange", `${cancelled.status_url}/cancel`);
    const running = await begin({ filter: { namespace }, patch: { owner: "somebody" } });

    const tidy = async (endedBefore: Date): Promise<void> => {
      while ((await tidyBulkChanges(ingest.catalog, { endedBefore, limit: 1 })) > 0);
    };
    const count = async (table: string, { change_id }: BulkChange): Promise<number> =>
      (await ingest.catalog.query(`select from ${table} where change_id = $1`, [change_id])).rows
        .length;
    await tidy(new Date(Date.now() - 90 * 24 * 3_600_000));
    expect((await read(ended)).state).toBe("done");
    expect((await read(cancelled)).left).toBe(3);
    expect(await count("bulk_change_chunks", cancelled)).toBe(0);
    expect(await count("bulk_change_chunks", running)).toBe(1);

    await ingest.catalog.query(
      `update bulk_changes set finished_at = finished_at - interval '91 days',
         created_at = created_at - interval '91 days' where state <> 'running'`,
    );
    await ingest.catalog.query(
      "update idempotency_keys set created_at = created_at - interval '91 days'",
    );
    await expireIdempotencyKeys(ingest.catalog, new Date(Date.now() - 24 * 3_600_000));
    await tidy(new Date(Date.now() - 90 * 24 * 3_600_000));
    expect((await read(running)).state).toBe("running");
    for (const each of [ended, cancelled]) {
      const { status } = await call<Problem>(ingest, "readBulkChange", each.status_url);
      expect(status).toBe(404);
      expect(await count("bulk_change_failures", each)).toBe(0);
    }
    // As new: the dry run is long outdated.
    const again = await post<Problem>(request, { headers });
    expect([again.status, again.body.code]).toEqual([412, "preview_outdated"]);
    const path = `/api/v1/scripts/${all[1]?.script_id}/metadata/history`;
    const history = await call<MetadataHistory>(ingest, "listMetadataHistory", path);
    expect(history.body.items).toMatchObject([{ change_id: ended.change_id }]);
    await run();
  });

  it("ends where it is when it is cancelled", async () => {
    const { namespace } = await scripts(4);
    const change = await begin({ filter: { namespace }, patch: { pinned: true } });
    await advanceBulkChange(ingest.catalog, 1);
    const cancel = () =>
      call<BulkChange & Problem>(ingest, "cancelBulkChange", `${change.status_url}/cancel`);
    expect((await cancel()).body).toMatchObject({ state: "cancelled", changed: 1, left: 3 });
    expect((await cancel()).status).toBe(200);
    await run();
    expect(await read(change)).toMatchObject({
      state: "cancelled",
      changed: 1,
      cancelled_by: "local",
    });
    const over = await begin({ filter: { namespace }, patch: { pinned: true } });
    await run();
    const path = `${over.status_url}/cancel`;
    const late = await call<Problem>(ingest, "cancelBulkChange", path);
    expect([late.status, late.body.code]).toEqual([409, "change_over"]);
  });

  it("begins once for each key, and only with a dry run that still holds", async () => {
    const { namespace, all } = await scripts(2);
    const request = { filter: { namespace }, patch: { owner: "k" } };
    const none = await post<Problem>(request);
    expect([none.status, none.body.code]).toEqual([428, "if_match_required"]);
    const { tag } = await preview(request);
    const outdated = async (sent: unknown, ifMatch: string): Promise<void> => {
      const { status, body } = await post<Problem>(sent, { headers: { "If-Match": ifMatch } });
      expect([status, body.code]).toEqual([412, "preview_outdated"]);
    };
    await outdated({ ...request, patch: { owner: "other" } }, tag);
    await outdated(request, tag.replace(/;2;/, ";3;"));
    await outdated(request, tag.replace(/^"\d{4}-\d\d/, '"2026-99'));
    await outdated(request, "*");
    await patch(all[0] as UploadedScript, { title: "meanwhile" });
    await outdated(request, tag);
    const fresh = (await preview(request)).tag;
    // What comes after the dry run is none of it.
    await upload(ingest, "late.py", "late = 1\n", { query: `?namespace=${namespace}` });
    const headers = { "If-Match": fresh, "Idempotency-Key": `bulk-${namespace}` };
    const first = await post<BulkChange>(request, { headers });
    const again = await post<BulkChange>(request, { headers });
    expect([first.status, again.status, first.body.selected]).toEqual([202, 202, 2]);
    expect(again.body.change_id).toBe(first.body.change_id);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    await run();
  });

  it.each([
    [{ filter: {}, patch: { title: "x" } }, "/filter", "must have a criterion"],
    [{ filter: { all: false }, patch: { title: "x" } }, "/filter/all", "must be true"],
    [
      { filter: { colour: "red" }, patch: { title: "x" } },
      "/filter/colour",
      "is no criterion; all,",
    ],
    [{ filter: { batch: "x" }, patch: { title: "x" } }, "/filter/batch", "must be a UUID"],
    [{ filter: { state: ["done"] }, patch: { title: "x" } }, "/filter/state/0", "one of queued"],
    [{ filter: { tags: [] }, patch: { title: "x" } }, "/filter/tags", "must not be empty"],
    [{ filter: { all: true }, set: { title: "x" } }, "/set", "is no part of a change; filter,"],
    [{ filter: { all: true } }, "/patch", "must change something"],
    [{ filter: { all: true }, patch: { functions: [] } }, "/patch/functions", "is read-only"],
    [
      { filter: { all: true }, patch: { colour: "x" } },
      "/patch/colour",
      "is not a field that can be written",
    ],
    [{ filter: { all: true }, patch: { tags: [] }, add_tags: ["a"] }, "/patch/tags", "together"],
    [{ filter: { all: true }, add_tags: ["a"], remove_tags: ["a"] }, "/remove_tags", "to be added"],
    [{ filter: { all: true }, add_tags: ["x".repeat(65)] }, "/add_tags/0", "at most 64"],
    [{ filter: { since: "yesterday" }, patch: { title: "x" } }, "/filter/since", "must be"],
    [{ patch: { title: "x" } }, "/filter", "must be there"],
  ])("is refused as %j", async (request, name, message) => {
    const { status, body } = await post<Problem>(request, { query: "?dry_run=true" });
    expect([status, body.code]).toEqual([400, "invalid_body"]);
    const error = body.errors?.find((each) => each.name === name);
    expect(error?.message).toContain(message);
  });

  it("is looked for in vain where there is none", async () => {
    const path = `${PATH}/00000000-0000-7000-8000-000000000000`;
    for (const [id, at] of [
      ["readBulkChange", path],
      ["listBulkChangeFailures", `${path}/failures`],
      ["cancelBulkChange", `${path}/cancel`],
    ] as const) {
      const { status, body } = await call<Problem>(ingest, id, at);
      expect([status, body.code]).toEqual([404, "change_not_found"]);
    }
  });
});
