import { randomUUID } from "node:crypto";
import { readPolicyId } from "@sluice/catalog";
import type {
  AuditList,
  Problem,
  ScriptDetails,
  ScriptList,
  ScriptVersion,
  UploadedScript,
  VersionList,
} from "@sluice/contracts";
import type { BlobPlace } from "@sluice/object-store";
import { afterAll, beforeAll, expect, it } from "vitest";
import { done, work } from "../catalog/fixture.js";
import { describeWith } from "../servers/index.js";
import { call, upload } from "./client.js";
import { type Ingest, remains, startIngest } from "./ingest.js";
import { ALL_STAGES, pass } from "./stages.js";

describeWith(["postgres"], "scripts", () => {
  let ingest: Ingest;

  beforeAll(async () => {
    ingest = await startIngest();
  });
  afterAll(() => ingest.stop());

  let count = 0;
  async function script(text?: string, name?: string): Promise<UploadedScript> {
    count += 1;
    const { body } = await upload(ingest, name ?? `s${count}.py`, text ?? `x = ${count}\n`);
    return body;
  }
  const at = ({ script_id }: UploadedScript, rest = ""): string =>
    `/api/v1/scripts/${script_id}${rest}`;

  it("are shown in detail", async () => {
    const uploaded = await script();
    const { status, body, headers } = await call<ScriptDetails>(ingest, "readScript", at(uploaded));
    expect(status).toBe(200);
    const { script_id, filename, size, upload_time, version, sha256, storage_path, state } =
      uploaded;
    expect(body).toMatchObject({
      script_id,
      filename,
      size,
      upload_time,
      version,
      sha256,
      storage_path,
      state,
      namespace: "default",
      verdict: null,
      tags: [],
      created_at: upload_time,
      finished_at: null,
    });
    const known = await call(ingest, "readScript", at(uploaded), {
      headers: { "If-None-Match": headers.get("etag") as string },
    });
    expect([known.status, known.body]).toEqual([304, ""]);
    const upper = await call<ScriptDetails>(
      ingest,
      "readScript",
      `/api/v1/scripts/${script_id.toUpperCase()}`,
    );
    expect(upper.body).toEqual(body);
  });

  it.each([
    ["readScript", ""],
    ["readContent", "/content"],
    ["readStatus", "/status"],
    ["readStatus", "/status?wait=1"],
    ["retryScript", "/retry"],
    ["readMetadata", "/metadata"],
    ["readReport", "/report"],
    ["listVersions", "/versions"],
    ["readVersion", "/versions/1"],
    ["readVersionStatus", "/versions/1/status"],
    ["restoreVersion", "/versions/1/restore"],
    ["deleteScript", "?confirm=yes"],
    ["undeleteScript", "/undelete"],
  ] as const)("that do not exist are not found: %s %s", async (id, rest) => {
    const { status, body } = await call<Problem>(
      ingest,
      id,
      `/api/v1/scripts/${randomUUID()}${rest}`,
    );
    expect([status, body.code]).toEqual([404, "script_not_found"]);
  });

  it.each([
    ["readContent", "/content?version=7"],
    ["readStatus", "/status?version=7"],
    ["retryScript", "/retry?version=7"],
    ["readMetadata", "/metadata?version=7"],
    ["readReport", "/report?version=7"],
    ["readVersion", "/versions/7"],
    ["readVersionStatus", "/versions/7/status"],
    ["restoreVersion", "/versions/7/restore"],
  ] as const)("whose version does not exist say so: %s %s", async (id, rest) => {
    const { status, body } = await call<Problem>(ingest, id, at(await script(), rest));
    expect([status, body.code]).toEqual([404, "version_not_found"]);
    expect(body.detail).toContain("newest is 1");
  });

  it.each([
    ["readScript", "/api/v1/scripts/1", "invalid_id"],
    ["readScript", `/api/v1/scripts/${randomUUID()}x`, "invalid_id"],
    ["readScript", "/api/v1/scripts/%00", "invalid_id"],
    ["readScript", `/api/v1/scripts/${randomUUID()}?x=1`, "invalid_query"],
    ["readVersion", `/api/v1/scripts/${randomUUID()}/versions/0`, "invalid_id"],
    ["readVersion", `/api/v1/scripts/${randomUUID()}/versions/-1`, "invalid_id"],
    ["readVersion", `/api/v1/scripts/${randomUUID()}/versions/2147483648`, "invalid_id"],
    ["readVersion", `/api/v1/scripts/${randomUUID()}/versions/1.5`, "invalid_id"],
    ["readVersion", `/api/v1/scripts/${randomUUID()}/versions/latest`, "invalid_id"],
    ["readContent", `/api/v1/scripts/${randomUUID()}/content?version=`, "invalid_query"],
    ["readContent", `/api/v1/scripts/${randomUUID()}/content?version=0x1`, "invalid_query"],
    ["readStatus", `/api/v1/scripts/${randomUUID()}/status?wait=61`, "invalid_query"],
    ["readStatus", `/api/v1/scripts/${randomUUID()}/status?wait=-1`, "invalid_query"],
    ["readMetadata", `/api/v1/scripts/${randomUUID()}/metadata?profile=openai`, "invalid_query"],
    ["listScripts", "/api/v1/scripts?limit=0", "invalid_query"],
    ["listScripts", "/api/v1/scripts?limit=201", "invalid_query"],
    ["listScripts", "/api/v1/scripts?limit=ten", "invalid_query"],
    ["listScripts", "/api/v1/scripts?state=done", "invalid_query"],
    ["listScripts", "/api/v1/scripts?state=ready,", "invalid_query"],
    ["listScripts", "/api/v1/scripts?sort=sha256", "invalid_query"],
    ["listScripts", "/api/v1/scripts?since=yesterday", "invalid_query"],
    ["listScripts", "/api/v1/scripts?until=2026-11-23", "invalid_query"],
    ["listScripts", "/api/v1/scripts?batch=1", "invalid_query"],
    ["listScripts", "/api/v1/scripts?name=%00", "invalid_query"],
    ["listScripts", "/api/v1/scripts?name=a&name=b", "invalid_query"],
    ["listScripts", "/api/v1/scripts?name[]=a", "invalid_query"],
    ["listScripts", "/api/v1/scripts?__proto__=a", "invalid_query"],
    ["listScripts", "/api/v1/scripts?cursor=x", "invalid_cursor"],
  ] as const)("are not asked for with nonsense: %s %s is %s", async (id, path, code) => {
    const { status, body } = await call<Problem>(ingest, id, path);
    expect([status, body.code]).toEqual([400, code]);
    if (code !== "invalid_cursor") expect(body.errors).toHaveLength(1);
  });

  it("are listed page by page, each once, in any order", async () => {
    const own = await startIngest();
    try {
      const names = ["b.py", "a.py", "D.py", "c.py", "e%_.py"];
      for (const [index, name] of names.entries()) {
        await upload(own, name, "#".repeat(index % 3) + `${index % 3}`, {
          query: "?namespace=list",
        });
      }
      await upload(own, "elsewhere.py", "x");
      const orders: Record<string, (keyof ScriptList["items"][0])[]> = {
        upload_time: ["upload_time"],
        name: ["filename"],
        size: ["size"],
      };
      for (const [sort, [field]] of Object.entries(orders) as [
        string,
        [keyof ScriptList["items"][0]],
      ][]) {
        for (const limit of [1, 2, 5, 200]) {
          const up = await all(own, `namespace=list&sort=${sort}&limit=${limit}`);
          const values = up.map((item) => item[field] as string | number);
          expect(values).toEqual(values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
          expect(up.map(({ filename }) => filename).toSorted()).toEqual(names.toSorted());
          const down = await all(own, `namespace=list&sort=-${sort}&limit=${limit}`);
          expect(down).toEqual(up.toReversed());
        }
      }
      const list = async (query: string): Promise<string[]> =>
        (await all(own, query)).map(({ filename }) => filename).toSorted();
      expect(await list("name=ELSE")).toEqual(["elsewhere.py"]);
      expect(await list("name=%25_")).toEqual(["e%_.py"]);
      expect(await list("name=_.py")).toEqual(["e%_.py"]);
      expect(await list("namespace=default")).toEqual(["elsewhere.py"]);
      expect(await list("state=queued&namespace=default")).toEqual(["elsewhere.py"]);
      expect(await list("state=ready,failed")).toEqual([]);
      expect(await list(`batch=${randomUUID()}`)).toEqual([]);
      expect(await list("since=2999-01-01T00:00:00Z")).toEqual([]);
      expect(await list("until=2000-01-01T00:00:00%2B02:00")).toEqual([]);
      expect(await list("since=2000-01-01T00:00:00Z&until=2999-01-01T00:00:00Z")).toHaveLength(6);
      const [, second] = await all(own, "sort=upload_time");
      expect(await list(`until=${second?.upload_time}`)).toEqual(["b.py"]);
    } finally {
      await own.stop();
    }
  });

  async function all(from: Ingest, query: string): Promise<ScriptList["items"]> {
    const items: ScriptList["items"] = [];
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const { status, body } = await call<ScriptList>(
        from,
        "listScripts",
        `/api/v1/scripts?${query}${next}`,
      );
      expect(status).toBe(200);
      items.push(...body.items);
      cursor = body.next_cursor;
    } while (cursor !== null);
    return items;
  }

  it("are listed on only with the cursor of that list", async () => {
    await script();
    await script();
    const first = await call<ScriptList>(ingest, "listScripts", "/api/v1/scripts?limit=1");
    const cursor = encodeURIComponent(first.body.next_cursor as string);
    for (const query of ["sort=size", "state=ready", "name=a", "since=2000-01-01T00:00:00Z"]) {
      const { status, body } = await call<Problem>(
        ingest,
        "listScripts",
        `/api/v1/scripts?${query}&cursor=${cursor}`,
      );
      expect([status, body.code]).toEqual([400, "invalid_cursor"]);
    }
    const wider = await call<ScriptList>(
      ingest,
      "listScripts",
      `/api/v1/scripts?limit=2&cursor=${cursor}`,
    );
    expect(wider.status).toBe(200);
  });

  it("list their versions, newest first", async () => {
    const first = await script("v = 1\n", "versions.py");
    for (const number of [2, 3]) await script(`v = ${number}\n`, "versions.py");
    const page = await call<VersionList>(ingest, "listVersions", at(first, "/versions?limit=2"));
    expect(page.body.items.map(({ version }) => version)).toEqual([3, 2]);
    const cursor = page.body.next_cursor as string;
    const rest = await call<VersionList>(
      ingest,
      "listVersions",
      at(first, `/versions?limit=2&cursor=${cursor}`),
    );
    expect(rest.body.items.map(({ version }) => version)).toEqual([1]);
    expect(rest.body.next_cursor).toBeNull();
    const other = await script();
    const foreign = await call<Problem>(
      ingest,
      "listVersions",
      at(other, `/versions?cursor=${cursor}`),
    );
    expect(foreign.body.code).toBe("invalid_cursor");
    const one = await call<ScriptVersion>(ingest, "readVersion", at(first, "/versions/1"));
    expect(one.body).toEqual({ ...rest.body.items[0], approval: null });
    expect(one.body).toMatchObject({
      storage_path: first.storage_path,
      original_filename: "versions.py",
    });
  });

  it("get an old version back as a new one", async () => {
    const first = await script("r = 1\n", "restore.py");
    const early = await call<Problem>(ingest, "restoreVersion", at(first, "/versions/1/restore"));
    expect([early.status, early.body.code]).toEqual([409, "not_ready"]);
    await pass(ingest, first, "dedup");
    await script("r = 2\n", "restore.py");

    const headers = { "Idempotency-Key": "restore-1" };
    const path = at(first, "/versions/1/restore");
    const { status, body } = await call<UploadedScript>(ingest, "restoreVersion", path, {
      headers,
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({ script_id: first.script_id, version: 3, sha256: first.sha256 });
    const content = await fetch(`${ingest.url}${at(first, "/content")}`);
    expect(await content.text()).toBe("r = 1\n");
    const version = await call<ScriptVersion>(ingest, "readVersion", at(first, "/versions/3"));
    expect(version.body.restored_from).toBe(1);

    const replayed = await call<UploadedScript>(ingest, "restoreVersion", path, { headers });
    expect([replayed.status, replayed.body.version]).toEqual([202, 3]);
    const again = await call<UploadedScript>(ingest, "restoreVersion", path);
    expect([again.status, again.body.version]).toEqual([200, 3]);
    const other = await call<Problem>(ingest, "restoreVersion", at(first, "/versions/2/restore"), {
      headers,
    });
    expect([other.status, other.body.code]).toEqual([422, "idempotency_key_reused"]);
  });

  it("get a version back from the middle of an archive's object, and one in quarantine into quarantine", async () => {
    const policyId = await readPolicyId(ingest.catalog);
    /** The stage `dedup` as it takes bytes that have a blob already. */
    const dedup = async (restored: UploadedScript, place: BlobPlace): Promise<void> => {
      const { rows } = await ingest.catalog.query<{ id: string }>(
        "select id from versions where script_id = $1 and number = $2",
        [restored.script_id, restored.version],
      );
      const found = { place, analyserVersion: "1", policyVersion: "1", policyId };
      await work(ingest.catalog, "dedup", [rows[0]!.id], done<"dedup">(found));
    };
    const bytes = "restored = 1\n";
    for (const [key, verdict, state, type] of [
      ["archive/x", "allowed", "ready", "text/x-python"],
      ["quarantine/x", "malicious", "rejected", "application/octet-stream"],
    ] as const) {
      const text = `${bytes}# ${verdict}\n`;
      const first = await script(text, `${verdict}.py`);
      for (const stage of verdict === "allowed" ? ALL_STAGES : (["dedup", "validate"] as const))
        await pass(ingest, first, stage, { verdict });
      await script("between = 1\n", `${verdict}.py`);
      const place = { key, offset: 7, length: text.length, encoding: "identity" } as const;
      await ingest.store.put(key, Buffer.from(`before ${text} behind`));
      await ingest.catalog.query(
        `update blobs set key = $2, "offset" = 7, length = $3 where sha256 = $1`,
        [first.sha256, key, text.length],
      );

      const path = at(first, "/versions/1/restore");
      const restored = await call<UploadedScript>(ingest, "restoreVersion", path);
      expect([restored.status, restored.body.version]).toEqual([202, 3]);
      await dedup(restored.body, place);
      const version = await call<ScriptVersion>(ingest, "readVersion", at(first, "/versions/3"));
      expect(version.body).toMatchObject({ state, verdict, restored_from: 1 });
      const content = await fetch(`${ingest.url}${at(first, "/content")}`);
      expect(content.headers.get("content-type")).toContain(type);
      expect(await content.text()).toBe(text);
      const { rows } = await ingest.catalog.query<{ key: string }>(
        "select key from blobs where sha256 = $1",
        [first.sha256],
      );
      expect(rows).toEqual([{ key }]);
    }
  });

  it("get no version back whose bytes are gone", async () => {
    const first = await script("gone = 1\n", "gone.py");
    for (const stage of ["dedup", "validate"] as const) {
      await pass(ingest, first, stage, { verdict: "invalid" });
    }
    await script("gone = 2\n", "gone.py");
    await ingest.catalog.query("update blobs set state = 'deleted' where sha256 = $1", [
      first.sha256,
    ]);
    const path = at(first, "/versions/1/restore");
    const { status, body } = await call<Problem>(ingest, "restoreVersion", path);
    expect([status, body.code]).toEqual([410, "content_gone"]);
  });

  it("are not listed by a parameter that is there twice", async () => {
    const path = "/api/v1/scripts?namespace=a&namespace=b";
    const { status, body } = await call<Problem>(ingest, "listScripts", path);
    expect([status, body.code]).toEqual([400, "invalid_query"]);
    expect(body.detail).toBe("`namespace` must be there once.");
  });

  it("are deleted once that is confirmed, and their name is free", async () => {
    const uploaded = await script("d = 1\n", "delete.py");
    for (const query of ["", "?confirm=", "?confirm=true", `?confirm=${randomUUID()}`]) {
      const { status, body } = await call<Problem>(ingest, "deleteScript", at(uploaded, query));
      expect([status, body.code]).toEqual([428, "confirmation_required"]);
      expect(body.detail).toContain(uploaded.script_id);
    }
    const confirmed = at(uploaded, `?confirm=${uploaded.script_id}`);
    expect((await call(ingest, "deleteScript", confirmed)).status).toBe(204);
    expect((await call(ingest, "deleteScript", confirmed)).status).toBe(404);
    expect((await call(ingest, "readContent", at(uploaded, "/content"))).status).toBe(404);
    const list = await call<ScriptList>(ingest, "listScripts", "/api/v1/scripts?name=delete.py");
    expect(list.body.items).toEqual([]);
    const next = await script("d = 1\n", "delete.py");
    expect(next.script_id).not.toBe(uploaded.script_id);
    expect(next.version).toBe(1);
  });

  it("come back after a deletion, under another name where theirs is taken", async () => {
    const uploaded = await script("u = 1\n", "undelete.py");
    await call(ingest, "deleteScript", at(uploaded, `?confirm=${uploaded.script_id}`));
    const back = await call<ScriptDetails>(ingest, "undeleteScript", at(uploaded, "/undelete"));
    expect([back.status, back.body.filename]).toEqual([200, "undelete.py"]);
    expect((await call(ingest, "undeleteScript", at(uploaded, "/undelete"))).status).toBe(200);
    expect((await call(ingest, "readContent", at(uploaded, "/content"))).body).toBe("u = 1\n");

    await call(ingest, "deleteScript", at(uploaded, `?confirm=${uploaded.script_id}`));
    const other = await script("u = 2\n", "undelete.py");
    const taken = await call<Problem>(ingest, "undeleteScript", at(uploaded, "/undelete"));
    expect([taken.status, taken.body.code, taken.body.script_id]).toEqual([
      409,
      "name_taken",
      other.script_id,
    ]);
    const text = at(uploaded, "/undelete?filename=undelete.txt");
    expect((await call<Problem>(ingest, "undeleteScript", text)).body.code).toBe(
      "unsupported_file_type",
    );
    const renamed = at(uploaded, "/undelete?filename=undeleted.py");
    const again = await call<ScriptDetails>(ingest, "undeleteScript", renamed);
    expect([again.status, again.body.filename]).toEqual([200, "undeleted.py"]);
    const audit = await call<AuditList>(
      ingest,
      "listAudit",
      `/api/v1/audit?script_id=${uploaded.script_id}&action=script.undeleted`,
    );
    expect(audit.body.items.map(({ details }) => details["filename"])).toEqual([
      "undeleted.py",
      "undelete.py",
    ]);
  });

  it("leave nothing but themselves", async () => {
    const before = await remains(ingest);
    const uploaded = await script();
    await call(ingest, "readScript", at(uploaded));
    await call(ingest, "listScripts", "/api/v1/scripts");
    expect(await remains(ingest)).toMatchObject({
      scripts: (before as { scripts: number }).scripts + 1,
      objects: (before as { objects: number }).objects + 1,
    });
  });
});
