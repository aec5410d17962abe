import pg from "pg";
import type { Queryable } from "./catalog.js";

/** One connection, for work that takes longer than any request may: exports and restores. */
export interface Session extends Queryable {
  close(): Promise<void>;
}

/**
 * Connects. Values come as text in one form, whatever the server's settings are: ISO dates in UTC, shortest exact floats.
 *
 * @throws where the database cannot be reached
 */
export async function openSession(url: string, applicationName: string): Promise<Session> {
  const client = new pg.Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  // A connection that breaks while it is idle is an event; the next query fails for the same reason.
  client.on("error", () => {});
  await client.connect();
  await client.query(
    `set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'iso_8601'; set bytea_output = 'hex';
     set extra_float_digits = 1; set statement_timeout = 0; set idle_in_transaction_session_timeout = '15min'`,
  );
  return {
    query: (config, values) => client.query(config as pg.QueryConfig, values),
    close: () => client.end(),
  };
}
