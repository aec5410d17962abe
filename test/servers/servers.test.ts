import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";

import { openObjectStore } from "@sluice/object-store";
import { Redis } from "ioredis";
import pg from "pg";
import { expect, test } from "vitest";

import {
  createDatabase,
  describeWith,
  sharedPostgres,
  startPostgres,
  startRedis,
  startS3,
} from "./index.js";

describeWith(["redis"], "redis", () => {
  test("keeps port and data when it is killed, and gives both back when it is stopped", async () => {
    const server = await startRedis();
    const redis = new Redis(server.url, { retryStrategy: () => 10 });
    redis.on("error", () => undefined);
    await redis.set("key", "value");
    await server.kill();
    await server.restart();
    expect(await redis.get("key")).toBe("value");
    const [, directory] = (await redis.config("GET", "dir")) as [string, string];
    const { pid } = server;
    redis.disconnect();
    await server.stop();
    expect([isRunning(pid), existsSync(directory)]).toEqual([false, false]);
  });
});

describeWith(["postgres"], "postgres", () => {
  test("keeps port and data when it is killed, and gives both back when it is stopped", async () => {
    const server = await startPostgres();
    const url = await createDatabase(server);
    await query(url, "CREATE TABLE kept AS SELECT 1 AS value");
    await server.kill();
    await server.restart();
    expect(await query(url, "SELECT value FROM kept")).toEqual([{ value: 1 }]);
    const [{ data_directory: data }] = (await query(url, "SHOW data_directory")) as [
      { data_directory: string },
    ];
    const { pid } = server;
    await server.stop();
    expect([isRunning(pid), existsSync(dirname(data))]).toEqual([false, false]);
  });

  test("makes a database of its own for each who asks", async () => {
    const [one, other] = [
      await createDatabase(sharedPostgres()),
      await createDatabase(sharedPostgres()),
    ];
    await query(one, "CREATE TABLE mine ()");
    expect(await query(other, "SELECT to_regclass('mine') AS found")).toEqual([{ found: null }]);
  });
});

for (const kind of ["minio", "versitygw"] as const) {
  describeWith([kind], kind, () => {
    test("keeps port and data when it is killed", async (context) => {
      const server = await startS3(kind);
      if (server.own === undefined) return context.skip("S3_TEST_URL names somebody else's server");
      const store = await openObjectStore(server.bucketUrl());
      await store.put("key", Buffer.from("value"));
      await server.own.kill();
      await server.own.restart();
      expect(String(await store.get("key"))).toBe("value");
      const { pid } = server.own;
      await store.close();
      await server.stop();
      expect(isRunning(pid)).toBe(false);
    });
  });
}

describeWith(["redis", "postgres", "versitygw"], "a test process that is killed", () => {
  test("leaves no process and no directory", async () => {
    const program = `
      const { startPostgres, startRedis, startS3, temporaryDirectory } = await import("./test/servers/index.ts");
      const [redis, postgres, s3] = [await startRedis(), await startPostgres(), await startS3("versitygw")];
      console.log(JSON.stringify([redis.pid, postgres.pid, s3.own.pid, temporaryDirectory()]));
      setInterval(() => undefined, 1_000);`;
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", program],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const started = JSON.parse(String(line)) as (number | string)[];
    const isThere = (what: number | string) =>
      typeof what === "number" ? isRunning(what) : existsSync(what);
    expect(started.map(isThere)).toEqual([true, true, true, true]);
    child.kill("SIGKILL");
    await expect
      .poll(() => started.map(isThere), { timeout: 20_000 })
      .toEqual([false, false, false, false]);
  });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
