import { type OperationId, OPERATIONS, type Problem, type UploadedScript } from "@sluice/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addScript, indexAll } from "../search/fixture.js";
import { describeWith } from "../servers/index.js";
import { call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";

const JSON_TYPE = { "Content-Type": "application/json" };

/** Operations that give lists page by page. */
const PAGED = Object.entries(OPERATIONS)
  .filter(
    ([, operation]) =>
      operation.method === "get" && "shape" in operation.query && "cursor" in operation.query.shape,
  )
  .map(([id]) => id as OperationId);

describeWith(["postgres"], "cursors", () => {
  let ingest: Ingest;
  let script: UploadedScript;
  let changeId: string;

  beforeAll(async () => {
    ingest = await startIngest();
    const versions = [];
    for (const text of ["a = 1\n", "a = 2\n"])
      versions.push((await upload(ingest, "a.py", text)).body);
    script = versions[0]!;
    await upload(ingest, "b.py", "b = 1\n");
    for (const title of ["x", "y"]) {
      await call(ingest, "patchMetadata", `/api/v1/scripts/${script.script_id}/metadata`, {
        body: JSON.stringify({ title }),
        headers: { ...JSON_TYPE, "If-Match": "*" },
      });
    }
    for (const owner of ["x", "y"]) {
      const body = JSON.stringify({ filter: { all: true }, patch: { owner } });
      const path = "/api/v1/metadata/changes";
      const dry = await call(ingest, "startBulkChange", `${path}?dry_run=true`, {
        body,
        headers: JSON_TYPE,
      });
      const begun = await call<{ change_id: string }>(ingest, "startBulkChange", path, {
        body,
        headers: { ...JSON_TYPE, "If-Match": String(dry.headers.get("etag")) },
      });
      changeId = begun.body.change_id;
    }
    const stores = { catalog: ingest.catalog, objects: ingest.store };
    for (const name of ["c", "d"])
      await addScript(stores, { filename: `${name}.py`, text: `# found\n${name} = 1\n` });
    await indexAll(stores);
  });
  afterAll(() => ingest.stop());

  function pathOf(id: OperationId, cursor?: string): string {
    const { path } = OPERATIONS[id];
    const named = path
      .replace("{id}", path.includes("/metadata/changes/") ? changeId : script.script_id)
      .replace("{n}", "1");
    const query = new URLSearchParams({
      ...(id === "search" ? { q: "found" } : {}),
      limit: "1",
      ...(cursor === undefined ? {} : { cursor }),
    });
    return `${named}?${query.toString()}`;
  }

  test("hold for the list that gave them, and for no other", async () => {
    const cursors = new Map<OperationId, string>();
    for (const id of PAGED) {
      const { status, body } = await call<{ next_cursor: string | null }>(ingest, id, pathOf(id));
      expect(status, id).toBe(200);
      if (body.next_cursor !== null) cursors.set(id, body.next_cursor);
    }
    expect([...cursors.keys()]).toEqual(
      expect.arrayContaining([
        "listScripts",
        "listVersions",
        "listAudit",
        "listBulkChanges",
        "listMetadataHistory",
        "search",
      ]),
    );
    for (const [from, cursor] of cursors) {
      expect((await call(ingest, from, pathOf(from, cursor))).status, from).toBe(200);
      for (const to of PAGED) {
        if (to === from) continue;
        const { status, body } = await call<Problem>(ingest, to, pathOf(to, cursor));
        expect([status, body.code], `${from} → ${to}`).toEqual([400, "invalid_cursor"]);
      }
    }
  });

  test.each([
    ["nonsense", "nonsense"],
    ["no JSON", Buffer.from("{").toString("base64url")],
    ["another shape", Buffer.from('{"at":{},"of":"","x":1}').toString("base64url")],
    ["no text", Buffer.from([0xff, 0, 0xfe]).toString("base64url")],
    ["nothing", ""],
  ])("are refused where they are %s", async (_what, cursor) => {
    for (const id of PAGED) {
      const { status, body } = await call<Problem>(ingest, id, pathOf(id, cursor));
      expect([status, body.code], id).toEqual([400, "invalid_cursor"]);
    }
  });
});
