import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ProblemCode } from "@sluice/contracts";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { describeWith } from "../servers/index.js";
import { expectProblem } from "./client.js";
import { type Ingest, remains, startIngest } from "./ingest.js";

const MAX_BYTES = 10 * 1024 * 1024;
const FORM = { "Content-Type": "multipart/form-data; boundary=b" };

interface BadUpload {
  readonly what: string;
  readonly code: ProblemCode;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly body: string | Buffer<ArrayBuffer>;
  /** Something that the detail must name. */
  readonly names?: string;
}

function part(disposition: string, content: string): string {
  return `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
}

const FILE = part('name="file"; filename="a.py"', "a = 1");
const END = "--b--\r\n";
const GOOD = FILE + END;

const BAD_UPLOADS: readonly BadUpload[] = [
  {
    what: "no content type",
    code: "unsupported_media_type",
    headers: { "Content-Type": "" },
    body: GOOD,
  },
  {
    what: "JSON",
    code: "unsupported_media_type",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  },
  {
    what: "a url-encoded form",
    code: "unsupported_media_type",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: "file=a",
  },
  {
    what: "another multipart",
    code: "unsupported_media_type",
    headers: { "Content-Type": "multipart/mixed; boundary=b" },
    body: GOOD,
  },
  {
    what: "the bare script",
    code: "unsupported_media_type",
    headers: { "Content-Type": "text/x-python" },
    body: "a = 1",
  },
  {
    what: "a compressed body",
    code: "unsupported_content_encoding",
    headers: { "Content-Encoding": "gzip" },
    body: GOOD,
  },
  {
    what: "no boundary",
    code: "malformed_multipart",
    headers: { "Content-Type": "multipart/form-data" },
    body: GOOD,
  },
  {
    what: "another boundary",
    code: "malformed_multipart",
    headers: { "Content-Type": "multipart/form-data; boundary=c" },
    body: GOOD,
  },
  { what: "an empty body", code: "malformed_multipart", body: "" },
  { what: "no closing boundary", code: "malformed_multipart", body: FILE },
  {
    what: "an end in the middle of the file",
    code: "malformed_multipart",
    body: FILE.slice(0, -4),
  },
  {
    what: "an end in the middle of a header",
    code: "malformed_multipart",
    body: FILE.slice(0, 20),
  },
  {
    what: "a header that is none",
    code: "malformed_multipart",
    body: `--b\r\nContent Disposition\r\n\r\na\r\n${END}`,
  },
  {
    what: "raw control characters in the name",
    code: "malformed_multipart",
    body: part('name="file"; filename="a\0b.py"', "a") + END,
    names: "control characters",
  },
  {
    what: "a part without a name",
    code: "malformed_multipart",
    body: part('filename="a.py"', "a") + END,
  },
  { what: "no part", code: "missing_file", body: END },
  {
    what: "a text field",
    code: "missing_file",
    body: part('name="file"', "a = 1") + END,
    names: "file name",
  },
  {
    what: "an empty file name",
    code: "missing_file",
    body: part('name="file"; filename=""', "") + END,
  },
  {
    what: "a file in another field",
    code: "unexpected_field",
    body: part('name="script"; filename="a.py"', "a") + END,
    names: "script",
  },
  {
    what: "a field besides",
    code: "unexpected_field",
    body: part('name="mode"', "x") + GOOD,
    names: "mode",
  },
  {
    what: "a parameter of the query as a field",
    code: "unexpected_field",
    body: part('name="namespace"', "lib") + GOOD,
    names: "namespace in the query: ?namespace=",
  },
  {
    what: "a field after the file",
    code: "unexpected_field",
    body: FILE + part('name="mode"', "x") + END,
  },
  {
    what: "a text field named file besides",
    code: "unexpected_field",
    body: part('name="file"', "x") + GOOD,
  },
  {
    what: "a field named __proto__",
    code: "unexpected_field",
    body: part('name="__proto__"', "x") + GOOD,
  },
  {
    what: "a hundred fields",
    code: "unexpected_field",
    body: part('name="f"', "x").repeat(100) + GOOD,
  },
  {
    what: "a field with a long name",
    code: "unexpected_field",
    body: part(`name="${"n".repeat(10_000)}"`, "x") + GOOD,
  },
  {
    what: "a long field",
    code: "unexpected_field",
    body: part('name="f"', "x".repeat(100_000)) + GOOD,
  },
  { what: "two files", code: "repeated_file", body: FILE + GOOD },
  { what: "five files", code: "repeated_file", body: FILE.repeat(4) + GOOD },
  {
    what: "a text file",
    code: "unsupported_file_type",
    body: part('name="file"; filename="a.txt"', "a") + END,
    names: "a.txt",
  },
  {
    what: "a name without extension",
    code: "unsupported_file_type",
    body: part('name="file"; filename="script"', "a") + END,
  },
  {
    what: "bytecode",
    code: "unsupported_file_type",
    body: part('name="file"; filename="a.pyc"', "a") + END,
  },
  {
    what: "a directory",
    code: "unsupported_file_type",
    body: part('name="file"; filename="a.py/"', "a") + END,
  },
  {
    what: "an extension behind an encoded NUL",
    code: "unsupported_file_type",
    body: part("name=\"file\"; filename*=utf-8''a.py%00.txt", "a") + END,
  },
  {
    what: "a Cyrillic extension",
    code: "unsupported_file_type",
    body: part('name="file"; filename="a.ру"', "a") + END,
  },
  {
    what: "10 MB and one byte",
    code: "file_too_large",
    body: part('name="file"; filename="a.py"', "#".repeat(MAX_BYTES + 1)) + END,
    names: "10,485,760",
  },
  {
    what: "far more than 10 MB",
    code: "file_too_large",
    body: part('name="file"; filename="a.py"', "#".repeat(2 * MAX_BYTES)) + END,
  },
  {
    what: "an unknown parameter",
    code: "invalid_query",
    query: "?overwrite=true",
    body: GOOD,
    names: "overwrite",
  },
  { what: "a wrong on_conflict", code: "invalid_query", query: "?on_conflict=replace", body: GOOD },
  {
    what: "a parameter twice",
    code: "invalid_query",
    query: "?namespace=a&namespace=b",
    body: GOOD,
  },
  { what: "an empty namespace", code: "invalid_query", query: "?namespace=", body: GOOD },
  {
    what: "a namespace that climbs",
    code: "invalid_query",
    query: "?namespace=a/../b",
    body: GOOD,
  },
  { what: "a namespace with NUL", code: "invalid_query", query: "?namespace=a%00b", body: GOOD },
  {
    what: "a namespace of 513 characters",
    code: "invalid_query",
    query: `?namespace=${"n".repeat(513)}`,
    body: GOOD,
  },
  {
    what: "an empty Idempotency-Key",
    code: "invalid_header",
    headers: { "Idempotency-Key": "" },
    body: GOOD,
  },
  {
    what: "an empty quoted Idempotency-Key",
    code: "invalid_header",
    headers: { "Idempotency-Key": '""' },
    body: GOOD,
  },
  {
    what: "an Idempotency-Key of 256 characters",
    code: "invalid_header",
    headers: { "Idempotency-Key": "k".repeat(256) },
    body: GOOD,
  },
  {
    what: "an Idempotency-Key with umlauts",
    code: "invalid_header",
    headers: { "Idempotency-Key": "schlüssel" },
    body: GOOD,
  },
];

describeWith(["postgres"], "a bad upload", () => {
  let ingest: Ingest;
  let before: object;

  beforeAll(async () => {
    ingest = await startIngest();
  });
  afterAll(() => ingest.stop());
  beforeEach(async () => {
    before = await remains(ingest);
  });
  afterEach(async () => {
    expect(await remains(ingest)).toEqual(before);
    expect(await heldBytes(ingest)).toBe(0);
    expect(ingest.log.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
  });

  it.each(BAD_UPLOADS)(
    "with $what is refused: $code",
    async ({ code, query = "", headers, body, names }) => {
      const response = await fetch(`${ingest.url}/api/v1/upload_script${query}`, {
        method: "POST",
        headers: { ...FORM, ...headers },
        body,
      });
      const problem = expectProblem(response, await response.text());
      expect(problem.code).toBe(code);
      if (names !== undefined) expect(problem.detail).toContain(names);
      if (problem.errors !== undefined) expect(problem.errors).toHaveLength(1);
    },
  );

  it("of more than 10 MB in chunks, its length not said, is refused", async () => {
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from(
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.py"\r\n\r\n',
      );
      for (let sent = 0; sent <= MAX_BYTES; sent += 65_536) yield Buffer.alloc(65_536, "#");
      yield Buffer.from(`\r\n${END}`);
    }
    const response = await fetch(`${ingest.url}/api/v1/upload_script`, {
      method: "POST",
      headers: FORM,
      body: ReadableStream.from(body()),
      duplex: "half",
    });
    expect(expectProblem(response, await response.text()).code).toBe("file_too_large");
  });

  it.each([
    ["in the headers", "POST /api/v1/upload_script HTTP/1.1\r\nHost: x\r\nContent-"],
    ["before the form", head(5_000)],
    ["in the middle of the file", `${head(5_000)}${FILE.slice(0, -3)}`],
    ["after the file", `${head(5_000)}${FILE}`],
  ])("that is broken off %s leaves nothing and is not answered", async (_where, sent) => {
    const socket = connect(Number(new URL(ingest.url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write(sent);
    await delay(50);
    socket.resetAndDestroy();
    // The request's line in the log tells that it is over; one that broke in its headers has none.
    if (sent.includes("boundary")) {
      await expect
        .poll(() => ingest.log.at(-1))
        .toMatchObject({ client_gone: true, level: "info" });
    }
  });

  it("that is broken off after it is whole is taken", async () => {
    const body = part('name="file"; filename="whole.py"', "whole = 1") + END;
    const socket = connect(Number(new URL(ingest.url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write(`${head(body.length)}${body}`);
    socket.end();
    // The client has gone, but its script is whole: it is taken like any other.
    await expect.poll(() => remains(ingest)).toMatchObject({ scripts: 1, versions: 1, objects: 1 });
    before = await remains(ingest);
  });
});

function head(length: number): string {
  return (
    "POST /api/v1/upload_script HTTP/1.1\r\nHost: x\r\n" +
    `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${length}\r\n\r\n`
  );
}

async function heldBytes({ url }: Ingest): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^sluice_upload_held_bytes\S* (\d+)/m.exec(text)?.[1] ?? NaN);
}
