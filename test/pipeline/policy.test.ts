import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PolicyDryRun, PolicyInForce, ScriptList } from "@sluice/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "../servers/index.js";
import { Client } from "./client.js";
import { freshDataDir, Installation } from "./installation.js";

const ENV = { JANITOR_INTERVAL_SECONDS: "1" };
const NETWORK = "import urllib.request\nurllib.request.urlopen('http://127.0.0.1')\n";
const SHELL = "import os\nos.system('ls')\n";

const policy = (text: string, name = "test") => `name: ${name}\nversion: 1\n${text}\n`;
const STRICT = policy(`
capabilities: {default: allowed, refused: [network.*]}
imports: {default: allowed}
namespaces: {trusted/*: {capabilities: {allowed: [network.*]}}}`);
const LOOSE = policy(`
capabilities: {default: allowed, needs_approval: [process.*]}
imports: {default: allowed}
limits: {max_bytes: 60}`);

describeWith(["postgres"], "a policy that changes", () => {
  const dataDir = freshDataDir();
  let sluice: Installation;
  let client: Client;

  const start = async (env: Readonly<Record<string, string>> = {}) => {
    sluice = await Installation.start(dataDir.path, { ...ENV, ...env });
    client = new Client(sluice.url);
  };
  beforeAll(() => start());
  afterAll(async () => {
    if (sluice !== undefined) expect(await sluice.stop()).toBe(0);
    dataDir.remove();
  });

  const read = () => client.get<PolicyInForce>("/policy");
  const put = async <Body>(text: string, query: string): Promise<Body> => {
    const response = await fetch(`${client.url}/api/v1/policy${query}`, {
      method: "PUT",
      body: text,
      headers: { "Content-Type": "application/yaml", "If-Match": "*" },
    });
    expect(response.ok).toBe(true);
    return (await response.json()) as Body;
  };
  const dryRun = async (text: string) => {
    const items: PolicyDryRun["items"] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: PolicyDryRun = await put(text, `?dry_run=true&limit=200${cursor}`);
      items.push(...page.items);
      cursor = page.next_cursor === null ? null : `&cursor=${page.next_cursor}`;
    }
    return new Map(items.map((item) => [item.script_id, item]));
  };
  const applied = async () => {
    await expect.poll(async () => (await read()).applied_at, { timeout: 60_000 }).not.toBeNull();
  };
  const states = async () => {
    const found = new Map<string, string>();
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: ScriptList = await client.get(`/scripts?limit=200${cursor}`);
      for (const { script_id: id, state } of page.items) found.set(id, state);
      cursor = page.next_cursor === null ? null : `&cursor=${page.next_cursor}`;
    }
    return found;
  };

  test("changes stored scripts as the dry run said, though the janitor is killed, and back", async () => {
    const bodies = Array.from({ length: 240 }, (_, i) =>
      i % 3 === 0 ? NETWORK : i % 3 === 1 ? SHELL : "x = 1\n",
    );
    const uploads = await Promise.all(
      bodies.map((body, i) =>
        client.upload(`s${i}.py`, `${body}# ${i}\n`, {
          query: `?namespace=${i % 2 === 0 ? "default" : "trusted/a"}`,
        }),
      ),
    );
    const ends = await Promise.all(uploads.map(({ script_id: id }) => client.untilFinal(id)));
    expect(new Set(ends.map(({ state }) => state))).toEqual(new Set(["ready", "needs_approval"]));

    for (const text of [STRICT, LOOSE, STRICT]) {
      const before = await states();
      const said = await dryRun(text);
      expect(said.size).toBeGreaterThan(20);
      expect(await states()).toEqual(before);
      await put(text, "");
      sluice.kill("janitor");
      await applied();
      const after = await states();
      const happened = [...after].filter(([id, state]) => before.get(id) !== state);
      expect(new Map([...said].map(([id, { to }]) => [id, to]))).toEqual(new Map(happened));
    }
    const report = await client.report(uploads[0]?.script_id as string);
    expect(report).toMatchObject({ verdict: "refused", policy: { name: "test" } });
    // Nobody parsed anything for that.
    expect(
      sluice.log.filter(({ msg, stage }) => msg === "done" && stage === "validate"),
    ).toHaveLength(bodies.length);
  });

  test("holds for what is uploaded at that moment", async () => {
    await put(LOOSE, "");
    const during: Promise<{ script_id: string }>[] = [];
    for (let i = 0; i < 60; i += 1) {
      during.push(client.upload(`during-${i}.py`, `${NETWORK}# ${i}\n`));
      if (i === 30) await put(STRICT, "");
    }
    const uploads = await Promise.all(during);
    await Promise.all(uploads.map(({ script_id: id }) => client.untilFinal(id)));
    await applied();
    const now = await states();
    expect(uploads.map(({ script_id: id }) => now.get(id))).toEqual(uploads.map(() => "rejected"));
  });

  test("is that of a file from the next start on", async () => {
    const file = join(dataDir.path, "policy.yaml");
    writeFileSync(file, policy("", "filed"));
    await sluice.stop();
    await start({ POLICY_FILE: file });
    expect(await read()).toMatchObject({ name: "filed", activated_by: "POLICY_FILE" });
  }, 120_000);
});
