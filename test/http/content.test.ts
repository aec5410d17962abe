import { createHash, randomUUID } from "node:crypto";
import { request } from "node:http";
import { decode, PackBuilder } from "@sluice/blobs";
import type {
  Problem,
  ScriptDetails,
  ScriptList,
  UploadedScript,
  VersionDetails,
} from "@sluice/contracts";
import { type BlobEncoding, packKey } from "@sluice/object-store";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../servers/index.js";
import { call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";
import { pass } from "./stages.js";

interface Download {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

describeWith(["postgres"], "a script's content", () => {
  let ingest: Ingest;

  beforeAll(async () => {
    ingest = await startIngest();
  });
  afterAll(() => ingest.stop());

  /** Not fetch, which decodes. */
  function download(
    path: string,
    headers: Record<string, string> = {},
    method = "GET",
  ): Promise<Download> {
    return new Promise((resolve, reject) => {
      request(`${ingest.url}${path}`, { method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers as Download["headers"],
            body: Buffer.concat(chunks),
          }),
        );
      })
        .on("error", reject)
        .end();
    });
  }

  async function stored(
    name: string,
    text: string,
    encoding?: BlobEncoding,
  ): Promise<{ script: UploadedScript; path: string }> {
    const { body: script } = await upload(ingest, name, text);
    if (encoding !== undefined) {
      for (const stage of ["dedup", "validate", "compress"] as const) {
        await pass(ingest, script, stage, { encoding });
      }
    }
    return { script, path: `/api/v1/scripts/${script.script_id}/content` };
  }

  const digestOf = (bytes: Buffer): string =>
    `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;
  const textOf = (label: string): string => `# ${label}\n${"x = 1\n".repeat(500)}`;

  it("is the bytes as they were uploaded, to be saved and not run", async () => {
    const text = textOf("plain");
    const { script, path } = await stored('naïve "file" 文.py', text);
    const { status, headers, body } = await download(path);
    expect(status).toBe(200);
    expect(body.toString()).toBe(text);
    expect(headers).toMatchObject({
      etag: `"${script.sha256}"`,
      "content-length": String(text.length),
      "content-type": "text/x-python",
      "repr-digest": digestOf(body),
      "accept-ranges": "bytes",
      "x-content-type-options": "nosniff",
      vary: "Accept-Encoding",
    });
    expect(headers["content-encoding"]).toBeUndefined();
    expect(headers["content-disposition"]).toBe(
      `attachment; filename="na?ve \\"file\\" ?.py"; filename*=UTF-8''na%C3%AFve%20%22file%22%20%E6%96%87.py`,
    );
  });

  it.each(["zstd", "gzip"] as const)(
    "comes as it is stored in %s where that is accepted, else decoded",
    async (encoding) => {
      const text = textOf(encoding);
      const { script, path } = await stored(`${encoding}.py`, text, encoding);

      const coded = await download(path, { "Accept-Encoding": `br, ${encoding}` });
      expect(coded.status).toBe(200);
      expect(coded.headers).toMatchObject({
        "content-encoding": encoding,
        "content-length": String(coded.body.length),
        etag: `"${script.sha256}-${encoding}"`,
        "repr-digest": digestOf(coded.body),
      });
      expect(coded.body.length).toBeLessThan(text.length / 2);
      expect((await decode(coded.body, encoding)).toString()).toBe(text);

      for (const accept of [
        undefined,
        "br",
        "identity",
        `${encoding};q=0`,
        `${encoding};q=0.1, identity;q=0.9`,
      ]) {
        const plain = await download(
          path,
          accept === undefined ? {} : { "Accept-Encoding": accept },
        );
        expect(plain.body.toString()).toBe(text);
        expect(plain.headers).toMatchObject({
          "content-length": String(text.length),
          etag: `"${script.sha256}"`,
          "repr-digest": digestOf(plain.body),
        });
        expect(plain.headers["content-encoding"]).toBeUndefined();
      }
      const none = await download(path, { "Accept-Encoding": "identity;q=0, br" });
      expect(none.status).toBe(406);
      expect(JSON.parse(none.body.toString())).toMatchObject({ code: "not_acceptable" });
    },
  );

  it("comes from the middle of a pack as from anywhere, and says that it does", async () => {
    const text = textOf("archived");
    const { script, path } = await stored("archived.py", text, "identity");
    const hot = await download(path);
    expect(hot.headers["sluice-storage"]).toBe("hot");
    const pack = new PackBuilder();
    await pack.add("0".repeat(64), Buffer.from("before"));
    await pack.add(script.sha256, Buffer.from(text), Buffer.from("{}"));
    await pack.add("1".repeat(64), Buffer.from("behind"));
    const key = packKey(randomUUID());
    await ingest.store.put(key, await pack.finish());
    await ingest.catalog.query(
      `update blobs set key = $2, "offset" = $3, length = $4, encoding = 'zstd' where sha256 = $1`,
      [script.sha256, key, pack.members[1]?.offset, pack.members[1]?.length],
    );

    const whole = await download(path);
    expect([whole.status, whole.headers["sluice-storage"]]).toEqual([200, "archive"]);
    expect(whole.headers).toMatchObject({ etag: hot.headers["etag"] });
    expect(whole.body.toString()).toBe(text);
    const part = await download(path, { Range: "bytes=10-19" });
    expect([part.status, part.headers["sluice-storage"]]).toEqual([206, "archive"]);
    expect(part.body.toString()).toBe(text.slice(10, 20));
    const coded = await download(path, { "Accept-Encoding": "zstd" });
    expect((await decode(coded.body, "zstd")).toString()).toBe(text);
    const at = `/api/v1/scripts/${script.script_id}`;
    const details = await call<ScriptDetails>(ingest, "readScript", at);
    expect(details.body).toMatchObject({ storage: "archive", storage_path: key });
    const version = await call<VersionDetails>(ingest, "readVersion", `${at}/versions/1`);
    expect(version.body.storage).toBe("archive");
    const list = await call<ScriptList>(ingest, "listScripts", "/api/v1/scripts?name=archived.py");
    expect(list.body.items.map(({ storage }) => storage)).toEqual(["archive"]);
  });

  it("of no bytes is no bytes", async () => {
    const { path } = await stored("empty.py", "");
    const { status, headers, body } = await download(path);
    expect([status, headers["content-length"], body.length]).toEqual([200, "0", 0]);
    expect((await download(path, { Range: "bytes=0-" })).status).toBe(416);
  });

  it("is not sent to who has it, in whatever coding", async () => {
    const { script, path } = await stored("known.py", textOf("known"), "zstd");
    for (const tag of [
      `"${script.sha256}"`,
      `W/"${script.sha256}"`,
      `"x", "${script.sha256}-zstd"`,
      "*",
    ]) {
      const { status, body, headers } = await download(path, { "If-None-Match": tag });
      expect([status, body.length]).toEqual([304, 0]);
      expect(headers.etag).toContain(script.sha256);
    }
    expect((await download(path, { "If-None-Match": '"other"' })).status).toBe(200);
  });

  it.each([
    ["bytes=0-4", 0, 5],
    ["bytes=5-", 5, undefined],
    ["bytes=-4", -4, undefined],
    ["bytes=10-999999", 10, undefined],
    ["bytes=-999999", 0, undefined],
  ])("in part, %s, is that part of the plain bytes", async (range, start, end) => {
    const text = textOf(range);
    const { path } = await stored(`${range}.py`, text, "zstd");
    const wanted = Buffer.from(text).subarray(start, end);
    const { status, headers, body } = await download(path, {
      Range: range,
      "Accept-Encoding": "zstd",
    });
    expect(status).toBe(206);
    expect(body.equals(wanted)).toBe(true);
    const from = start < 0 ? text.length + start : start;
    expect(headers).toMatchObject({
      "content-range": `bytes ${from}-${from + wanted.length - 1}/${text.length}`,
      "content-length": String(wanted.length),
      "repr-digest": digestOf(Buffer.from(text)),
    });
    expect(headers["content-encoding"]).toBeUndefined();
  });

  it("outside of it is refused, and what is no single range of bytes ignored", async () => {
    const text = textOf("odd ranges");
    const { script, path } = await stored("odd-ranges.py", text);
    for (const range of [`bytes=${text.length}-`, "bytes=-0"]) {
      const { status, headers, body } = await download(path, { Range: range });
      expect(status).toBe(416);
      expect(headers["content-range"]).toBe(`bytes */${text.length}`);
      expect(headers.etag).toBeUndefined();
      expect(JSON.parse(body.toString())).toMatchObject({ code: "range_not_satisfiable" });
    }
    for (const range of [
      "bytes=0-1,3-4",
      "lines=0-1",
      "bytes=5-2",
      "bytes=a-b",
      "bytes",
      "bytes=",
      "bytes=--1",
    ]) {
      const { status, body } = await download(path, { Range: range });
      expect([range, status, body.length]).toEqual([range, 200, text.length]);
    }
    const held = await download(path, { Range: "bytes=0-1", "If-Range": `"${script.sha256}"` });
    expect(held.status).toBe(206);
    for (const ifRange of ['"other"', `W/"${script.sha256}"`, "Mon, 23 Nov 2026 12:00:00 GMT"]) {
      expect((await download(path, { Range: "bytes=0-1", "If-Range": ifRange })).status).toBe(200);
    }
  });

  it("has its headers alone for HEAD", async () => {
    const text = textOf("head");
    const { path } = await stored("head.py", text);
    const { status, headers, body } = await download(path, {}, "HEAD");
    expect([status, headers["content-length"], body.length]).toEqual([200, String(text.length), 0]);
  });

  it("of an older version is there still", async () => {
    const first = await upload(ingest, "versions.py", "one = 1\n");
    await upload(ingest, "versions.py", "two = 2\n");
    const path = `/api/v1/scripts/${first.body.script_id}/content`;
    expect((await download(path)).body.toString()).toBe("two = 2\n");
    expect((await download(`${path}?version=1`)).body.toString()).toBe("one = 1\n");
    const missing = await call<Problem>(ingest, "readContent", `${path}?version=3`);
    expect(missing.body.code).toBe("version_not_found");
  });

  it("that was rejected is sent as mere bytes", async () => {
    const { body: script } = await upload(ingest, "rejected.py", "def broken(:\n");
    await pass(ingest, script, "dedup");
    await pass(ingest, script, "validate", { verdict: "invalid" });
    const { status, headers } = await download(`/api/v1/scripts/${script.script_id}/content`);
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("application/octet-stream");
  });

  it("is found where it has been moved to since the row was read", async () => {
    const text = textOf("moving");
    const { script, path } = await stored("moving.py", text);
    let done = false;
    const reading = (async () => {
      while (!done) {
        const { status, body } = await download(path);
        expect([status, body.toString()]).toEqual([200, text]);
      }
    })();
    for (const stage of ["dedup", "validate", "compress"] as const) {
      await pass(ingest, script, stage, { encoding: "zstd" });
    }
    done = true;
    await reading;
  });

  it("that the store has lost or damaged is never sent as if it were whole", async () => {
    const lost = await stored("lost.py", textOf("lost"));
    await ingest.store.delete(lost.script.storage_path);
    const damaged = await stored("damaged.py", textOf("damaged"));
    await ingest.store.put(damaged.script.storage_path, Buffer.from(textOf("DAMAGED")));
    const cut = await stored("cut.py", textOf("cut"));
    await ingest.store.put(cut.script.storage_path, Buffer.from("# c"));
    for (const { path } of [lost, damaged, cut]) {
      const { status, headers, body } = await download(path);
      expect(status).toBe(500);
      const problem = JSON.parse(body.toString()) as Problem;
      expect(problem.code).toBe("content_damaged");
      expect(problem.request_id).toBe(headers["x-request-id"]);
      expect(body.toString()).not.toMatch(/uploads\/|blobs\/|objects/);
      await expect
        .poll(() => ingest.log.find((line) => line["request_id"] === problem.request_id))
        .toMatchObject({ level: "error", err: { type: "BlobCorruptError" } });
    }
  });
});
