import pg from "pg";
import { assertNotHalfRestored } from "./half-restored.js";

/** Whatever a query can be sent to: the catalog itself, or a transaction of it. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(
    config: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

/** What the catalog reports to; a pino logger fits. */
export interface CatalogLog {
  warn(details: object, message: string): void;
}

/** A pool of connections to the PostgreSQL database that holds the truth. */
export interface Catalog extends Queryable {
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** @throws where the database does not answer or has not been migrated, and where a restore into it is not over */
  check(): Promise<void>;
  /** Resolves when the queries under way are over and every connection is closed. */
  close(): Promise<void>;
}

export interface CatalogOptions {
  readonly log: CatalogLog;
  /** Connections at most; 8 if not said. */
  readonly poolSize?: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
}

/**
 * Opens the catalog. Connections are made when first needed, so that this neither waits nor throws
 * where the server is away.
 *
 * @param url - `postgres://user:password@host:port/database`
 */
export function openCatalog(url: string, options: CatalogOptions): Catalog {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.poolSize ?? 8,
    application_name: options.applicationName ?? "sluice",
    connectionTimeoutMillis: 10_000,
    // A query that hangs for ever would hold its caller for ever; no query of ours takes a minute.
    query_timeout: 60_000,
    // The server's own limits hold also where this process is frozen: its locks must not outlive its leases.
    statement_timeout: 30_000,
    lock_timeout: 20_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
  });
  // An idle connection that breaks emits here; without a listener it would end the process.
  pool.on("error", (error) => options.log.warn({ err: error }, "a catalog connection broke"));

  return {
    query: (config, values) => pool.query(config as pg.QueryConfig, values),
    async transaction(work) {
      const client = await pool.connect();
      let broken: Error | undefined;
      const onError = (error: Error): void => {
        broken = error;
      };
      client.on("error", onError);
      try {
        await client.query("begin");
        const result = await work(client);
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback").catch((rollbackError: Error) => {
          broken = rollbackError;
        });
        throw error;
      } finally {
        client.off("error", onError);
        client.release(broken);
      }
    },
    async check() {
      await pool.query("select 1 from scripts limit 1");
      await assertNotHalfRestored({
        query: (config, values) => pool.query(config as pg.QueryConfig, values),
      });
    },
    close: () => pool.end(),
  };
}

/** Says whether an error means that the database was out of reach rather than that it said no. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  // Classes 08 (connection), 57P (shutdown), 53 (resources) of PostgreSQL's Appendix A; the rest are Node's.
  return (
    /^(08|57P|53)/.test(code) ||
    /^(ECONN|ENOTFOUND|EPIPE|ETIMEDOUT|EHOSTUNREACH|EAI_AGAIN)/.test(code) ||
    /Connection terminated|Query read timeout|timeout exceeded when trying to connect|not queryable/.test(
      error.message,
    )
  );
}

/**
 * Says whether an error means that PostgreSQL has ended, is starting or cannot be connected to; not that one query was too much for it.
 */
export function isCatalogAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof pg.DatabaseError) return /^(08|57P0[123])/.test(error.code ?? "");
  const code = "code" in error ? String(error.code) : "";
  return (
    /^(ECONNREFUSED|ECONNRESET|EPIPE)$/.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect/.test(error.message)
  );
}

/** Says whether PostgreSQL had no room left on its disk (`disk_full` of its Appendix A). */
export function isCatalogFull(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "53100";
}

// Deadlock, serialisation, lock time-out, statement time-out, idle-in-transaction time-out.
const CONFLICTS: ReadonlySet<string | undefined> = new Set([
  "40P01",
  "40001",
  "55P03",
  "57014",
  "25P03",
]);

/** Says whether PostgreSQL asks for the transaction to be tried again. */
export function isConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && CONFLICTS.has(error.code);
}
