import { openSession } from "@sluice/catalog";
import { expect } from "vitest";
import { start } from "./command.js";
import type { Stores } from "./fixture.js";

/** Runs a program until it waits for what is held in its database, and kills it there: kill -9. */
export async function killWhere(
  held: string,
  program: readonly string[],
  stores: Pick<Stores, "catalog" | "catalogUrl" | "objects" | "backup">,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const holder = await openSession(stores.catalogUrl, "test-holder");
  // Not by the holder: in a transaction the server shows the activity of its beginning.
  const waiting = async (): Promise<number> => {
    const { rows } = await stores.catalog.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity
       where datname = current_database() and application_name ~ '^sluice' and wait_event_type = 'Lock'`,
    );
    return rows[0]?.count ?? 0;
  };
  const sessions = async (): Promise<number> => {
    const { rows } = await stores.catalog.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name ~ '^sluice'`,
    );
    return rows[0]?.count ?? 0;
  };
  try {
    await holder.query("begin");
    await holder.query(held);
    const { child, ended } = start(program, stores, env);
    let over: string | undefined;
    void ended.then(({ said }) => (over = said));
    await expect
      .poll(async () => over !== undefined || (await waiting()) > 0, {
        timeout: 60_000,
        interval: 50,
      })
      .toBe(true);
    expect(over).toBeUndefined();
    child.kill("SIGKILL");
    await ended;
    await holder.query("rollback");
    // The server notices when it has ended the statement that was waiting.
    await expect.poll(sessions, { timeout: 60_000, interval: 50 }).toBe(0);
  } finally {
    await holder.close();
  }
}

/** Makes whoever writes to a table wait. */
export const writesTo = (table: string): string => `lock table ${table} in share mode`;
