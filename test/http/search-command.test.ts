import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addScript, indexAll } from "../search/fixture.js";
import { describeWith } from "../servers/index.js";
import { type Ingest, startIngest } from "./ingest.js";
import { callSluice, runSluice } from "./sluice.js";

const KEY = "a-key-of-the-test";

describeWith(["postgres"], "sluice search", () => {
  let ingest: Ingest;

  beforeAll(async () => {
    ingest = await startIngest({ env: { API_KEYS: `alice:${KEY}` } });
    const stores = { catalog: ingest.catalog, objects: ingest.store };
    await addScript(stores, {
      filename: "fetch.py",
      namespace: "team",
      text: "import os, requests\n\n\ndef get():\n\treturn requests.get('x')  # 😀 requests\n",
    });
    await addScript(stores, { filename: "escape.py", text: "# \u001b[2Jneedle\u202e\n" });
    for (let i = 0; i < 103; i++)
      await addScript(stores, { filename: `many_${i}.py`, text: `many_here = ${i}\n` });
    await indexAll(stores);
  });
  afterAll(() => ingest.stop());

  const sluice = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    callSluice(["search", ...args], { SLUICE_URL: ingest.url, SLUICE_API_KEY: KEY, ...env });

  test("is a command of the program", async () => {
    const env = { SLUICE_URL: ingest.url, SLUICE_API_KEY: KEY };
    expect(await runSluice(["search", "-s", "import:requests"], env)).toEqual({
      code: 0,
      stdout: "team/fetch.py:1:12: import os, requests\n",
      stderr: "",
    });
  });

  test.each([
    [["import:requests"], "team/fetch.py:1:12: import os, requests\n"],
    [
      ["requests.get", "import:os"],
      "team/fetch.py:5:9: \treturn requests.get('x')  # 😀 requests\nteam/fetch.py:1:8: import os, requests\n",
    ],
    [["name:fetch"], "team/fetch.py\n"],
    [["namespace:team", "state:ready"], "team/fetch.py\n"],
    [["-E", String.raw`^def \w+`], "team/fetch.py:4:1: def get():\n"],
    [["needle"], "default/escape.py:1:7: # \\x1b[2Jneedle\\u202e\n"],
    [["-w", "many_here"], ""],
  ])("%j", async (args, stdout) => {
    const ended = await sluice(args);
    if (stdout === "") expect(ended.stdout.split("\n")).toHaveLength(104);
    else expect(ended).toEqual({ code: 0, stdout, stderr: "" });
  });

  test("goes on by cursor, and gives each script as the server does", async () => {
    const all = await sluice(["--json", "many_here"]);
    const ids = all.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { script_id: string }).script_id);
    expect(new Set(ids).size).toBe(103);

    const first = await sluice(["--json", "--limit", "101", "many_here"]);
    expect(first.code).toBe(0);
    const cursor = /--cursor (\S+)\n$/.exec(first.stderr)?.[1] ?? "";
    const rest = await sluice(["--json", "--cursor", cursor, "many_here"]);
    expect(rest.stderr).toBe("");
    expect(first.stdout + rest.stdout).toBe(all.stdout);
    expect(await sluice(["--cursor", cursor, "other"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("[invalid_cursor]") as string,
    });
  });

  test.each([
    ["nothing found", ["no_such_thing"], {}, 1, /^$/],
    ["another case", ["-s", "IMPORT"], {}, 1, /^$/],
    ["elsewhere", ["--in", "name,docstring", "requests"], {}, 1, /^$/],
    ["no query", [], {}, 2, /missing required argument 'query'/],
    ["a wrong field", ["nmae:x"], {}, 2, /has no field `nmae`.*\[invalid_query\]/],
    ["a wrong expression", ["-E", "a(b"], {}, 2, /missing closing \).*\[invalid_query\]/],
    ["a wrong place", ["--in", "body", "x"], {}, 2, /one of name, content, docstring/],
    ["a wrong limit", ["--limit", "0", "x"], {}, 2, /whole number from 1/],
    ["a minus without --", ["-state:ready"], {}, 2, /unknown option/],
    ["no URL", ["x"], { SLUICE_URL: "sluice" }, 2, /must be a URL/],
    ["nobody there", ["x"], { SLUICE_URL: "http://127.0.0.1:1" }, 2, /does not answer/],
    ["a wrong key", ["x"], { SLUICE_API_KEY: "x" }, 2, /SLUICE_API_KEY.*\[unauthorized\]/],
  ])("%s", async (_what, args, env, code, said) => {
    const ended = await sluice(args, env);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toMatch(said);
  });

  test("says that scripts were passed over, and asks again where the server is busy", async () => {
    const busy = {
      type: "about:blank",
      title: "Busy",
      status: 503,
      detail: "Busy.",
      instance: "/",
      request_id: "1",
      code: "search_overloaded",
    };
    const page = { items: [], next_cursor: null, complete: true, passed_over: 2 };
    let asked = 0;
    const server: Server = createServer((_, response) => {
      const isFirst = asked++ === 0;
      response.writeHead(isFirst ? 503 : 200, { "Content-Type": "application/json" });
      response.end(JSON.stringify(isFirst ? busy : page));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      expect(await sluice(["x"], { SLUICE_URL: `http://127.0.0.1:${port}` })).toEqual({
        code: 2,
        stdout: "",
        stderr: "sluice: 2 scripts took too long to look at, and were passed over\n",
      });
      expect(asked).toBe(2);
    } finally {
      server.close();
    }
  });
});
