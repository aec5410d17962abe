import { setTimeout as delay } from "node:timers/promises";
import { type ObjectStore, openObjectStore } from "@sluice/object-store";
import { STAGE_NAMES } from "@sluice/pipeline";
import type { Metadata } from "@sluice/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client } from "../pipeline/client.js";
import { Installation } from "../pipeline/installation.js";
import { SET_UPS, type SetUp } from "../pipeline/set-ups.js";
import { describeWith } from "../servers/index.js";
import {
  type Acknowledged,
  expectNothingLeftOver,
  placeOf,
  sha256Of,
  untilFinalPersistently,
  uploadPersistently,
} from "./acknowledged.js";
import { realScripts } from "./real-scripts.js";

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
