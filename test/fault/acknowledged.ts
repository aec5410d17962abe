import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type ObjectStore, REGISTERS } from "@sluice/object-store";
import { isFinal, STAGE_NAMES } from "@sluice/pipeline";
import pg from "pg";
import { expect } from "vitest";
import type { Client, Uploaded } from "../pipeline/client.js";
import type { Installation } from "../pipeline/installation.js";

/** A script to be uploaded. */
export interface Sent {
  readonly filename: string;
  readonly content: Buffer;
}

/** A script, and what its upload was answered. */
export interface Acknowledged {
  readonly script: Sent;
  readonly uploaded: Uploaded;
}

export function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function placeOf(sha256: string): string {
  return `sha256/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`;
}

/** As a careful client does: again, under the same key, until it is told that it arrived. */
export function uploadPersistently(
  client: Client,
  script: Sent,
  onRefused: (answer: string) => void = () => {},
): Promise<Acknowledged> {
  const headers = { "idempotency-key": randomUUID() };
  return persistently(
    async () => ({
      script,
      uploaded: await client.upload(script.filename, script.content, { headers }),
    }),
    onRefused,
  );
}

export function untilFinalPersistently(client: Client, scriptId: string): Promise<string> {
  return persistently(async () => {
    const { state } = await client.untilFinal(scriptId);
    if (!isFinal(state)) throw new Error(`${scriptId} is ${state}`);
    return state;
  });
}

/** Tries again after answers that say that trying again helps: no connection, 409 under way, 503, 507. */
async function persistently<T>(
  work: () => Promise<T>,
  onRefused: (answer: string) => void = () => {},
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!/fetch failed|terminated|: (409|500|502|503|507) /.test(message)) throw error;
      onRefused(message);
      await delay(200);
    }
  }
}

/** Waits until catalog and object store hold the results of these scripts, each once, and nothing else. */
export async function expectNothingLeftOver(
  sluice: Installation,
  objects: ObjectStore,
  acknowledged: readonly Acknowledged[],
): Promise<void> {
  const hashes = acknowledged.map(({ script }) => sha256Of(script.content));
  const keys = async () => {
    const found: string[] = [];
    for await (const { key } of objects.list("")) if (!key.startsWith(REGISTERS)) found.push(key);
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
export function catalogUrlOf(sluice: Installation): string {
  const environment = readFileSync(`/proc/${sluice.pidOf("ingest")}/environ`, "utf8").split("\0");
  const entry = environment.find((line) => line.startsWith("CATALOG_URL="));
  if (entry === undefined) throw new Error("ingest has no CATALOG_URL");
  return entry.slice("CATALOG_URL=".length);
}
