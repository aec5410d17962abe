import type {
  MetadataDocument,
  Problem,
  Report,
  ScriptDetails,
  Status,
  UploadedScript,
} from "@sluice/contracts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../servers/index.js";
import { call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";
import { ALL_STAGES, fail, METADATA, pass, REPORT } from "./stages.js";

interface Sarif {
  readonly version: string;
  readonly runs: readonly { readonly results: readonly object[] }[];
}

describeWith(["postgres"], "what is known of scripts", () => {
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
  async function ready(): Promise<UploadedScript> {
    const uploaded = await script();
    for (const stage of ALL_STAGES) await pass(ingest, uploaded, stage);
    return uploaded;
  }
  const at = ({ script_id }: UploadedScript, rest = ""): string =>
    `/api/v1/scripts/${script_id}${rest}`;

  it("has metadata once they have been through extract", async () => {
    const uploaded = await script();
    const early = await call<Problem>(ingest, "readMetadata", at(uploaded, "/metadata"));
    expect([early.status, early.body.code]).toEqual([409, "not_ready"]);
    for (const stage of ALL_STAGES) await pass(ingest, uploaded, stage);
    const { status, body, headers } = await call<MetadataDocument>(
      ingest,
      "readMetadata",
      at(uploaded, "/metadata"),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      script_id: uploaded.script_id,
      filename: uploaded.filename,
      imports: ["subprocess"],
      tools: METADATA.tools.fastmcp,
      user: { tags: [] },
    });
    const mcp = await call<MetadataDocument>(
      ingest,
      "readMetadata",
      at(uploaded, "/metadata?profile=mcp"),
    );
    expect(mcp.body.tools).toEqual([]);
    const known = await call(ingest, "readMetadata", at(uploaded, "/metadata"), {
      headers: { "If-None-Match": headers.get("etag") as string },
    });
    expect(known.status).toBe(304);
  });

  it("has a report and never metadata where they are no Python", async () => {
    const uploaded = await script("def (:\n");
    await pass(ingest, uploaded, "dedup");
    await pass(ingest, uploaded, "validate", { verdict: "invalid" });
    const { status, body } = await call<Problem>(ingest, "readMetadata", at(uploaded, "/metadata"));
    expect([status, body.code]).toEqual([404, "no_metadata"]);
    const report = await call<Report>(ingest, "readReport", at(uploaded, "/report"));
    expect(report.body.verdict).toBe("invalid");
    // The bytes are in quarantine, and quoted all the same.
    const text = await call<string>(ingest, "readReport", at(uploaded, "/report"), {
      headers: { Accept: "text/plain" },
    });
    expect(text.body).toContain(`${uploaded.filename}: invalid\n`);
  });

  it("has what users say of them, which nobody overwrites unseen", async () => {
    const uploaded = await ready();
    const path = at(uploaded, "/metadata");
    const put = (body: unknown, headers: Record<string, string>) =>
      call<ScriptDetails & Problem>(ingest, "updateMetadata", path, {
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json", ...headers },
      });
    const read = await call<MetadataDocument>(ingest, "readMetadata", path);
    const etag = read.headers.get("etag") as string;
    const fields = {
      title: "A title",
      description: "Two\nlines",
      tags: ["etl", "日本"],
      labels: { team: "data" },
      owner: "somebody",
      pinned: true,
    };

    const unconditional = await put(fields, {});
    expect([unconditional.status, unconditional.body.code]).toEqual([428, "if_match_required"]);
    const written = await put(fields, { "If-Match": etag });
    expect(written.status).toBe(200);
    expect(written.body).toMatchObject({ ...fields, revision: 2, version: 1 });
    const stale = await put({ ...fields, title: "Another" }, { "If-Match": etag });
    expect([stale.status, stale.body.code]).toEqual([412, "revision_mismatch"]);
    const weak = await put(fields, { "If-Match": `W/${written.headers.get("etag")}` });
    expect(weak.status).toBe(412);

    const after = await call<MetadataDocument>(ingest, "readMetadata", path);
    expect(after.body.user).toEqual(fields);
    const details = await call<ScriptDetails>(ingest, "readScript", at(uploaded));
    expect(details.body).toMatchObject(fields);
    expect(details.headers.get("etag")).toBe(written.headers.get("etag"));
    // What is left out is reset; any of the tags seen will do.
    const reset = await put(
      { title: "Only this" },
      { "If-Match": after.headers.get("etag") as string },
    );
    expect(reset.body).toMatchObject({
      title: "Only this",
      tags: [],
      labels: {},
      owner: null,
      pinned: false,
    });
    const any = await put({}, { "If-Match": "*" });
    expect(any.body).toMatchObject({ title: null, revision: 4 });

    const racers = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        put({ title: `racer ${index}` }, { "If-Match": any.headers.get("etag") as string }),
      ),
    );
    expect(racers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 412, 412, 412, 412,
    ]);
  });

  it.each([
    ["no JSON", "{", "malformed_json", 400],
    ["nothing", "", "malformed_json", 400],
    ["no UTF-8", new Uint8Array([34, 255, 34]), "malformed_json", 400],
    ["a list", "[]", "invalid_body", 400],
    ["null", "null", "invalid_body", 400],
    ["an unknown field", '{"filename":"x.py"}', "invalid_body", 400],
    ["a field of extraction", '{"functions":[]}', "invalid_body", 400],
    ["a wrong type", '{"pinned":"yes"}', "invalid_body", 400],
    ["NUL in the title", '{"title":"a\\u0000"}', "invalid_body", 400],
    ["a lone surrogate", '{"title":"\\ud800"}', "invalid_body", 400],
    ["a tag twice", '{"tags":["a","a"]}', "invalid_body", 400],
    ["an empty tag", '{"tags":[""]}', "invalid_body", 400],
    ["51 tags", JSON.stringify({ tags: Array.from({ length: 51 }, String) }), "invalid_body", 400],
    [
      "51 labels",
      JSON.stringify({
        labels: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`l${i}`, ""])),
      }),
      "invalid_body",
      400,
    ],
    ["a label that is a number", '{"labels":{"a":1}}', "invalid_body", 400],
    ["300 KB", JSON.stringify({ description: "x".repeat(300_000) }), "body_too_large", 413],
  ] as const)("takes nothing from users that is %s", async (_what, body, code, expected) => {
    const uploaded = await script();
    const answer = await call<Problem>(ingest, "updateMetadata", at(uploaded, "/metadata"), {
      body,
      headers: { "Content-Type": "application/json", "If-Match": "*" },
    });
    expect([answer.status, answer.body.code]).toEqual([expected, code]);
    const details = await call<ScriptDetails>(ingest, "readScript", at(uploaded));
    expect(details.body.revision).toBe(1);
  });

  it.each([
    [{ "Content-Type": "text/plain" }, "unsupported_media_type"],
    [{ "Content-Type": "application/json; charset=koi8-r" }, "unsupported_media_type"],
    [
      { "Content-Type": "application/json", "Content-Encoding": "gzip" },
      "unsupported_content_encoding",
    ],
  ])("takes nothing from users sent with %j", async (headers, code) => {
    const answer = await call<Problem>(ingest, "updateMetadata", at(await script(), "/metadata"), {
      body: "{}",
      headers: { ...headers, "If-Match": "*" } as unknown as Record<string, string>,
    });
    expect([answer.status, answer.body.code]).toEqual([415, code]);
  });

  it("has a report, as JSON, SARIF and text", async () => {
    const uploaded = await script();
    const early = await call<Problem>(ingest, "readReport", at(uploaded, "/report"));
    expect([early.status, early.body.code]).toEqual([409, "not_ready"]);
    await pass(ingest, uploaded, "dedup");
    await pass(ingest, uploaded, "validate");

    const { status, body } = await call<Report>(ingest, "readReport", at(uploaded, "/report"));
    expect(status).toBe(200);
    expect(body).toEqual({
      script_id: uploaded.script_id,
      version: 1,
      sha256: uploaded.sha256,
      ...REPORT,
      approval: expect.objectContaining({ asked: expect.anything() }),
    });

    const sarif = await call<Sarif>(ingest, "readReport", at(uploaded, "/report"), {
      headers: { Accept: "application/sarif+json" },
    });
    expect(sarif.headers.get("content-type")).toMatch(/^application\/sarif\+json/);
    expect(sarif.headers.get("vary")).toBe("Accept");
    expect(sarif.body.version).toBe("2.1.0");
    expect(sarif.body.runs[0]?.results).toMatchObject([
      {
        ruleId: "calls.subprocess",
        level: "warning",
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: uploaded.filename, index: 0 },
              region: { startLine: 3, startColumn: 5, endLine: 3, endColumn: 19 },
            },
          },
        ],
      },
      { ruleId: "docstrings.missing", level: "note" },
      { ruleId: "capability.process.spawn", kind: "review" },
    ]);
    const text = await call<string>(ingest, "readReport", at(uploaded, "/report"), {
      headers: { Accept: "text/plain" },
    });
    expect(text.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(text.headers.get("vary")).toBe("Accept");
    expect(text.body).toContain(`${uploaded.filename}: needs approval\n`);
    expect(text.body).toContain("  warning 3:5: starts a process [calls.subprocess]\n");
    expect(text.body).toMatch(/\nneeds approval: process.spawn \(1 place\)\n$/);
    const known = await call(ingest, "readReport", at(uploaded, "/report"), {
      headers: { Accept: "text/plain", "If-None-Match": text.headers.get("etag") as string },
    });
    expect(known.status).toBe(304);
    const neither = await call<Problem>(ingest, "readReport", at(uploaded, "/report"), {
      headers: { Accept: "text/html" },
    });
    expect([neither.status, neither.body.code]).toEqual([406, "not_acceptable"]);
  });

  it("has a report that was stored before findings said why they matter", async () => {
    const uploaded = await script();
    await pass(ingest, uploaded, "dedup");
    await pass(ingest, uploaded, "validate");
    await ingest.catalog.query(
      `update analyses set report = (report::jsonb #- '{findings,0,why}')::json where sha256 = $1`,
      [uploaded.sha256],
    );
    const { status, body } = await call<Report>(ingest, "readReport", at(uploaded, "/report"));
    expect(status).toBe(200);
    expect(body.findings).toEqual(REPORT.findings.map((finding) => ({ ...finding, why: null })));
    const sarif = await call<Sarif>(ingest, "readReport", at(uploaded, "/report"), {
      headers: { Accept: "application/sarif+json" },
    });
    expect(sarif.status).toBe(200);
  });

  it("is found out again where that failed, and only there", async () => {
    const uploaded = await script();
    const early = await call<Problem>(ingest, "retryScript", at(uploaded, "/retry"));
    expect([early.status, early.body.code]).toEqual([409, "not_failed"]);
    await fail(ingest, uploaded, "dedup");
    const failed = await call<Status>(ingest, "readStatus", at(uploaded, "/status"));
    expect(failed.body).toMatchObject({
      state: "failed",
      stages: [
        { name: "dedup", state: "failed", attempts: 1, error: { code: "store_unavailable" } },
        {},
        {},
        {},
        {},
      ],
    });
    const report = await call<Problem>(ingest, "readReport", at(uploaded, "/report"));
    expect([report.status, report.body.code]).toEqual([404, "no_report"]);

    const { status, body, headers } = await call<Status>(
      ingest,
      "retryScript",
      at(uploaded, "/retry"),
    );
    expect(status).toBe(202);
    expect(body).toMatchObject({
      state: "processing",
      stages: [{ name: "dedup", state: "pending" }, {}, {}, {}, {}],
    });
    expect(headers.get("location")).toBe(uploaded.status_url);
    expect((await call(ingest, "retryScript", at(uploaded, "/retry"))).status).toBe(409);
    for (const stage of ALL_STAGES) await pass(ingest, uploaded, stage);
    const done = await call<Status>(ingest, "readStatus", at(uploaded, "/status"));
    expect(done.body).toMatchObject({ state: "needs_approval", progress: 1 });
  });
});
