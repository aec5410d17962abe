import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
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
type Store = "catalog" | "queue" | "objects";

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
      let env: Env = { ...setUp.env, EXPORT_INTERVAL_SECONDS: "1" };
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
      const before = await answers(client, ids);

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
        expect(await answers(client, ids), lost.join()).toEqual(before);
        await post(client, "/stages/validate/resume", undefined);
        const ends = await mapAll(underWay, (id) => client.untilFinal(id));
        expect(new Set(ends.map(({ state }) => state)), lost.join()).toEqual(new Set(["ready"]));
        await untilExported(client);
      }
    }, 300_000);
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

/** What the API says of every script, and the audit log. */
async function answers(client: Client, ids: readonly string[]): Promise<Map<string, string>> {
  const paths = [
    "/audit?limit=200",
    ...ids.flatMap((id) =>
      ["", "/status", "/report", "/metadata", "/content", "/versions/1/status", "/approvals"].map(
        (part) => `/scripts/${id}${part}`,
      ),
    ),
  ];
  const said = await mapAll(paths, async (path) => {
    const response = await fetch(`${client.url}/api/v1${path}`);
    // Of an error, everything but the id of the request.
    const text = await response.text();
    return [path, `${response.status} ${response.ok ? text : ""}`] as const;
  });
  return new Map(said);
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
    if (lost.includes("objects")) rmSync(join(dataDir, "objects"), { recursive: true });
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
  if (lost.includes("objects")) {
    const url = new URL(env["OBJECT_STORE_URL"] ?? "");
    url.pathname = `${url.pathname}-x`;
    next["OBJECT_STORE_URL"] = url.href;
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
