import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { assertNotHalfRestored } from "./half-restored.js";
import { openSession } from "./session.js";

const directory = fileURLToPath(new URL("../migrations", import.meta.url));

/**
 * Brings the catalog's tables up to date. Safe to call from several processes at once: an advisory
 * lock lets one of them do it while the others wait.
 *
 * @throws where the database cannot be reached, or a migration fails (it is rolled back);
 *   {@link HalfRestoredError} where a restore has not come to its end
 */
export async function migrate(url: string): Promise<void> {
  const session = await openSession(url, "sluice-migrate");
  try {
    await assertNotHalfRestored(session);
  } finally {
    await session.close();
  }
  await migrateSome(url, Infinity);
}

/** Runs so many more migrations, for a restore of what an older Sluice has exported. */
export async function migrateSome(url: string, count: number): Promise<void> {
  // A tenth of a second and 20 MB, which most processes can do without.
  const { runner } = await import("node-pg-migrate");
  await runner({
    databaseUrl: url,
    dir: directory,
    direction: "up",
    migrationsTable: "migrations",
    advisoryLockMode: "wait",
    count,
    log: () => {},
  });
}

/** The names of all migrations, in order. */
export async function migrationNames(): Promise<string[]> {
  const files = await readdir(directory);
  return files
    .filter((file) => file.endsWith(".sql"))
    .map((file) => file.slice(0, -".sql".length))
    .sort();
}
