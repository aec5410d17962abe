import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Problem, UploadedScript } from "@sluice/contracts";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { describeWith } from "../servers/index.js";
import { call, upload } from "./client.js";
import { type Ingest, remains, startIngest } from "./ingest.js";

const MAX_BYTES = 10 * 1024 * 1024;
const naughtyStrings = JSON.parse(
  readFileSync(new URL("../fixtures/naughty-strings/blns.json", import.meta.url), "utf8"),
) as string[];

// eslint-disable-next-line no-control-regex
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

describeWith(["postgres"], "uploads", () => {
  let ingest: Ingest;
  let name: string;
  let count = 0;

  beforeAll(async () => {
    ingest = await startIngest();
  });
  afterAll(() => ingest.stop());
  beforeEach(() => {
    count += 1;
    name = `script-${count}.py`;
  });

  it("are stored, recorded and answered with 202", async () => {
    const text = "print('hello')\n";
    const { status, body, headers } = await upload(ingest, name, text, {
      headers: { "X-Request-Id": "my-request.1" },
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({
      filename: name,
      size: text.length,
      version: 1,
      sha256: createHash("sha256").update(text).digest("hex"),
      state: "queued",
      status_url: `/api/v1/scripts/${body.script_id}/versions/1/status`,
    });
    expect(Math.abs(Date.parse(body.upload_time) - Date.now())).toBeLessThan(60_000);
    expect(body.storage_path).toBe(
      `uploads/${body.upload_time.slice(0, 10)}/${body.script_id}/v1.py`,
    );
    expect(headers.get("location")).toBe(body.status_url);
    expect((await ingest.store.get(body.storage_path)).toString()).toBe(text);
    const { rows } = await ingest.catalog.query(
      "select request_id, original_filename from versions where script_id = $1",
      [body.script_id],
    );
    expect(rows).toEqual([{ request_id: "my-request.1", original_filename: name }]);
    expect(headers.get("x-request-id")).toBe("my-request.1");
  });

  it("may be empty", async () => {
    const { status, body } = await upload(ingest, name, "");
    expect(status).toBe(202);
    expect(body).toMatchObject({ size: 0, sha256: createHash("sha256").digest("hex") });
    expect(await ingest.store.get(body.storage_path)).toHaveLength(0);
  });

  it("may have 10 MB to the byte", async () => {
    const bytes = new Uint8Array(MAX_BYTES).fill(35);
    const { status, body } = await upload(ingest, name, bytes);
    expect(status).toBe(202);
    expect(body.size).toBe(MAX_BYTES);
  });

  it("of the same bytes make nothing new, whatever on_conflict says", async () => {
    const first = await upload(ingest, name, "a = 1\n");
    const before = await remains(ingest);
    for (const query of [
      "",
      "?on_conflict=version",
      "?on_conflict=reject",
      "?on_conflict=keep_both",
    ]) {
      const again = await upload(ingest, name, "a = 1\n", { query });
      expect(again.status).toBe(200);
      expect(again.body).toEqual(first.body);
    }
    expect(await remains(ingest)).toEqual(before);
  });

  it("of other bytes make the next version", async () => {
    const first = await upload(ingest, name, "a = 1\n");
    const second = await upload(ingest, name, "a = 2\n");
    expect(second.status).toBe(202);
    expect(second.body).toMatchObject({ script_id: first.body.script_id, version: 2 });
    expect((await ingest.store.get(first.body.storage_path)).toString()).toBe("a = 1\n");
    expect((await ingest.store.get(second.body.storage_path)).toString()).toBe("a = 2\n");
    // Bytes of an older version are news again.
    const third = await upload(ingest, name, "a = 1\n");
    expect(third.body).toMatchObject({ version: 3 });
  });

  it("are refused where the name exists and on_conflict=reject", async () => {
    const first = await upload(ingest, name, "a = 1\n");
    const before = await remains(ingest);
    const { status, body } = await upload<Problem>(ingest, name, "a = 2\n", {
      query: "?on_conflict=reject",
    });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "name_taken", script_id: first.body.script_id });
    expect(await remains(ingest)).toEqual(before);
  });

  it("make a script of another name where on_conflict=keep_both", async () => {
    const query = "?on_conflict=keep_both";
    const first = await upload(ingest, name, "a = 1\n", { query });
    const second = await upload(ingest, name, "a = 2\n", { query });
    const third = await upload(ingest, name, "a = 3\n", { query });
    const stem = name.replace(".py", "");
    expect([first, second, third].map(({ body }) => body.filename)).toEqual([
      name,
      `${stem} (2).py`,
      `${stem} (3).py`,
    ]);
    expect(new Set([first, second, third].map(({ body }) => body.script_id)).size).toBe(3);
    expect([first, second, third].map(({ body }) => body.version)).toEqual([1, 1, 1]);
  });

  it("of one name in two namespaces are two scripts", async () => {
    const here = await upload(ingest, name, "a = 1\n", { query: "?namespace=team/a" });
    const there = await upload(ingest, name, "a = 1\n", { query: "?namespace=team/b" });
    expect(there.status).toBe(202);
    expect(there.body.script_id).not.toBe(here.body.script_id);
  });

  it("that race for a name all get a number and keep their bytes", async () => {
    await upload(ingest, name, "start\n");
    const texts = Array.from({ length: 20 }, (_, index) => `racer = ${index}\n`);
    const answers = await Promise.all(texts.map((text) => upload(ingest, name, text)));
    expect(answers.map(({ status }) => status)).toEqual(texts.map(() => 202));
    expect(answers.map(({ body }) => body.version).toSorted((a, b) => a - b)).toEqual(
      texts.map((_, index) => index + 2),
    );
    for (const [index, { body }] of answers.entries()) {
      expect((await ingest.store.get(body.storage_path)).toString()).toBe(texts[index]);
    }
  });

  it("that race for a name through two processes all get a number and keep their bytes", async () => {
    const other = await startIngest({
      catalogUrl: await catalogUrlOf(ingest),
      env: { OBJECT_STORE_URL: ingest.store.description },
    });
    try {
      const texts = Array.from({ length: 16 }, (_, index) => `racer = ${index}\n`);
      const answers = await Promise.all(
        texts.map((text, index) => upload(index % 2 === 0 ? ingest : other, name, text)),
      );
      expect(answers.map(({ status }) => status)).toEqual(texts.map(() => 202));
      expect(new Set(answers.map(({ body }) => body.version)).size).toBe(texts.length);
      expect(new Set(answers.map(({ body }) => body.script_id)).size).toBe(1);
      const keys = new Set<string>();
      for (const [index, { body }] of answers.entries()) {
        expect((await ingest.store.get(body.storage_path)).toString()).toBe(texts[index]);
        keys.add(body.storage_path);
      }
      for await (const { key } of ingest.store.list(`uploads/`)) {
        if (key.includes(answers[0]?.body.script_id ?? "none")) expect(keys).toContain(key);
      }
    } finally {
      await other.stop();
    }
  });

  it("that are identical and race make one version", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => upload(ingest, name, "same\n")),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(new Set(answers.map(({ body }) => `${body.script_id} ${body.version}`)).size).toBe(1);
  });

  it.each([
    ["../../etc/passwd.py", "passwd.py"],
    ["C:\\Windows\\evil.py", "evil.py"],
    ["CON.py", "_CON.py"],
    ["Grüße 文 😀.py", "Grüße 文 😀.py"],
    ["a\u202eb\u200b.py", "ab.py"],
    [`${"x".repeat(10_000)}.py`, `${"x".repeat(252)}.py`],
  ])("under the name %.40j are shown as %.40j", async (sent, shown) => {
    const { body } = await upload(ingest, sent, `# ${count}\n`, { query: `?namespace=n${count}` });
    expect(body.filename).toBe(shown);
    expect(body.storage_path).toMatch(/^uploads\/[\d-]+\/[0-9a-f-]{36}\/v1\.py$/);
  });

  it.each([
    ["filename*=UTF-8''na%C3%AFve%20%E6%96%87.py", "naïve 文.py"],
    ["filename=plain.py; filename*=utf-8''better.py", "better.py"],
    ["filename*=UTF-8''zero%00one%1B%0A.py", "zeroone.py"],
    ["filename*=UTF-8''..%2F..%2Fup.py", "up.py"],
    ['filename="a%22b.py"', 'a"b.py'],
  ])("with %s in the header are shown as %j", async (parameter, shown) => {
    const { status, body } = await sendRaw(ingest, parameter);
    expect(status).toBe(202);
    expect(body.filename).toBe(shown);
  });

  it("take every naughty string for a name, and leave paths alone", async () => {
    for (let start = 0; start < naughtyStrings.length; start += 40) {
      await Promise.all(
        naughtyStrings.slice(start, start + 40).map(async (text, index) => {
          const { status, body } = await upload(ingest, `${text}.py`, `n = ${start + index}\n`, {
            query: "?namespace=naughty&on_conflict=keep_both",
          });
          // No header can carry raw control characters; but for those every name will do.
          expect(status, text).toBe(CONTROL.test(text) ? 400 : 202);
          if (status === 400) return;
          expect(body.storage_path).toMatch(/^uploads\/[\d-]+\/[0-9a-f-]{36}\/v1\.py$/);
        }),
      );
    }
  });

  it("are replayed to the same Idempotency-Key", async () => {
    const headers = { "Idempotency-Key": `"key-${count}"` };
    const first = await upload(ingest, name, "a = 1\n", { headers });
    await upload(ingest, name, "a = 2\n");
    const before = await remains(ingest);
    const again = await upload(ingest, name, "a = 1\n", { headers });
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await remains(ingest)).toEqual(before);
    // The quotes belong to the header's syntax, not to the key.
    const bare = await upload(ingest, name, "a = 1\n", {
      headers: { "Idempotency-Key": `key-${count}` },
    });
    expect(bare.body).toEqual(first.body);
  });

  it("are refused where the Idempotency-Key was another request's", async () => {
    const headers = { "Idempotency-Key": `key-${count}` };
    await upload(ingest, name, "a = 1\n", { headers });
    const before = await remains(ingest);
    for (const [otherName, text, query] of [
      [name, "a = 2\n", ""],
      [`other-${name}`, "a = 1\n", ""],
      [name, "a = 1\n", "?namespace=elsewhere"],
      [name, "a = 1\n", "?on_conflict=reject"],
    ] as const) {
      const { status, body } = await upload<Problem>(ingest, otherName, text, { headers, query });
      expect(status).toBe(422);
      expect(body.code).toBe("idempotency_key_reused");
    }
    expect(await remains(ingest)).toEqual(before);
  });

  it("with one Idempotency-Key at once make one version; the others wait or are told to", async () => {
    const headers = { "Idempotency-Key": `key-${count}` };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        upload<UploadedScript & Problem>(ingest, name, "a = 1\n", { headers }),
      ),
    );
    const made = answers.filter(({ status }) => status === 202);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ body }) => `${body.script_id} ${body.version}`)).size).toBe(1);
    for (const { status, body, headers: sent } of answers) {
      if (status === 202) continue;
      expect(body.code).toBe("idempotency_key_in_use");
      expect(sent.get("retry-after")).toBe("1");
    }
  });

  it("that failed give their Idempotency-Key back", async () => {
    await upload(ingest, name, "a = 1\n");
    const headers = { "Idempotency-Key": `key-${count}` };
    const refused = await upload(ingest, name, "a = 2\n", {
      headers,
      query: "?on_conflict=reject",
    });
    expect(refused.status).toBe(409);
    const taken = await upload(ingest, name, "a = 2\n", { headers });
    expect(taken.status).toBe(202);
  });

  it("are logged in one line, without what is in them", async () => {
    await upload(ingest, name, "secret_password = 1\n", {
      headers: { "X-Request-Id": `log-${count}` },
    });
    const status = await call<object>(ingest, "livez", "/livez");
    expect(status.status).toBe(200);
    const lines = ingest.log.filter((line) => line["request_id"] === `log-${count}`);
    expect(lines).toMatchObject([
      {
        level: "info",
        msg: "request",
        method: "POST",
        path: "/api/v1/upload_script",
        status: 202,
        version: 1,
      },
    ]);
    expect(JSON.stringify(ingest.log)).not.toContain("secret_password");
  });
});

async function catalogUrlOf({ catalog }: Ingest): Promise<string> {
  const { sharedPostgres } = await import("../servers/index.js");
  const { rows } = await catalog.query<{ name: string }>("select current_database() as name");
  return new URL(`/${rows[0]?.name}`, sharedPostgres().url).href;
}

/** A form whose file's name is given as it stands in the header. */
async function sendRaw(
  { url }: Ingest,
  parameter: string,
): Promise<{ status: number; body: UploadedScript }> {
  const body = Buffer.from(
    `--b\r\nContent-Disposition: form-data; name="file"; ${parameter}\r\n\r\nx = "${parameter.length}"\n\r\n--b--\r\n`,
  );
  const response = await fetch(`${url}/api/v1/upload_script`, {
    method: "POST",
    headers: { "Content-Type": "multipart/form-data; boundary=b" },
    body,
  });
  return { status: response.status, body: (await response.json()) as UploadedScript };
}
