import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";

const directory = fileURLToPath(new URL("../migrations", import.meta.url));

/**
 * Brings the catalog's tables up to date. Safe to call from several processes at once: an advisory
 * lock lets one of them do it while the others wait.
 *
 * @throws where the database cannot be reached, or a migration fails (it is rolled back)
 */
export async function migrate(url: string): Promise<void> {
  await runner({
    databaseUrl: url,
    dir: directory,
    direction: "up",
    migrationsTable: "migrations",
    advisoryLockMode: "wait",
    log: () => {},
  });
}
