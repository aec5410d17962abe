import { existsSync, lstatSync, mkdirSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findCopy } from "@sluice/backup";
import { type ObjectStore, openObjectStore } from "@sluice/object-store";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client } from "../pipeline/client.js";
import { Installation } from "../pipeline/installation.js";
import {
  describeWith,
  type Filling,
  mountSmallDisk,
  type RedisServer,
  type SmallDisk,
  startRedis,
} from "../servers/index.js";
import {
  type Acknowledged,
  catalogUrlOf,
  expectNothingLeftOver,
  type Sent,
  sha256Of,
  untilFinalPersistently,
  uploadPersistently,
} from "./acknowledged.js";

const UPLOADS = 200;
/** So many are in before the disk is filled. */
const BEFORE = 20;
/** From here on they are sent while it is full. */
const AFTER = 100;
const DISK_MEGABYTES = 256;
const ENV = { LEASE_SECONDS: "5", JANITOR_INTERVAL_SECONDS: "1", ORPHAN_GRACE_SECONDS: "60" };
const HOUR_S = 3_600;

for (const queue of ["postgres", "redis"] as const)
  describeWith(
    ["postgres", queue, "mount"],
    `with a queue on ${queue}, and all of it on one small disk,`,
    () => {
      let disk: SmallDisk;
      let redis: RedisServer | undefined;
      let sluice: Installation | undefined;
      let filling: Filling | undefined;
      let objects: ObjectStore;
      let backup: ObjectStore;

      beforeAll(async () => {
        disk = await mountSmallDisk(DISK_MEGABYTES);
        const env: Record<string, string> = { ...ENV };
        if (queue === "redis") {
          mkdirSync(join(disk.seenFromHere, "redis"));
          redis = await startRedis({ directory: join(disk.path, "redis"), command: disk.command });
          env["QUEUE_URL"] = `${redis.url}/0`;
        }
        sluice = await Installation.start(join(disk.path, "data"), env, disk.command);
        const seen = (name: string) => pathToFileURL(join(disk.seenFromHere, "data", name)).href;
        objects = await openObjectStore(seen("objects"));
        backup = await openObjectStore(seen("backup"));
      });
      afterAll(async () => {
        await filling?.giveRoom();
        const code = await sluice?.stop();
        await objects?.close();
        await backup?.close();
        await redis?.stop();
        await disk?.remove();
        expect(code).toBe(0);
      });

      test(
        "that others fill to the last byte, nothing acknowledged is lost, and intake opens again by itself",
        { timeout: 240_000 },
        async () => {
          if (sluice === undefined) throw new Error("not started");
          const client = new Client(sluice.url);
          const scripts = manyScripts();
          const refused = new Map<string, number>();
          const onRefused = (answer: string): void => {
            const status = /: (\d{3}) /.exec(answer)?.[1] ?? answer;
            refused.set(status, (refused.get(status) ?? 0) + 1);
          };
          const upload = (script: Sent) => uploadPersistently(client, script, onRefused);
          const before = await Promise.all(scripts.slice(0, BEFORE).map(upload));

          filling = disk.fill();
          const during = Promise.all(scripts.slice(BEFORE, AFTER).map(upload));
          await filling.full;
          const full = Promise.all(scripts.slice(AFTER).map(upload));
          await query(catalogUrlOf(sluice), MUCH_LOG).catch(() => {});
          const { log } = sluice;
          await expect
            .poll(() => log.some(isPanic) && refused.has("507"), { interval: 50 })
            .toBe(true);
          await filling.giveRoom();
          filling = undefined;

          const acknowledged = [...before, ...(await during), ...(await full)];
          expect(acknowledged).toHaveLength(UPLOADS);
          // 409: the try before was cut off with its connection, and its claim of the key is given back within a second.
          expect([...refused.keys()].filter((status) => !/^(409|503|507)$/.test(status))).toEqual(
            [],
          );
          await query(
            catalogUrlOf(sluice),
            "update stages set available_at = now() where available_at > now()",
          );
          await Promise.all(acknowledged.map((one) => expectDone(client, backup, one)));

          // Old enough for the orphan sweep of a janitor that starts: objects whose rows found no room.
          age(join(disk.seenFromHere, "data", "objects"));
          sluice.kill("janitor");
          await expectNothingLeftOver(sluice, objects, acknowledged);
          for (const store of ["objects", "backup"]) {
            const names = readdirSync(join(disk.seenFromHere, "data", store), {
              recursive: true,
              encoding: "utf8",
            });
            expect(names.filter((name) => name.includes(".tmp-"))).toEqual([]);
          }
        },
      );
    },
  );

async function expectDone(
  client: Client,
  backup: ObjectStore,
  { script: { filename, content }, uploaded }: Acknowledged,
): Promise<void> {
  const state = await untilFinalPersistently(client, uploaded.script_id);
  expect([filename, uploaded.version, state]).toEqual([filename, 1, "ready"]);
  expect((await client.content(uploaded.script_id)).equals(content)).toBe(true);
  const copy = await findCopy(backup, sha256Of(content), []);
  expect("content" in copy && copy.content.equals(content)).toBe(true);
}

/** Quick to parse and to index, and some of them large. */
function manyScripts(): Sent[] {
  return Array.from({ length: UPLOADS }, (_, index) => ({
    filename: `script_${index}.py`,
    content: Buffer.from(
      `def f${index}(x: int) -> int:\n    return x\n# ${"x".repeat((index % 10) * 4_000)}\n`,
    ),
  }));
}

/** More than the write-ahead log has room for in its files: PostgreSQL needs another one at once. */
const MUCH_LOG =
  "select pg_logical_emit_message(false, 'test', repeat(md5(n::text), 32768)) from generate_series(1, 24) n";

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end().catch(() => {});
  }
}

function isPanic(line: {
  readonly program?: unknown;
  readonly level: string;
  readonly msg: string;
}) {
  return line.program === "postgres" && line.level === "error" && /No space left/.test(line.msg);
}

function age(directory: string): void {
  if (!existsSync(directory)) return;
  const old = Date.now() / 1000 - HOUR_S;
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const path = join(directory, name);
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) utimesSync(path, old, old);
  }
}
