import { randomUUID } from "node:crypto";
import { moveVersionsToTrash, placeLegalHold, purgeStep } from "@sluice/catalog";
import type {
  Problem,
  ScriptRetention,
  TrashList,
  UploadedScript,
  VersionDetails,
  VersionList,
} from "@sluice/contracts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../servers/index.js";
import { call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";

const DAY_MS = 86_400_000;

describeWith(["postgres"], "the trash", () => {
  let ingest: Ingest;
  beforeAll(async () => {
    ingest = await startIngest({ env: { TRASH_DAYS: "3" } });
  });
  afterAll(() => ingest.stop());

  const script = async (name: string, text: string, namespace = "default") => {
    const query = `?namespace=${namespace}`;
    return (await upload(ingest, name, text, { query })).body;
  };
  const remove = (id: string, query = "") =>
    call<Problem>(ingest, "deleteScript", `/api/v1/scripts/${id}?confirm=${id}${query}`);
  const list = <Body = TrashList>(query = "") =>
    call<Body>(ingest, "listTrash", `/api/v1/trash${query}`);
  const undelete = <Body = Problem>(id: string) =>
    call<Body>(ingest, "undeleteScript", `/api/v1/scripts/${id}/undelete`);
  const undeleteVersion = <Body = Problem>(id: string, version: number | string) =>
    call<Body>(ingest, "undeleteVersion", `/api/v1/scripts/${id}/versions/${version}/undelete`);
  /** Lets versions be over, as when they are through the pipeline. */
  const finish = ({ script_id: id }: UploadedScript) =>
    ingest.catalog.query("update versions set state = 'ready' where script_id = $1", [id]);
  const purge = async (id: string, scriptId = id) => {
    await ingest.catalog.query("update trash set purge_at = now() where id = $1", [id]);
    const item = { id, scriptId };
    const step = await purgeStep(ingest.catalog, { item, limit: 100, manifestKey: () => "none" });
    expect(step.kind).toBe("purged");
  };

  it("says who deleted what and why, and until when it comes back, page by page", async () => {
    const first = await script("first.py", "a = 1\n", "team/a");
    await script("first.py", "a = 22\n", "team/a");
    const second = await script("second.py", "b = 1\n");
    await remove(first.script_id, "&reason=superseded%20by%20second.py");
    await remove(second.script_id);
    await placeLegalHold(ingest.catalog, {
      scriptId: second.script_id,
      reason: "case",
      actor: "bob",
    });

    const page = await list("?limit=1");
    expect(page.body.items).toMatchObject([
      { script_id: second.script_id, legal_hold: true, reason: null, restorable: true },
    ]);
    const rest = await list(`?limit=1&cursor=${page.body.next_cursor}`);
    expect(rest.body).toEqual({
      items: [
        {
          script_id: first.script_id,
          version: null,
          namespace: "team/a",
          filename: "first.py",
          deleted_at: expect.any(String) as string,
          deleted_by: "local",
          reason: "superseded by second.py",
          rule: null,
          policy_id: null,
          purge_at: expect.any(String) as string,
          legal_hold: false,
          restorable: true,
          versions: 2,
          bytes: 13,
        },
      ],
      next_cursor: null,
    });
    const [item] = rest.body.items;
    const [deletedAt, purgeAt] = [item?.deleted_at, item?.purge_at].map((at) =>
      Date.parse(at ?? ""),
    );
    expect((purgeAt ?? 0) - (deletedAt ?? 0)).toBe(3 * DAY_MS);
    const path = `/api/v1/scripts/${first.script_id}/retention`;
    const why = await call<ScriptRetention>(ingest, "readScriptRetention", path);
    expect(why.body).toMatchObject({
      standing: "in_trash",
      purge_at: item?.purge_at,
      history: [{ action: "script.deleted", actor: "local", reason: "superseded by second.py" }],
    });

    for (const [query, ids] of [
      ["?namespace=team/a", [first.script_id]],
      ["?filename=second.py", [second.script_id]],
      [`?script_id=${first.script_id}`, [first.script_id]],
      ["?filename=none.py", []],
    ] as const)
      expect((await list(query)).body.items.map(({ script_id: id }) => id)).toEqual(ids);
    expect((await undelete(first.script_id)).status).toBe(200);
    expect((await list("?namespace=team/a")).body.items).toEqual([]);
  });

  it("refuses what it does not know: cursors of other lists, filters, reasons without words", async () => {
    const [one, two] = [await script("c1.py", "c = 1\n"), await script("c2.py", "c = 2\n")];
    for (const { script_id: id } of [one, two]) await remove(id);
    const { next_cursor: cursor } = (await list("?limit=1")).body;
    for (const [query, code] of [
      [`?cursor=${cursor}&namespace=default`, "invalid_cursor"],
      ["?cursor=nonsense", "invalid_cursor"],
      ["?owner=x", "invalid_query"],
      ["?script_id=1", "invalid_query"],
      ["?limit=0", "invalid_query"],
    ] as const) {
      const { status, body } = await list<Problem>(query);
      expect([status, body.code]).toEqual([400, code]);
    }
    const three = await script("c3.py", "c = 3\n");
    for (const reason of ["&reason=", `&reason=${"x".repeat(2_001)}`, "&reason=a%0Ab"])
      expect((await remove(three.script_id, reason)).body.code).toBe("invalid_query");
  });

  it("gives nothing back of what was purged, and says so", async () => {
    const gone = await script("gone.py", "gone = 1\n");
    await finish(gone);
    await remove(gone.script_id);
    await purge(gone.script_id);
    const { status, body } = await undelete(gone.script_id);
    expect([status, body.code]).toEqual([410, "purged"]);
    expect(body.detail).toContain("/retention");
    expect((await undelete(randomUUID())).status).toBe(404);
    expect((await list(`?script_id=${gone.script_id}`)).body.items).toEqual([]);
  });

  it("gives versions back that a rule has deleted", async () => {
    const { script_id: id } = await script("versions.py", "v = 1\n");
    await script("versions.py", "v = 2\n");
    const newest = await script("versions.py", "v = 3\n");
    await finish(newest);
    const { rows } = await ingest.catalog.query<{ id: string }>(
      "select id from versions where script_id = $1 order by number",
      [id],
    );
    const rule = { rule: "many", policy_id: 1, policy_version: "1+x" };
    await ingest.catalog.transaction((tx) =>
      moveVersionsToTrash(
        tx,
        rows.map((row) => ({ scriptId: id, versionId: row.id, rule })),
        { actor: "retention", trashMs: DAY_MS },
      ),
    );
    const versions = async () =>
      (
        await call<VersionList>(ingest, "listVersions", `/api/v1/scripts/${id}/versions`)
      ).body.items.map(({ version }) => version);
    expect(await versions()).toEqual([3]);
    const content = `/api/v1/scripts/${id}/content?version=1`;
    expect((await call(ingest, "readContent", content)).status).toBe(404);
    const why = await call<ScriptRetention>(
      ingest,
      "readScriptRetention",
      `/api/v1/scripts/${id}/retention?version=1`,
    );
    expect(why.body).toMatchObject({
      standing: "stored",
      purge_at: null,
      deleted_versions: [{ version: 2 }, { version: 1 }].map((each) =>
        expect.objectContaining(each),
      ),
      history: [{ action: "version.deleted", version: 1, rule: "many" }],
    });
    const back = await undeleteVersion<VersionDetails>(id, 1);
    expect([back.status, back.body.version]).toEqual([200, 1]);
    expect((await call(ingest, "readContent", content)).body).toBe("v = 1\n");
    expect(await versions()).toEqual([3, 1]);
    expect((await undeleteVersion(id, 1)).status).toBe(200);

    await purge(rows[1]?.id ?? "", id);
    for (const [version, status, code] of [
      [2, 410, "purged"],
      [9, 404, "version_not_found"],
      ["x", 400, "invalid_id"],
    ] as const) {
      const { status: is, body } = await undeleteVersion(id, version);
      expect([is, body.code]).toEqual([status, code]);
    }
    const other = await undeleteVersion(randomUUID(), 1);
    expect([other.status, other.body.code]).toEqual([404, "script_not_found"]);
    await remove(id);
    expect((await undeleteVersion(id, 3)).body.code).toBe("script_not_found");
  });
});
