import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { join } from "node:path";
import type { Logger } from "@sluice/runtime";
import pg from "pg";
import { isHeld } from "../data-dir.js";
import { freePorts } from "../ports.js";
import { messageOf, StartError } from "../start-error.js";
import { Supervisor, type Program } from "../supervisor.js";
import { chooseAccount, type Account } from "./account.js";
import { findBinaries, versionOf } from "./binaries.js";
import { APPLICATION_ROLE, openCluster, passwordOf, SUPERUSER, type Cluster } from "./cluster.js";
import { runningPort, stopLeftover } from "./leftover.js";

const CATALOG_DATABASE = "sluice";
const QUEUE_DATABASE = "sluice_queue";

/** PostgreSQL of this Sluice's own. */
export interface EmbeddedPostgres {
  /** For example `18.4`. */
  readonly version: string;
  readonly supervisor: Supervisor;
  /** Makes what is missing in the running server, and says how to reach it. */
  openDatabases(): Promise<DatabaseUrls>;
}

export interface DatabaseUrls {
  readonly catalogUrl: string;
  readonly queueUrl: string;
}

// Connections: seven processes with their pools, and what BullMQ opens for each queue.
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "128MB",
  fsync: "on",
  synchronous_commit: "on",
  cluster_name: "sluice",
  log_line_prefix: "",
  log_checkpoints: "off",
  // Whoever made a statement that failed logs it.
  log_min_messages: "log",
};

/**
 * Makes PostgreSQL ready to be started on `postgres/` in the data directory, with a database for the
 * catalog and one for the queue, reachable on loopback with a password only.
 *
 * @param signal - aborted where the start is given up
 * @throws {@link StartError}
 */
export async function preparePostgres(
  dataDir: string,
  log: Logger,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<EmbeddedPostgres> {
  const directory = join(dataDir, "postgres");
  const binaries = findBinaries();
  const version = versionOf(binaries);
  const account = chooseAccount(directory, dataDir, binaries.initdb);
  await stopLeftover(directory, log, signal);
  const cluster = await openCluster(directory, version, binaries, account, signal, say);
  const [port] = (await freePorts(1)) as [number];
  const program = postgresProgram(binaries.postgres, cluster, port, account, log);
  return {
    version,
    supervisor: new Supervisor(program, log, say),
    openDatabases: () => openDatabases(cluster, port),
  };
}

/** How to reach the catalog where a Sluice runs on the data directory; `undefined` where none does. */
export function runningCatalogUrl(dataDir: string): string | undefined {
  const directory = join(dataDir, "postgres");
  const [port, password] = [runningPort(directory), passwordOf(directory)];
  if (!isHeld(dataDir) || port === undefined || password === undefined) return undefined;
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${CATALOG_DATABASE}`;
}

function postgresProgram(
  postgres: string,
  { directory }: Cluster,
  port: number,
  account: Account,
  log: Logger,
): Program {
  const args = ["-D", directory, "-p", String(port)];
  for (const [name, value] of Object.entries(SETTINGS)) args.push("-c", `${name}=${value}`);
  const serverLog = log.child({ program: "postgres" });
  return {
    name: "postgres",
    // Fast shutdown: sessions are ended, everything is written. Then immediate: recovery at the next start.
    stopSignal: "SIGINT",
    killSignal: "SIGQUIT",
    stopTimeoutMs: 60_000,
    spawn: () =>
      account.spawn(postgres, args, {
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
      }),
    untilReady: (child, ended) =>
      new Promise((resolve) => {
        ended.addEventListener("abort", () => resolve());
        if (child.stderr === null) return;
        createInterface({ input: child.stderr }).on("line", (line) => {
          writeServerLine(serverLog, line);
          if (line.includes("database system is ready to accept connections")) resolve();
        });
      }),
  };
}

function writeServerLine(log: Logger, line: string): void {
  const [, severity, message] = /^([A-Z]+):\s+(.*)$/.exec(line) ?? [];
  if (severity === "PANIC") log.error(message);
  else if (severity === "FATAL") log.warn(message);
  else log.debug(message ?? line);
}

/**
 * Makes the role and the databases that are missing. The role gets a new password at every start, so
 * that it need not be stored and processes of an earlier start are locked out.
 */
async function openDatabases({ password }: Cluster, port: number): Promise<DatabaseUrls> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port,
    user: SUPERUSER,
    password,
    database: "postgres",
  });
  // A connection that breaks while it is idle is an event; the next query fails for the same reason.
  client.on("error", () => {});
  const rolePassword = randomBytes(24).toString("base64url");
  try {
    await client.connect();
    const role = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [APPLICATION_ROLE]);
    const verb = role.rowCount === 0 ? "CREATE" : "ALTER";
    await client.query(`${verb} ROLE ${APPLICATION_ROLE} LOGIN PASSWORD '${rolePassword}'`);
    for (const database of [CATALOG_DATABASE, QUEUE_DATABASE]) {
      const found = await client.query("SELECT FROM pg_database WHERE datname = $1", [database]);
      if (found.rowCount === 0)
        await client.query(`CREATE DATABASE ${database} OWNER ${APPLICATION_ROLE}`);
    }
  } catch (error) {
    throw new StartError(`the embedded PostgreSQL cannot be prepared: ${messageOf(error)}`);
  } finally {
    await client.end().catch(() => {});
  }
  const url = (database: string): string =>
    `postgres://${APPLICATION_ROLE}:${rolePassword}@127.0.0.1:${port}/${database}`;
  return { catalogUrl: url(CATALOG_DATABASE), queueUrl: url(QUEUE_DATABASE) };
}
