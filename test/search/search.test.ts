import {
  type Catalog,
  deleteScript,
  moveVersionsToTrash,
  queueUnindexed,
  readIndexBacklog,
  undeleteScript,
  undeleteVersion,
} from "@sluice/catalog";
import { FileSystemObjectStore, type ObjectStore } from "@sluice/object-store";
import { parseQuery, SearchThreads, type SearchSpec } from "@sluice/search";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { indexSome } from "../../services/index/src/index-some.js";
import {
  type SearchPage,
  type SearchPosition,
  searchScripts,
} from "../../services/ingest/src/search/engine.js";
import { register, sha256Of, upload } from "../catalog/fixture.js";
import { describeWith, sharedPostgres, temporaryDirectory } from "../servers/index.js";
import { openFreshCatalog } from "../catalog/fixture.js";
import { addScript, indexAll, log } from "./fixture.js";

interface Asked {
  readonly regex?: boolean;
  readonly word?: boolean;
  readonly caseSensitive?: boolean;
  readonly places?: SearchSpec["places"];
  readonly limit?: number;
}

function specOf(q: string, asked: Asked = {}): SearchSpec {
  const { regex = false, word = false, caseSensitive = false, places } = asked;
  return { ...parseQuery(q), options: { regex, word, caseSensitive }, places };
}

describeWith(["postgres"], "search", () => {
  let catalog: Catalog;
  let objects: ObjectStore;
  const threads = new SearchThreads(1, 64);

  beforeAll(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    objects = await FileSystemObjectStore.open(temporaryDirectory());
  });
  afterAll(async () => {
    await threads.close();
    await catalog.close();
  });

  /** Every page. */
  async function pages(q: string, asked: Asked = {}): Promise<SearchPage["items"]> {
    const items: SearchPage["items"][number][] = [];
    let at: SearchPosition | undefined;
    do {
      const page = await searchScripts({ catalog, threads }, specOf(q, asked), {
        at,
        limit: asked.limit ?? 50,
        timeMs: 60_000,
      });
      items.push(...page.items);
      at = page.next;
    } while (at !== undefined);
    return items;
  }
  const names = async (q: string, asked: Asked = {}): Promise<string[]> =>
    (await pages(q, asked)).map(({ script }) => script.filename);

  const REQUESTS = `"""Fetches pages."""
import requests.adapters as ra
from requests import Session


class Fetcher:
    """Gets \\x41 page."""

    def fetch_page(self, url: str) -> str:
        """Fetch one page.

        Args:
            url: Where it is.
        """
        return Session().get(url).text


def fetch_all(url: str) -> str:
    """Fetch all."""
    return ra.HTTPAdapter()
`;

  test("finds who imports, defines, depends on and can do something, each with its place", async () => {
    const fetcher = await addScript(
      { catalog, objects },
      {
        filename: "fetcher.py",
        text: REQUESTS,
        namespace: "team/web",
        verdict: "needs_approval",
        capabilities: [
          {
            capability: "network.client",
            decision: "needs_approval",
            uses: [{ reference: "requests.Session", line: 15, column: 16, chain: [] }],
          },
        ],
      },
    );
    await addScript(
      { catalog, objects },
      {
        filename: "requests_log.py",
        text: "import logging  # no requests\n\n\ndef parse_requests_log():\n    pass\n",
      },
    );
    expect(await names("fetch_page")).toEqual([]);
    await indexAll({ catalog, objects });
    expect(await readIndexBacklog(catalog)).toMatchObject({ waiting: 0 });

    const [found, ...others] = await pages("import:requests");
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      script: { scriptId: fetcher, version: 1, state: "needs_approval", namespace: "team/web" },
      found: {
        hits: 2,
        matches: [
          { in: "import", line: 2, column: 8, snippet: "import requests.adapters as ra" },
          { in: "import", line: 3, column: 6, ranges: [{ start: 5, end: 13 }] },
        ],
      },
    });
    const only = ["fetcher.py"];
    for (const q of [
      "import:requests.adapters",
      "import:REQ*",
      "function:fetch_page",
      "function:fetch*",
      "function:Fetcher.fetch_page",
      "class:Fetcher",
      "class:*etch*",
      "tool:fetch_all",
      "dependency:requests",
      "capability:network.client",
      "capability:network",
      "capability:network.*",
      'docstring:"one page"',
      // As Python reads it.
      'docstring:"Gets A page"',
      "name:fetch",
      "name:f*r.py",
      "namespace:team/web",
      "namespace:team/*",
      "state:needs_approval",
      "verdict:needs_approval",
      "import:requests namespace:team/web function:fetch* -name:log",
      "-import:logging",
      '-"no requests"',
      "-state:ready",
    ]) {
      expect(await names(q), q).toEqual(only);
    }
    for (const q of [
      "import:request",
      "import:adapters",
      "function:fetch",
      "class:fetch_page",
      "namespace:team",
      "name:*fetch",
      "state:rejected",
      "import:requests -function:fetch_page",
      "capability:network.server",
      "tag:x",
    ]) {
      expect(await names(q), q).toEqual([]);
    }
    expect(await names("import:Requests", { caseSensitive: true })).toEqual([]);
    expect((await pages("capability:network"))[0]?.found.matches).toMatchObject([
      { in: "capability", line: 15, column: 16, ranges: [{ start: 15, end: 22 }] },
    ]);
    expect((await pages('"one page"', { places: ["docstring"] }))[0]?.found.matches).toMatchObject([
      {
        in: "docstring",
        line: 10,
        column: 18,
        snippet: "Fetch one page.",
        ranges: [{ start: 6, end: 14 }],
      },
    ]);
  });

  test("puts a name before a definition, and that before what only mentions it; pages go on where they stopped", async () => {
    const everything = await pages("fetcher");
    expect(everything.map(({ script, found }) => [script.filename, found.rank])).toEqual([
      ["fetcher.py", "name"],
    ]);
    const at = { catalog, objects };
    await addScript(at, { filename: "mentions.py", text: "# see widget_tool\n" });
    await addScript(at, { filename: "defines.py", text: "def widget_tool():\n    pass\n" });
    await addScript(at, { filename: "mentions_2.py", text: "# see widget_tools\n" });
    await addScript(at, { filename: "my_widget_tool.py", text: "pass\n" });
    await indexAll(at);
    const ranked = ["my_widget_tool.py", "defines.py", "mentions_2.py", "mentions.py"];
    expect(await names("widget_tool")).toEqual(ranked);
    expect(await names("widget_tool", { limit: 1 })).toEqual(ranked);
    expect(await names("widget_tool", { word: true })).toEqual(["defines.py", "mentions.py"]);
    expect(await names("widget_tool", { places: ["content"] })).toEqual([
      "mentions_2.py",
      "defines.py",
      "mentions.py",
    ]);
    // One of the texts in the name, the other in the content.
    expect(await names('"widget_tool" "pass"')).toEqual(["defines.py", "my_widget_tool.py"]);
  });

  test("gives line, column and ranges in code points; long lines by what is around the hit; and counts to a bound", async () => {
    const wide = "😀".repeat(500);
    const text = `x = 1\r# 😀 needle42 needle42\r\n${wide}needle42${wide}\n${"needle42\n".repeat(3_000)}`;
    await addScript({ catalog, objects }, { filename: "wide.py", text });
    await indexAll({ catalog, objects });
    const [item] = await pages("NEEDLE42");
    expect(item?.found.hits).toBe(1_000);
    expect(item?.found.matches).toHaveLength(20);
    const [first, second, third] = item!.found.matches;
    expect(first).toEqual({
      in: "content",
      line: 2,
      column: 5,
      snippet: "# 😀 needle42 needle42",
      ranges: [
        { start: 4, end: 12 },
        { start: 13, end: 21 },
      ],
    });
    expect(second).toMatchObject({ line: 3, column: 501 });
    const [range] = second!.ranges;
    expect([...second!.snippet].slice(range!.start, range!.end).join("")).toBe("needle42");
    expect(second!.snippet.length).toBeLessThanOrEqual(241);
    expect(third).toMatchObject({ line: 4, column: 1 });
  });

  test("finds what is no Python, holds NUL, or does not decode; and none of what LIKE or an index means by %, _ and \\", async () => {
    const at = { catalog, objects };
    await addScript(at, { filename: "nul.py", text: "a = '\0needle_nul'\n", verdict: "invalid" });
    await addScript(at, { filename: "like.py", text: "pattern = '100%_sure\\\\'\n" });
    await addScript(at, { filename: "like_2.py", text: "pattern = '100 x sure'\n" });
    await indexAll(at);
    expect(await names("needle_nul state:rejected")).toEqual(["nul.py"]);
    expect(await names("100%_sure\\")).toEqual(["like.py"]);
    expect(await names("100%sure")).toEqual([]);
    expect(await names("name:like%")).toEqual([]);
  });

  test("finds the newest version, until it is indexed the one before; nothing deleted; each name of the same bytes", async () => {
    const at = { catalog, objects };
    const id = await addScript(at, { filename: "grows.py", text: "old_content_here = 1\n" });
    await addScript(at, { filename: "same_a.py", text: "same_bytes_here = 1\n" });
    await indexAll(at);
    await addScript(at, {
      filename: "grows.py",
      text: "new_content_here = 1\n",
      scriptId: id,
      version: 2,
    });
    expect(await names("old_content_here")).toEqual(["grows.py"]);
    await indexAll(at);
    expect(await names("old_content_here")).toEqual([]);
    expect(await pages("new_content_here")).toMatchObject([
      { script: { scriptId: id, version: 2 } },
    ]);

    await addScript(at, { filename: "same_b.py", text: "same_bytes_here = 1\n" });
    await indexAll(at);
    expect((await names("same_bytes_here")).toSorted()).toEqual(["same_a.py", "same_b.py"]);
    // The rules take no newest version, but the one before may be what is searched while that is on its way.
    const newest = { scriptId: id, version: 3, rawKey: "uploads/v3.py" };
    await register(catalog, upload("grows.py", "newest_content_here = 1\n", newest));
    const trash = { actor: "local", trashMs: 86_400_000 };
    const { rows } = await catalog.query<{ id: string }>(
      "select id from versions where script_id = $1 and number = 2",
      [id],
    );
    const deleted = { scriptId: id, versionId: rows[0]!.id, rule: undefined };
    await catalog.transaction((tx) => moveVersionsToTrash(tx, [deleted], trash));
    expect(await names("new_content_here")).toEqual([]);
    await undeleteVersion(catalog, { scriptId: id, version: 2, actor: "local" });
    expect(await names("new_content_here")).toEqual(["grows.py"]);

    await deleteScript(catalog, { scriptId: id, ...trash });
    expect(await names("new_content_here")).toEqual([]);
    await undeleteScript(catalog, { scriptId: id, actor: "local" });
    expect(await names("new_content_here")).toEqual(["grows.py"]);
  });

  test("what cannot be read is tried again later, and keeps nobody back", async () => {
    const lost = "lost_bytes_here = 1\n";
    const at = { catalog, objects };
    await addScript(at, { filename: "lost.py", text: lost });
    await addScript(at, { filename: "kept.py", text: "kept_bytes_here = 1\n" });
    const key = `blobs/sha256/${sha256Of(lost).slice(0, 2)}/${sha256Of(lost).slice(2, 4)}/${sha256Of(lost)}`;
    await objects.delete(key);
    let failed = 0;
    await indexSome({ ...at, log, onIndexed: () => {}, onFailed: () => (failed += 1) });
    expect(failed).toBe(1);
    expect(await names("kept_bytes_here")).toEqual(["kept.py"]);
    expect(await readIndexBacklog(catalog)).toMatchObject({ waiting: 1, failing: 1 });
    await objects.put(key, Buffer.from(lost));
    await catalog.query("update search_queue set available_at = now()");
    await indexAll(at);
    expect(await names("lost_bytes_here")).toEqual(["lost.py"]);
    expect(await readIndexBacklog(catalog)).toMatchObject({ waiting: 0 });
  });

  test("what the index lacks is queued again, and what it has is not", async () => {
    const at = { catalog, objects };
    await indexAll(at);
    const before = await names("pass");
    expect(await queueUnindexed(catalog, { after: undefined, limit: 1_000 })).toEqual({
      last: undefined,
      queued: 0,
    });
    await catalog.query("truncate search_scripts, search_documents");
    expect(await names("pass")).toEqual([]);
    let last: string | undefined;
    do ({ last } = await queueUnindexed(catalog, { after: last, limit: 3 }));
    while (last !== undefined);
    await indexAll(at);
    expect((await names("pass")).toSorted()).toEqual(before.toSorted());
  });

  test("an upload that waits for its turn is not searched, and no obstacle", async () => {
    await register(catalog, upload("waits.py", "waits_here = 1\n"));
    await indexAll({ catalog, objects });
    expect(await names("name:waits")).toEqual([]);
  });

  test("several processes index each version once", async () => {
    const at = { catalog, objects };
    for (let i = 0; i < 60; i++)
      await addScript(at, { filename: `many_${i}.py`, text: `many_here = ${i % 20}\n` });
    let indexed = 0;
    const deps = { ...at, log, onIndexed: (n: number) => (indexed += n), onFailed: () => {} };
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        while ((await indexSome(deps)) > 0);
      }),
    );
    expect(indexed).toBe(60);
    expect(await names("many_here", { limit: 7 })).toHaveLength(60);
  });
});

describeWith(["postgres"], "search of random scripts", () => {
  const LETTERS = [..."abABkK\u212aſßéÉ1_ .(\n%\\😀\u{10400}\u{10428}"];
  const some = (seed: number): string[] =>
    fc.sample(fc.string({ unit: fc.constantFrom(...LETTERS), maxLength: 40 }), {
      numRuns: 60,
      seed,
    });
  const quoted = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);

  test("gives what a naive scan finds, whatever the page", async () => {
    const catalog = await openFreshCatalog(sharedPostgres());
    const objects = await FileSystemObjectStore.open(temporaryDirectory());
    const threads = new SearchThreads(1, 64);
    try {
      const scripts: { id: string; filename: string; text: string }[] = [];
      for (const [index, text] of some(7).entries()) {
        const filename = `${["a", "Ak", "b.k", "É1", "k"][index % 5]}_${index}.py`;
        const id = await addScript({ catalog, objects }, { filename, text });
        scripts.push({ id, filename, text });
      }
      await indexAll({ catalog, objects });
      const pattern = fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 1, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(
          pattern.filter((text) => text.trim() !== ""),
          fc.boolean(),
          fc.boolean(),
          fc.boolean(),
          fc.constantFrom("name" as const, "content" as const, "both" as const),
          fc.constantFrom(3, 50),
          async (text, word, caseSensitive, regex, where, limit) => {
            const source = quoted(text);
            const body = word
              ? `(?<![\\p{L}\\p{M}\\p{N}_])(?:${source})(?![\\p{L}\\p{M}\\p{N}_])`
              : source;
            const expression = new RegExp(body, caseSensitive ? "mu" : "miu");
            const expected = scripts
              .filter(
                (script) =>
                  (where !== "content" && expression.test(script.filename)) ||
                  (where !== "name" && expression.test(script.text)),
              )
              .map(({ id }) => id);
            const asked = regex ? source : text;
            const spec: SearchSpec = {
              texts: [{ text: asked, negated: false, at: 0 }],
              fields: [],
              options: { word, caseSensitive, regex },
              places: where === "both" ? undefined : [where],
            };
            const found: string[] = [];
            let at: SearchPosition | undefined;
            do {
              const page = await searchScripts({ catalog, threads }, spec, {
                at,
                limit,
                timeMs: 60_000,
              });
              found.push(...page.items.map(({ script }) => script.scriptId));
              at = page.next;
            } while (at !== undefined);
            expect(new Set(found).size).toBe(found.length);
            expect(found.toSorted()).toEqual(expected.toSorted());
          },
        ),
        { numRuns: 150 },
      );
    } finally {
      await threads.close();
      await catalog.close();
    }
  });
});
