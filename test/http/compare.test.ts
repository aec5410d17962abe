import type { Comparison, Problem, UploadedScript } from "@sluice/contracts";
import { applyPatch } from "diff";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";
import { pass } from "./stages.js";

let ingest: Ingest;
beforeAll(async () => {
  ingest = await startIngest();
});
afterAll(() => ingest.stop());

async function version(
  name: string,
  bytes: string | Uint8Array<ArrayBuffer>,
): Promise<UploadedScript> {
  return (await upload(ingest, name, bytes)).body;
}

function compare<Body = Comparison>(
  of: UploadedScript,
  range: string,
  headers: Record<string, string> = {},
) {
  const path = `/api/v1/scripts/${of.script_id}/versions/${range}`;
  return call<Body>(ingest, "compareVersions", path, { headers });
}

describe("two versions", () => {
  it("are compared by their source before and after the analysis", async () => {
    const first = await version("c.py", "a = 1\nb = 2\n");
    const second = await version("c.py", "a = 1\nb = 3");
    const early = await compare(first, "1...2");
    expect(early.body).toMatchObject({
      from: { version: 1, sha256: first.sha256 },
      to: { version: 2, sha256: second.sha256 },
      identical: false,
      source: { additions: 1, deletions: 1, minimal: true, truncated: false },
      functions: null,
      capabilities: null,
    });
    expect(early.body.source.diff).toContain("-b = 2\n+b = 3\n\\ No newline at end of file\n");
    expect(early.body.missing).toContainEqual({ version: 1, part: "report", reason: "not_yet" });
    for (const one of [first, second]) {
      for (const stage of ["dedup", "validate", "extract"] as const) await pass(ingest, one, stage);
    }
    const { body, headers } = await compare(first, "1...2");
    expect(body.missing).toEqual([]);
    expect(body.functions).toEqual({ added: [], removed: [], changed: [] });
    expect(body.findings?.to).toEqual({ error: 0, warning: 1, info: 1 });
    const tag = String(headers.get("etag"));
    expect(tag).not.toBe(early.headers.get("etag"));
    expect((await compare(first, "1...2", { "If-None-Match": tag })).status).toBe(304);
    expect((await compare(first, "2...1", { "If-None-Match": tag })).status).toBe(200);
  });

  it("are given as a diff that makes the one of the other, in either order", async () => {
    const texts = ["\ufeffx = 1\r\ny = 'ü'\r\n", "y = 'ü'\r\nz = 3\n"] as const;
    const first = await version("d.py", texts[0]);
    await version("d.py", texts[1]);
    const accept = { Accept: "text/x-diff" };
    for (const [range, from, to] of [
      ["1...2", ...texts],
      ["2...1", texts[1], texts[0]],
    ] as const) {
      const { body, headers } = await compare<string>(first, range, accept);
      expect(headers.get("content-type")).toBe("text/x-diff; charset=utf-8");
      expect(applyPatch(from, body, { autoConvertLineEndings: false })).toBe(to);
    }
    expect((await compare<string>(first, "2...2", accept)).body).toBe("");
    const same = await compare(first, "2...2");
    expect(same.body).toMatchObject({ identical: true, source: { diff: "", additions: 0 } });
    const other = await compare<Problem>(first, "1...2", { Accept: "image/png" });
    expect([other.status, other.body.code]).toEqual([406, "not_acceptable"]);
  });

  it("are compared decoded, and where one is not text not at all", async () => {
    const latin = Buffer.from("# coding: latin-1\nx = 'é'\n", "latin1");
    const first = await version("e.py", new Uint8Array(latin));
    await version("e.py", "# coding: latin-1\nx = 'e'\n");
    await version("e.py", new Uint8Array([0x78, 0, 0xff]));
    const { body } = await compare(first, "1...2");
    expect(body.source.encodings).toEqual({ from: "iso-8859-1", to: "utf-8" });
    expect(body.source.diff).toContain("-x = 'é'\n+x = 'e'\n");
    const binary = await compare(first, "2...3");
    expect(binary.body.source).toMatchObject({
      diff: null,
      additions: null,
      encodings: { to: null },
    });
    const none = await compare<Problem>(first, "2...3", { Accept: "text/x-diff" });
    expect([none.status, none.body.code]).toEqual([406, "no_diff"]);
  });

  it("are not compared where the bytes of one are not kept any more, and the reason is told", async () => {
    const first = await version("gone.py", "gone = 1\n");
    await pass(ingest, first, "dedup");
    await pass(ingest, first, "validate", { verdict: "invalid" });
    await version("gone.py", "gone = 2\n");
    await ingest.catalog.query("update blobs set state = 'deleted' where sha256 = $1", [
      first.sha256,
    ]);
    for (const range of ["1...2", "2...1"]) {
      const { status, body } = await compare<Problem>(first, range);
      expect([status, body.code]).toEqual([410, "content_gone"]);
      expect(body.detail).toContain("version 1");
    }
    const path = `/api/v1/scripts/${first.script_id}/content?version=1`;
    const { status, body } = await call<Problem>(ingest, "readContent", path);
    expect([status, body.code]).toEqual([410, "content_gone"]);
  });

  it("must be there, and be named by numbers", async () => {
    const first = await version("f.py", "f = 1\n");
    const missing = await compare<Problem>(first, "1...2");
    expect([missing.status, missing.body.code]).toEqual([404, "version_not_found"]);
    for (const range of ["1...x", "0...1", "1...2...3", "1...99999999999", "...1", "1..."]) {
      const { status, body } = await compare<Problem>(first, range);
      expect([status, body.code], range).toEqual([400, "invalid_id"]);
    }
    const foreign = { ...first, script_id: "00000000-0000-7000-8000-000000000000" };
    expect((await compare<Problem>(foreign, "1...1")).body.code).toBe("script_not_found");
  });
});
