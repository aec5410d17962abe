import type { Problem, SearchResults } from "@sluice/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addScript, indexAll } from "../search/fixture.js";
import { describeWith } from "../servers/index.js";
import { call } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";

describeWith(["postgres"], "GET /search", () => {
  let ingest: Ingest;
  beforeAll(async () => {
    ingest = await startIngest();
    const stores = { catalog: ingest.catalog, objects: ingest.store };
    await addScript(stores, { filename: "argparse.py", text: "import requests\n" });
    await addScript(stores, { filename: "other.py", text: "# argparse, and argparse\nx = 1\n" });
    await addScript(stores, { filename: "third.py", text: `# argparse\n${"a".repeat(100_000)}\n` });
    await indexAll(stores);
  });
  afterAll(() => ingest.stop());

  const get = async (
    query: Record<string, string>,
  ): Promise<{ status: number; body: SearchResults & Problem }> => {
    const response = await fetch(
      `${ingest.url}/api/v1/search?${new URLSearchParams(query).toString()}`,
    );
    return { status: response.status, body: (await response.json()) as SearchResults & Problem };
  };

  test("gives one item a script, with its matches", async () => {
    const { status, body } = await get({ q: "argparse" });
    expect(status).toBe(200);
    expect(body.items.map(({ filename, rank }) => [filename, rank])).toEqual([
      ["argparse.py", "name"],
      ["third.py", "content"],
      ["other.py", "content"],
    ]);
    expect(body).toMatchObject({ next_cursor: null, complete: true, passed_over: 0 });
    expect(body.items[2]).toMatchObject({
      namespace: "default",
      version: 1,
      state: "ready",
      hits: 2,
      matches: [
        {
          in: "content",
          line: 1,
          column: 3,
          snippet: "# argparse, and argparse",
          ranges: [
            { start: 2, end: 10 },
            { start: 16, end: 24 },
          ],
        },
      ],
    });
    const regex = await get({ q: "^x\\s*=", regex: "true", in: "content", case: "true" });
    expect(regex.body.items).toMatchObject([{ filename: "other.py", matches: [{ line: 2 }] }]);
  });

  test("pages by a cursor that holds for its own query only", async () => {
    const first = await get({ q: "argparse", limit: "1" });
    const cursor = first.body.next_cursor ?? "";
    const second = await get({ q: "argparse", limit: "1", cursor });
    expect(second.body.items.map(({ filename }) => filename)).toEqual(["third.py"]);
    for (const query of [
      { q: "argparse ", cursor },
      { q: "argparse", word: "true", cursor },
      { q: "argparse", cursor: "nonsense" },
      {
        q: "argparse",
        cursor: Buffer.from(JSON.stringify({ at: { pass: 9 }, of: "" })).toString("base64url"),
      },
    ]) {
      expect(await get(query)).toMatchObject({ status: 400, body: { code: "invalid_cursor" } });
    }
  });

  test("gives nothing of what was deleted, and all of it once it is back, each at once", async () => {
    const found = async () =>
      (await get({ q: "import:requests" })).body.items.map(({ script_id: id }) => id);
    const [id] = await found();
    const path = `/api/v1/scripts/${id}`;
    for (let round = 0; round < 2; round++) {
      await call(ingest, "deleteScript", `${path}?confirm=${id}`);
      expect(await found()).toEqual([]);
      expect((await get({ q: "name:argparse" })).body.items).toEqual([]);
      await call(ingest, "undeleteScript", `${path}/undelete`);
      expect(await found()).toEqual([id]);
    }
    await call(ingest, "deleteScript", `${path}?confirm=${id}`);
    await call(ingest, "undeleteScript", `${path}/undelete?filename=renamed.py`);
    expect(await found()).toEqual([id]);
    await indexAll({ catalog: ingest.catalog, objects: ingest.store });
    expect((await get({ q: "name:renamed" })).body.items).toMatchObject([{ script_id: id }]);
    expect((await get({ q: "name:argparse" })).body.items).toEqual([]);
  });

  test("refuses what is no query, and says what is wrong with it", async () => {
    const wrong: [Record<string, string>, string | RegExp][] = [
      [{}, "must be there"],
      [{ q: "" }, "must not be empty"],
      [{ q: "   " }, "says nothing to search for"],
      [{ q: '""' }, "empty text"],
      [{ q: "a".repeat(1_001) }, "at most 1000"],
      [{ q: "a\0b" }, "NUL"],
      [{ q: "-a:b ".repeat(3) }, "no field `a`"],
      [{ q: "nmae:argparse" }, /no field `nmae`.*name, namespace.*quotes/],
      [{ q: "state:done" }, "one of queued"],
      [{ q: "verdict:*" }, "one of allowed"],
      [{ q: "tag:a ".repeat(21) }, "more than 20 terms"],
      [{ q: "foo a(b", regex: "true" }, "missing closing ) at character 1"],
      [{ q: "tag:a x**", regex: "true" }, "character 8: `**`"],
      [{ q: "(?=a)", regex: "true" }, "(?="],
      [{ q: String.raw`\8`, regex: "true" }, "invalid escape"],
      [{ q: "((a{100}){100}){100}", regex: "true" }, "invalid repeat count"],
      [{ q: "(".repeat(999), regex: "true" }, "regular expression"],
      [{ q: "a", in: "body" }, "one of name, content, docstring"],
      [{ q: "a", regex: "yes" }, "true or false"],
      [{ q: "a", limit: "101" }, "at most 100"],
      [{ q: "a", sort: "name" }, "not a parameter"],
    ];
    for (const [query, said] of wrong) {
      const { status, body } = await get(query);
      expect([status, body.code], JSON.stringify(query)).toEqual([400, "invalid_query"]);
      if (typeof said === "string") expect(body.detail).toContain(said);
      else expect(body.detail).toMatch(said);
    }
  });

  test("answers hostile expressions, and goes on answering others", async () => {
    const hostile = ["(a*)*b", "(a|a)*b", "(?:a?){500}a{500}b", ".*".repeat(200), "(.*)(.*)(.*)x"];
    const answers = await Promise.all(hostile.map((q) => get({ q, regex: "true" })));
    for (const [index, { status, body }] of answers.entries()) {
      // A page, an expression that is too large, or no thread in time; never an error of ours.
      expect(["200", "400 invalid_query", "503 search_overloaded"], hostile[index]).toContain(
        status === 200 ? "200" : `${status} ${body.code}`,
      );
      if (status === 200) expect(body.items.length).toBeLessThanOrEqual(20);
    }
    expect((await get({ q: "argparse" })).status).toBe(200);
  });
});
