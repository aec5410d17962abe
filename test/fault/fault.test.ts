import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type ObjectStore, openObjectStore } from "@sluice/object-store";
import { isFinal, STAGE_NAMES } from "@sluice/pipeline";
import type { Metadata } from "@sluice/contracts";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, type Uploaded } from "../pipeline/client.js";
import { Installation } from "../pipeline/installation.js";
import { SET_UPS, type SetUp } from "../pipeline/set-ups.js";
import { describeWith } from "../servers/index.js";
import { type RealScript, realScripts } from "./real-scripts.js";

const SCRIPTS = 300;
const KILLS = 20;
/** Short, so that what a kill has left behind is taken up within the test. */
const ENV = { LEASE_SECONDS: "5", JANITOR_INTERVAL_SECONDS: "1", ORPHAN_GRACE_SECONDS: "60" };

for (const { name, parts, start } of SET_UPS) {
  describeWith([...parts, "python3"], `with a process killed every second, ${name},`, () => {
    let setUp: SetUp;
    let sluice: Installation;
    let client: Client;
    let objects: ObjectStore;

    beforeAll(async () => {
      setUp = await start();
      sluice = await Installation.start(setUp.dataDir, { ...setUp.env, ...ENV });
      client = new Client(sluice.url);
      objects = await openObjectStore(setUp.objectStoreUrl);
    });
    afterAll(async () => {
      if (sluice !== undefined) expect(await sluice.stop()).toBe(0);
      await objects?.close();
      await setUp?.remove();
    });

    test(
      "nothing acknowledged is lost, and nothing is left over",
      { timeout: 300_000 },
      async () => {
        const scripts = realScripts(SCRIPTS);
        const uploads: Promise<Acknowledged>[] = [];
        const perKill = Math.ceil(SCRIPTS / KILLS);
        for (let kill = 0; kill < KILLS; kill += 1) {
          const batch = scripts.slice(kill * perKill, (kill + 1) * perKill);
          uploads.push(...batch.map((script) => uploadPersistently(client, script)));
          if (kill === KILLS / 2) await killQueueServer(setUp, sluice);
          else sluice.kill(randomVictim());
          // The rhythm of the kills is what the test is about, not a wait for a state.
          await delay(1_000);
        }
        const acknowledged = await Promise.all(uploads);
        expect(acknowledged).toHaveLength(SCRIPTS);

        const finals = await Promise.all(
          acknowledged.map(({ uploaded }) => untilFinalPersistently(client, uploaded.script_id)),
        );
        for (const [index, state] of finals.entries()) {
          const { script } = acknowledged[index] as Acknowledged;
          expect([script.filename, state]).toEqual([
            script.filename,
            expect.stringMatching(/^(ready|needs_approval)$/),
          ]);
        }
        await expectNothingLeftOver(sluice, objects, acknowledged);
        // Results are one: what was final stays so, and catalog and store tell the same.
        for (const [index, { script, uploaded }] of acknowledged.entries()) {
          const { script_id: id } = uploaded;
          expect((await client.status(id)).state).toBe(finals[index]);
          expect(uploaded.version).toBe(1);
          expect((await client.content(id)).equals(script.content)).toBe(true);
          const sha256 = sha256Of(script.content);
          const key = `blobs/${placeOf(sha256)}.metadata.json`;
          const beside = JSON.parse((await objects.get(key)).toString()) as Metadata;
          expect((await client.metadata(id)).functions).toEqual(beside.functions);
        }
      },
    );
  });
}

interface Acknowledged {
  readonly script: RealScript;
  readonly uploaded: Uploaded;
}

function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function placeOf(sha256: string): string {
  return `sha256/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`;
}

function randomVictim(): string {
  const victims = [...STAGE_NAMES, "index", "janitor"];
  return victims[Math.floor(Math.random() * victims.length)] as string;
}

/** Embedded, the queue's server is the PostgreSQL that holds the catalog too. */
async function killQueueServer(setUp: SetUp, sluice: Installation): Promise<void> {
  if (setUp.redis === undefined) {
    sluice.kill("postgres");
  } else {
    await setUp.redis.kill();
    await setUp.redis.restart();
  }
}

/** As a careful client does: again, under the same key, until it is told that it arrived. */
async function uploadPersistently(client: Client, script: RealScript): Promise<Acknowledged> {
  const headers = { "idempotency-key": randomUUID() };
  return persistently(async () => ({
    script,
    uploaded: await client.upload(script.filename, script.content, { headers }),
  }));
}

function untilFinalPersistently(client: Client, scriptId: string): Promise<string> {
  return persistently(async () => {
    const { state } = await client.untilFinal(scriptId);
    if (!isFinal(state)) throw new Error(`${scriptId} is ${state}`);
    return state;
  });
}

/** Tries again after answers that say that trying again helps: no connection, 409 under way, 503. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!/fetch failed|terminated|: (409|500|502|503) /.test(message)) throw error;
      await delay(200);
    }
  }
}

async function expectNothingLeftOver(
  sluice: Installation,
  objects: ObjectStore,
  acknowledged: readonly Acknowledged[],
): Promise<void> {
  const hashes = acknowledged.map(({ script }) => sha256Of(script.content));
  const keys = async () => {
    const found: string[] = [];
    for await (const { key } of objects.list("")) found.push(key);
    return found;
  };
  const unexpected = async () => {
    const counts = new Map<string, number>();
    for (const key of await keys()) {
      const plain = key.replace(/\.(zst|metadata\.json)$/, (suffix) =>
        suffix === ".zst" ? "" : suffix,
      );
      counts.set(plain, (counts.get(plain) ?? 0) + 1);
    }
    const expected = hashes.flatMap((hash) => [
      `blobs/${placeOf(hash)}`,
      `blobs/${placeOf(hash)}.metadata.json`,
    ]);
    return [
      ...expected
        .filter((key) => counts.get(key) !== 1)
        .map((key) => `${counts.get(key) ?? 0} of ${key}`),
      ...[...counts.keys()].filter((key) => !expected.includes(key)),
    ];
  };
  await expect.poll(unexpected, { timeout: 150_000, interval: 1_000 }).toEqual([]);

  const catalog = new pg.Client(catalogUrlOf(sluice));
  await catalog.connect();
  try {
    const count = async (query: string) =>
      (await catalog.query<{ count: number }>(`select count(*)::int as count ${query}`)).rows[0]
        ?.count;
    expect(await count("from scripts")).toBe(acknowledged.length);
    expect(await count("from versions where raw_key is null")).toBe(acknowledged.length);
    expect(await count("from stages where state = 'done'")).toBe(
      acknowledged.length * STAGE_NAMES.length,
    );
    expect(await count("from stages where state <> 'done'")).toBe(0);
    expect(await count("from analyses where state = 'done'")).toBe(new Set(hashes).size);
    expect(await count("from blobs where state = 'stored'")).toBe(new Set(hashes).size);
    expect(await count("from blobs where state <> 'stored'")).toBe(0);
  } finally {
    await catalog.end();
  }
}

/** The catalog that a child of the launcher was given. */
function catalogUrlOf(sluice: Installation): string {
  const environment = readFileSync(`/proc/${sluice.pidOf("ingest")}/environ`, "utf8").split("\0");
  const entry = environment.find((line) => line.startsWith("CATALOG_URL="));
  if (entry === undefined) throw new Error("ingest has no CATALOG_URL");
  return entry.slice("CATALOG_URL=".length);
}
