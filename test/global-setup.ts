import type { TestProject } from "vitest/node";

import { findMissingParts } from "./servers/parts.js";
import { startPostgres } from "./servers/postgres.js";

/** Runs once, before the tests that need servers: finds what there is, starts what they share. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const missing = await findMissingParts();
  project.provide("missingParts", missing);
  if (missing.postgres !== undefined) return async () => undefined;
  const postgres = await startPostgres();
  project.provide("postgresUrl", postgres.url);
  return () => postgres.stop();
}
