import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLog } from "@sluice/runtime";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type DatabaseUrls,
  type EmbeddedPostgres,
  preparePostgres,
} from "../../packages/standalone/src/postgres/server.js";
import { describeWith, temporaryDirectory } from "../servers/index.js";

const log = createLog("test", { logLevel: "silent" });

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describeWith(["postgres"], "embedded PostgreSQL", () => {
  let dataDir: string;
  let directory: string;
  let said: string[];
  let running: EmbeddedPostgres | undefined;

  beforeEach(() => {
    dataDir = temporaryDirectory();
    directory = join(dataDir, "postgres");
    said = [];
  });

  afterEach(async () => {
    await running?.supervisor.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  function prepare(signal = new AbortController().signal): Promise<EmbeddedPostgres> {
    return preparePostgres(dataDir, log, (line) => said.push(line), signal);
  }

  async function start(): Promise<DatabaseUrls> {
    running = await prepare();
    await running.supervisor.start();
    return running.openDatabases();
  }

  test("keeps what it was given, under a role that is not its master", async () => {
    const { catalogUrl, queueUrl } = await start();
    await query(catalogUrl, "CREATE TABLE kept AS SELECT 'Größe' AS word");
    expect(
      await query(catalogUrl, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"),
    ).toEqual([{ rolsuper: false }]);
    await expect(query(queueUrl, "SELECT * FROM kept")).rejects.toThrow("does not exist");
    await expect(query(catalogUrl.replace(/:[^:@]+@/, ":wrong@"), "SELECT 1")).rejects.toThrow(
      "password",
    );
    // Trigrams of letters beyond ASCII, and settings that lose nothing.
    await query(catalogUrl, "CREATE EXTENSION pg_trgm");
    const [trigrams] = (await query(catalogUrl, "SELECT cardinality(show_trgm('ö')) AS n")) as [
      { n: number },
    ];
    expect(trigrams.n).toBe(2);
    const settings =
      "SELECT current_setting('fsync') f, current_setting('synchronous_commit') s, current_setting('max_connections') m";
    expect(await query(catalogUrl, settings)).toEqual([{ f: "on", s: "on", m: "200" }]);

    expect(await running?.supervisor.stop()).toBe(true);
    const again = await start();
    expect(await query(again.catalogUrl, "SELECT word FROM kept")).toEqual([{ word: "Größe" }]);
    // The password of the start before is worth nothing any more.
    const old = new URL(again.catalogUrl);
    old.password = new URL(catalogUrl).password;
    await expect(query(old.href, "SELECT 1")).rejects.toThrow("password");
  });

  test("never runs as root, and keeps its directory to itself", async () => {
    await start();
    const { uid, mode } = statSync(directory);
    expect(uid).not.toBe(0);
    expect(mode & 0o077).toBe(0);
    expect(statSync(join(directory, "sluice-password")).mode & 0o177).toBe(0);
  });

  test("sets a directory aside that was left half made", async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, "PG_VERSION"), "18\n");
    mkdirSync(`${directory}.new-0123`);
    const { catalogUrl } = await start();
    expect(await query(catalogUrl, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(said).toEqual([
      expect.stringMatching(/was left half made .* it is now .*\.unfinished-\d+/),
    ]);
    expect(readdirSync(dataDir).sort()).toEqual([
      "postgres",
      expect.stringMatching(/^postgres\.unfinished-\d+$/),
    ]);
  });

  test("takes an empty directory as none", async () => {
    mkdirSync(directory);
    await prepare();
    expect(said).toEqual([]);
    expect(readdirSync(dataDir)).toEqual(["postgres"]);
  });

  test("leaves a PostgreSQL alone that somebody else has made", async () => {
    await prepare();
    rmSync(join(directory, "sluice-password"));
    await expect(prepare()).rejects.toThrow(/holds a PostgreSQL that Sluice has not made/);
  });

  test("leaves nothing behind where its making is given up", async () => {
    const giveUp = new AbortController();
    const preparing = prepare(giveUp.signal);
    giveUp.abort(new Error("given up"));
    await expect(preparing).rejects.toThrow();
    expect(readdirSync(dataDir)).toEqual([]);
  });
});
