import type {
  MetadataDocument,
  MetadataHistory,
  Problem,
  ScriptDetails,
  ScriptList,
  UploadedScript,
} from "@sluice/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";
import { pass } from "./stages.js";

let ingest: Ingest;
let count = 0;
beforeAll(async () => {
  ingest = await startIngest({
    env: { API_KEYS: "ann:key-of-ann-0123456789,bob:key-of-bob-0123456789" },
  });
});
afterAll(() => ingest.stop());

const ANN = { Authorization: "Bearer key-of-ann-0123456789" };
const BOB = { Authorization: "Bearer key-of-bob-0123456789" };

async function script(): Promise<UploadedScript> {
  count += 1;
  const { body } = await upload(ingest, `m${count}.py`, `x = ${count}\n`, { headers: ANN });
  return body;
}

function at({ script_id }: Pick<UploadedScript, "script_id">, rest = ""): string {
  return `/api/v1/scripts/${script_id}${rest}`;
}

async function details(of: UploadedScript): Promise<Answer<ScriptDetails>> {
  return call<ScriptDetails>(ingest, "readScript", at(of), { headers: ANN });
}

async function patch<Body = ScriptDetails>(
  of: UploadedScript,
  change: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  return call<Body>(ingest, "patchMetadata", at(of, "/metadata"), {
    body: typeof change === "string" ? change : JSON.stringify(change),
    headers: {
      ...ANN,
      "Content-Type": "application/merge-patch+json",
      "If-Match": "*",
      ...headers,
    },
  });
}

async function history(of: UploadedScript, query = ""): Promise<MetadataHistory> {
  const path = at(of, `/metadata/history${query}`);
  return (await call<MetadataHistory>(ingest, "listMetadataHistory", path, { headers: ANN })).body;
}

describe("fields of the user's", () => {
  it("are changed one by one, and put back by null", async () => {
    const one = await script();
    const { headers } = await details(one);
    const first = await patch(
      one,
      { title: "T", tags: ["a", "b"], labels: { team: "x", tier: "1" }, pinned: true },
      { "If-Match": String(headers.get("etag")) },
    );
    expect(first.body).toMatchObject({ title: "T", tags: ["a", "b"], pinned: true, revision: 2 });
    const second = await patch(one, { tags: ["c"], labels: { tier: null, constructor: "y" } });
    expect(second.body).toMatchObject({ title: "T", tags: ["c"], revision: 3 });
    expect(second.body.labels).toEqual({ team: "x", constructor: "y" });
    const third = await patch(one, { title: null, tags: null, labels: null, pinned: null });
    expect(third.body).toMatchObject({
      title: null,
      tags: [],
      labels: {},
      pinned: false,
      owner: null,
    });
    expect((await details(one)).headers.get("etag")).toBe(third.headers.get("etag"));
  });

  it("are taken as application/json, and as no other kind of patch", async () => {
    const one = await script();
    const json = { "Content-Type": "application/json; charset=utf-8" };
    expect((await patch(one, { owner: "o" }, json)).body.owner).toBe("o");
    const other = await patch<Problem>(one, "[]", {
      "Content-Type": "application/json-patch+json",
    });
    expect([other.status, other.body.code]).toEqual([415, "unsupported_media_type"]);
    expect(other.headers.get("accept-patch")).toBe("application/merge-patch+json");
    const options = await fetch(ingest.url + at(one, "/metadata"), {
      method: "OPTIONS",
      headers: ANN,
    });
    expect(options.headers.get("accept-patch")).toBe("application/merge-patch+json");
    expect(options.headers.get("allow")).toContain("PATCH");
  });

  it("are not replaced by a patch: what that leaves out is meant to stay", async () => {
    const one = await script();
    await patch(one, { owner: "o" });
    for (const type of ["application/merge-patch+json", "application/json-patch+json"]) {
      const { status, body } = await call<Problem>(ingest, "updateMetadata", at(one, "/metadata"), {
        body: JSON.stringify({ title: "t" }),
        headers: { ...ANN, "Content-Type": type, "If-Match": "*" },
      });
      expect([status, body.code]).toEqual([415, "unsupported_media_type"]);
    }
    expect((await details(one)).body).toMatchObject({ owner: "o", title: null });
  });

  it("of a wrong shape are refused by their place, with what is wrong there", async () => {
    const one = await script();
    for (const [change, name, message] of [
      [{ title: ["t"] }, "/title", "must be of type string"],
      [{ tags: [["t"]] }, "/tags/0", "must be of type string"],
      [{ tags: { 0: "t" } }, "/tags", "must be of type array"],
      [{ labels: ["t"] }, "/labels", "must be of type object"],
      [{ labels: { "": "t" } }, "/labels/", "must not be empty"],
      [{ labels: { ["n".repeat(65)]: "t" } }, `/labels/${"n".repeat(65)}`, "must have at most 64"],
      [{ labels: { a: 1 } }, "/labels/a", "must be of type string"],
      [{ tags: ["t".repeat(100_000)] }, "/tags/0", "must have at most 64 characters"],
      [{ tags: Array.from({ length: 51 }, String) }, "/tags", "must have at most 50 entries"],
      [{ pinned: "true" }, "/pinned", "must be of type boolean"],
    ] as const) {
      const { status, body } = await patch<Problem>(one, change);
      expect([status, body.code, body.errors?.map((error) => error.name)]).toEqual([
        400,
        "invalid_body",
        [name],
      ]);
      expect(body.errors?.[0]?.message).toContain(message);
    }
    expect((await details(one)).body.revision).toBe(1);
  });

  it("are readable apart from what the analysis found, with the tag that a change needs", async () => {
    const one = await script();
    await patch(one, { title: "mine" });
    for (const stage of ["dedup", "validate", "extract"] as const) await pass(ingest, one, stage);
    const read = await call<MetadataDocument>(ingest, "readMetadata", at(one, "/metadata"), {
      headers: ANN,
    });
    expect(read.body.user).toMatchObject({ title: "mine", tags: [] });
    const tag = { "If-Match": String(read.headers.get("etag")) };
    expect((await patch(one, { title: "ours" }, tag)).status).toBe(200);
    const stale = await patch<Problem>(one, { title: "theirs" }, tag);
    expect([stale.status, stale.body.code]).toEqual([412, "revision_mismatch"]);
    const none = await call<Problem>(ingest, "patchMetadata", at(one, "/metadata"), {
      body: "{}",
      headers: { ...ANN, "Content-Type": "application/merge-patch+json" },
    });
    expect([none.status, none.body.code]).toEqual([428, "if_match_required"]);
  });

  it("are changed by all who change them at once, where each says so", async () => {
    const one = await script();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => patch(one, { labels: { [`l${index}`]: "x" } })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(Object.keys((await details(one)).body.labels)).toHaveLength(8);
    expect((await history(one)).items).toHaveLength(8);
  });

  it.each([
    ["a field that analysis found", { functions: [] }, "/functions", "what the analysis found"],
    ["findings", { findings: [] }, "/findings", "what the analysis found"],
    ["a field that Sluice recorded", { size: 3 }, "/size", "what Sluice recorded"],
    ["a field that there is not", { colour: "red" }, "/colour", "is not a field"],
    ["a nested document of them", { user: { title: "x" } }, "/user", "is not to be sent"],
    ["a long title", { title: "x".repeat(201) }, "/title", "at most 200"],
    ["a huge tag", { tags: ["x".repeat(65)] }, "/tags/0", "at most 64"],
    ["too many tags", { tags: Array.from({ length: 51 }, String) }, "/tags", "at most 50"],
    ["a tag twice", { tags: ["a", "a"] }, "/tags", "once"],
    ["no tag", { tags: [""] }, "/tags/0", "empty"],
    ["a label that is no text", { labels: { a: 1 } }, "/labels/a", "type string"],
    ["a NUL", { title: "a\0b" }, "/title", "control"],
    ["half of a surrogate pair", { description: "a\ud800b" }, "/description", "control"],
    ["text that runs the other way", { owner: "a\u202eb" }, "/owner", "invisible"],
    ["a list", [], "", "type object"],
    ["nothing", null, "", "type object"],
    ["a name twice", '{"title":"a","title":"b"}', "title", "twice"],
    ["a name that is none", '{"labels":{"__proto__":"a"}}', "__proto__", "cannot be used"],
    [
      "something deep",
      `{"title":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}`,
      "/title",
      "type",
    ],
  ])("refuse %s, and say where it is", async (_what, change, name, message) => {
    const one = await script();
    const { status, body } = await patch<Problem>(one, change);
    expect([status, body.code]).toEqual([400, "invalid_body"]);
    expect(body.errors).toContainEqual({
      in: "body",
      name,
      message: expect.stringContaining(message),
    });
    expect((await details(one)).body.revision).toBe(1);
  });

  it("have limits that hold for all of them together", async () => {
    const one = await script();
    const labels = (prefix: string, length: number) =>
      Object.fromEntries(
        Array.from({ length: 25 }, (_, n) => [`${prefix}${n}`, "é".repeat(length)]),
      );
    expect((await patch(one, { labels: labels("a", 900) })).status).toBe(200);
    const { body } = await patch<Problem>(one, { labels: labels("b", 900) });
    expect(body.errors?.[0]).toMatchObject({ name: "/labels" });
    expect(body.detail).toContain("may have 65536");
    const more = await patch<Problem>(one, {
      labels: Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`c${n}`, ""])),
    });
    expect(more.body.errors?.[0]).toMatchObject({
      name: "/labels",
      message: "must have at most 50 entries",
    });
  });

  it("have a history that says who changed what, and none of what changed nothing", async () => {
    const one = await script();
    expect(await history(one)).toEqual({ items: [], next_cursor: null });
    await patch(one, { title: "A", labels: { "a/b": "1" } });
    const same = await patch(one, { title: "A", labels: {} });
    expect(same.body.revision).toBe(2);
    await patch(one, { title: "B", labels: { "a/b": null } }, BOB);
    await call(ingest, "updateMetadata", at(one, "/metadata"), {
      body: "{}",
      headers: { ...ANN, "Content-Type": "application/json", "If-Match": "*" },
    });
    const { items } = await history(one);
    expect(items.map(({ at: _at, ...item }) => item)).toEqual([
      {
        revision: 4,
        actor: "ann",
        change_id: null,
        changes: [{ field: "/title", from: "B", to: null }],
      },
      {
        revision: 3,
        actor: "bob",
        change_id: null,
        changes: [
          { field: "/title", from: "A", to: "B" },
          { field: "/labels/a~1b", from: "1", to: null },
        ],
      },
      {
        revision: 2,
        actor: "ann",
        change_id: null,
        changes: [
          { field: "/title", from: null, to: "A" },
          { field: "/labels/a~1b", from: null, to: "1" },
        ],
      },
    ]);
    const page = await history(one, "?limit=2");
    expect(page.items.map(({ revision }) => revision)).toEqual([4, 3]);
    const rest = await history(one, `?limit=2&cursor=${page.next_cursor}`);
    expect(rest.items.map(({ revision }) => revision)).toEqual([2]);
    const path = at(await script(), `/metadata/history?cursor=${page.next_cursor}`);
    const foreign = await call<Problem>(ingest, "listMetadataHistory", path, { headers: ANN });
    expect(foreign.body.code).toBe("invalid_cursor");
  });

  it("find scripts in lists", async () => {
    const [a, b] = [await script(), await script()];
    await patch(a, { tags: ["red", "blue"], labels: { team: "x=y" }, owner: "zoe", pinned: true });
    await patch(b, { tags: ["red"], labels: { team: "z" } });
    const list = async (query: string): Promise<string[]> => {
      const path = `/api/v1/scripts?sort=upload_time&${query}`;
      const { body } = await call<ScriptList>(ingest, "listScripts", path, { headers: ANN });
      return body.items.map(({ script_id }) => script_id);
    };
    expect(await list("tag=red")).toEqual([a.script_id, b.script_id]);
    expect(await list("tag=red&tag=blue")).toEqual([a.script_id]);
    expect(await list("label=team%3Dx%3Dy")).toEqual([a.script_id]);
    expect(await list("owner=zoe")).toEqual([a.script_id]);
    expect(await list("owner=zo")).toEqual([]);
    expect(await list("pinned=true")).toEqual([a.script_id]);
    expect(await list("pinned=false")).not.toContain(a.script_id);
    for (const query of ["tag=", "label=team", "label==x", "pinned=yes", "owner="]) {
      const path = `/api/v1/scripts?${query}`;
      const { body } = await call<Problem>(ingest, "listScripts", path, { headers: ANN });
      expect(body.code, query).toBe("invalid_query");
    }
  });
});
