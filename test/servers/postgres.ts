import { randomUUID } from "node:crypto";
import { join } from "node:path";
import pg from "pg";

import { freePorts } from "../../packages/standalone/src/ports.js";
import { chooseAccount } from "../../packages/standalone/src/postgres/account.js";
import { findBinaries, versionOf } from "../../packages/standalone/src/postgres/binaries.js";
import { openCluster, SUPERUSER } from "../../packages/standalone/src/postgres/cluster.js";
import { temporaryDirectory } from "./guard.js";
import { TestServer } from "./server.js";

export interface PostgresServer extends TestServer {
  /** `postgres://USER:PASSWORD@127.0.0.1:PORT/postgres`, as superuser. */
  readonly url: string;
}

// A killed server loses nothing that the system has; only a power cut would need fsync.
const SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "max_connections=400",
  "fsync=off",
];

/** PostgreSQL 18, the one that `npm start` runs. */
export async function startPostgres(): Promise<PostgresServer> {
  const [port] = (await freePorts(1)) as [number];
  const binaries = findBinaries();
  const directory = temporaryDirectory();
  const data = join(directory, "data");
  const account = chooseAccount(data, directory, binaries.initdb);
  const { signal } = new AbortController();
  const version = versionOf(binaries);
  const { password } = await openCluster(data, version, binaries, account, signal, () => undefined);
  const args = ["-D", data, "-p", String(port), ...SETTINGS.flatMap((setting) => ["-c", setting])];
  const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
  const server = new TestServer({
    name: "postgres",
    directory,
    stopSignal: "SIGINT",
    spawn: () => account.spawn(binaries.postgres, args, { stdio: ["ignore", "pipe", "pipe"] }),
    isReady: () => isReady(url),
  });
  await server.start();
  return Object.assign(server, { url });
}

/**
 * Makes a database of a new name.
 *
 * @param server - a {@link PostgresServer}, or anything with its `url`
 * @returns the new database's URL
 */
export async function createDatabase(server: { readonly url: string }): Promise<string> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const client = new pg.Client(server.url);
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  return new URL(`/${name}`, server.url).href;
}

async function isReady(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } finally {
    await client.end();
  }
}
