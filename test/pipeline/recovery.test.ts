import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pLimit from "p-limit";
import { afterAll, expect, test } from "vitest";
import { createDatabase, describeWith } from "../servers/index.js";
import { Client } from "./client.js";
import { Installation } from "./installation.js";
import { SET_UPS, type SetUp } from "./set-ups.js";

const SLUICE = fileURLToPath(new URL("../../packages/cli/bin/sluice.mjs", import.meta.url));
const SCRIPTS = 1_000;
/** As many have bytes of their own; the others are duplicates. */
const DIFFERENT = 150;
const AT_ONCE = 16;
type Env = Record<string, string>;
type Store = "catalog" | "queue" | "objects" | "backup";

for (const { name, parts, start } of SET_UPS) {
  describeWith(parts, `the recovery drill ${name}`, () => {
    let setUp: SetUp;
    let sluice: Installation | undefined;
    afterAll(async () => {
      await sluice?.stop();
      await setUp?.remove();
    });

    test("gives every answer again, whatever was destroyed, and ends what was under way", async () => {
      setUp = await start();
      let env: Env = { ...setUp.env, EXPORT_INTERVAL_SECONDS: "1", LOG_LEVEL: "warn" };
      sluice = await Installation.start(setUp.dataDir, env);
      let client = new Client(sluice.url);
      const ids = await mapAll(
        Array.from({ length: SCRIPTS }, (_, i) => i),
        async (i) => (await client.upload(`${i}.py`, source(i % DIFFERENT))).script_id,
      );
      await client.upload("0.py", "import json\n");
      await mapAll(ids, (id) => client.untilFinal(id));
      await post(client, `/scripts/${ids[2]}/approvals`, {
        decision: "granted",
        capabilities: ["filesystem.delete"],
        reason: "A drill",
      });
      await describe(client, ids[3] as string);
      await client.upload("4.py", "import re\n");
      await remove(client, ids[5] as string);
      await mapAll(ids.slice(0, 5), (id) => client.untilFinal(id));
      const before = await answers(client, ids);
      const told = await readEvents(client);

      await post(client, "/stages/validate/pause", undefined);
      const underWay = await mapAll(
        Array.from({ length: 20 }, (_, i) => i),
        async (i) => (await client.upload(`late-${i}.py`, `late = ${i}\n`)).script_id,
      );
      await untilExported(client);

      for (const lost of [
        ["queue"],
        ["objects"],
        ["catalog"],
        ["catalog", "queue", "objects"],
      ] as Store[][]) {
        expect(await sluice.stop()).toBe(0);
        env = await destroy(lost, setUp, env);
        if (lost.includes("objects") || lost.includes("catalog")) {
          const options =
            lost.length > 1 ? [] : [lost[0] === "objects" ? "--objects-only" : "--keep-objects"];
          await runSluice(["restore", ...options], { ...env, SLUICE_DATA: setUp.dataDir });
        }
        sluice = await Installation.start(setUp.dataDir, env);
        client = new Client(sluice.url);
        expect(differences(before, await answers(client, ids)), lost.join()).toEqual([]);
        expect(await readEvents(client), lost.join()).toEqual(expect.arrayContaining(told));
        await post(client, "/stages/validate/resume", undefined);
        const ends = await mapAll(underWay, (id) => client.untilFinal(id));
        expect(new Set(ends.map(({ state }) => state)), lost.join()).toEqual(new Set(["ready"]));
        await untilExported(client);
      }

      // "Restore yesterday's script": of one that is in the trash, while everything runs.
      const wanted = ids[5] as string;
      await runSluice(["restore", "--script", wanted], { ...env, SLUICE_DATA: setUp.dataDir });
      expect((await client.content(wanted)).toString()).toBe(source(5));
      await untilExported(client);

      // Nothing is left but the objects: everything is analysed again.
      expect(await sluice.stop()).toBe(0);
      env = await destroy(["catalog", "queue", "backup"], setUp, env);
      await runSluice(["rebuild"], { ...env, SLUICE_DATA: setUp.dataDir });
      sluice = await Installation.start(setUp.dataDir, env);
      client = new Client(sluice.url);
      await mapAll([...ids, ...underWay], (id) => client.untilFinal(id));
      const others = ids.filter((id) => id !== wanted);
      const followed = (all: Map<string, string>) => followsFromBytes(all, others);
      const analysed = await answers(client, others, FOLLOWING);
      expect(differences(followed(before), followed(analysed))).toEqual([]);
    }, 600_000);
  });
}

async function mapAll<In, Out>(
  items: readonly In[],
  work: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const limit = pLimit(AT_ONCE);
  return Promise.all(items.map((item) => limit(() => work(item))));
}

function source(i: number): string {
  if (i % 10 === 1) return `def broken_${i}(:\n`;
  if (i % 10 === 2) return `import os\nos.remove("x")  # ${i}\n`;
  return `def f_${i}(a: int) -> int:\n    """Adds ${i}."""\n    return a + ${i}\n`;
}

const PARTS = [
  "",
  "/status",
  "/report",
  "/metadata",
  "/metadata/history",
  "/content",
  "/versions",
  "/versions/1/status",
  "/approvals",
];

/** Those that say nothing of when and how often a script was analysed, or which are made to. */
const FOLLOWING = ["", "/report", "/metadata", "/metadata/history", "/content", "/approvals"];

/** What the API says of every script, and the audit log. */
async function answers(
  client: Client,
  ids: readonly string[],
  parts = PARTS,
): Promise<Map<string, string>> {
  const paths = [
    "/audit?limit=200",
    "/scripts?sort=filename&limit=100",
    "/policy",
    "/policies",
  ].concat(ids.flatMap((id) => parts.map((part) => `/scripts/${id}${part}`)));
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  try {
    const said = await mapAll(
      paths,
      async (path) => [path, await ask(client, path, agent)] as const,
    );
    return new Map(said);
  } finally {
    agent.destroy();
  }
}

/** The built-in `fetch` takes longer than the server does, and these are 9,000 requests. */
function ask({ url }: Client, path: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${url}/api/v1${path}`, { agent }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode = 0 } = response;
        // Of an error, everything but the id of the request.
        resolve(`${statusCode} ${statusCode < 300 ? Buffer.concat(parts).toString() : ""}`);
      });
    }).on("error", reject);
  });
}

/** What does not say when and how often it was analysed. */
function followsFromBytes(all: Map<string, string>, ids: readonly string[]): Map<string, string> {
  return new Map(
    ids.flatMap((id) =>
      FOLLOWING.map((part) => {
        const path = `/scripts/${id}${part}`;
        return [path, (all.get(path) ?? "").replace(/"finished_at":"[^"]*"/, "")];
      }),
    ),
  );
}

/** The first few, which say more than two maps of thousands. */
function differences(before: Map<string, string>, after: Map<string, string>): object[] {
  return [...before]
    .filter(([path, said]) => after.get(path) !== said)
    .slice(0, 5)
    .map(([path, said]) => ({
      path,
      before: said.slice(0, 500),
      after: after.get(path)?.slice(0, 500),
    }));
}

async function readEvents(client: Client): Promise<object[]> {
  return (await client.get<{ items: object[] }>("/events?limit=200")).items;
}

/** Gives a script what people say of it, in two steps, so that there is a history. */
async function describe(client: Client, id: string): Promise<void> {
  const url = `${client.url}/api/v1/scripts/${id}/metadata`;
  for (const patch of [
    { title: "A drill", tags: ["drill", "kept"], labels: { team: "ops" } },
    { owner: "somebody", pinned: true, tags: ["kept"] },
  ]) {
    const etag = (await fetch(url)).headers.get("etag") ?? "";
    const response = await fetch(url, {
      method: "PATCH",
      headers: { "Content-Type": "application/merge-patch+json", "If-Match": etag },
      body: JSON.stringify(patch),
    });
    expect(response.status).toBe(200);
  }
}

async function remove(client: Client, id: string): Promise<void> {
  const url = `${client.url}/api/v1/scripts/${id}?confirm=${id}`;
  expect((await fetch(url, { method: "DELETE" })).ok).toBe(true);
}

async function post(client: Client, path: string, body: object | undefined): Promise<void> {
  const response = await fetch(`${client.url}/api/v1${path}`, {
    method: "POST",
    ...(body && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
  expect(response.ok, `${path}: ${response.status}`).toBe(true);
}

/** Until an export that began after this has come to its end. */
async function untilExported(client: Client): Promise<void> {
  const since = Date.now();
  await expect
    .poll(
      async () => {
        const { items } = await client.get<{
          items: {
            name: string;
            last_started_at: string | null;
            last_finished_at: string | null;
            running: boolean;
          }[];
        }>("/maintenance");
        const task = items.find(({ name: one }) => one === "export-catalog");
        return (
          task !== undefined && !task.running && Date.parse(task.last_started_at ?? "") > since
        );
      },
      { timeout: 60_000 },
    )
    .toBe(true);
}

/** @returns the settings that name new stores in place of those that are lost */
async function destroy(
  lost: readonly Store[],
  { dataDir, env: first }: SetUp,
  env: Env,
): Promise<Env> {
  if (first["CATALOG_URL"] === undefined) {
    // The embedded queue is a database of the embedded PostgreSQL; it is lost with it.
    if (lost.includes("catalog")) rmSync(join(dataDir, "postgres"), { recursive: true });
    for (const name of ["objects", "backup"] as const)
      if (lost.includes(name)) rmSync(join(dataDir, name), { recursive: true });
    return env;
  }
  const next = { ...env };
  if (lost.includes("catalog"))
    next["CATALOG_URL"] = await createDatabase({ url: first["CATALOG_URL"] });
  if (lost.includes("queue")) {
    const url = new URL(env["QUEUE_URL"] ?? "");
    url.pathname = `/${Number(url.pathname.slice(1)) + 1}`;
    next["QUEUE_URL"] = url.href;
  }
  for (const [name, setting] of [
    ["objects", "OBJECT_STORE_URL"],
    ["backup", "BACKUP_URL"],
  ] as const) {
    if (!lost.includes(name)) continue;
    const url = new URL(env[setting] ?? "");
    url.pathname = `${url.pathname}-x`;
    next[setting] = url.href;
  }
  return next;
}

async function runSluice(args: readonly string[], env: Env): Promise<void> {
  const child = spawn(process.execPath, [SLUICE, ...args], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  child.stderr.on("data", (data: Buffer) => (said += data.toString()));
  const [code] = (await once(child, "exit")) as [number | null];
  expect(code, said).toBe(0);
}
