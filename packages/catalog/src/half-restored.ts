import type { Queryable } from "./catalog.js";

/** The schema that a restore keeps its progress in; it is there for as long as the restore is not over. */
export const RESTORE_SCHEMA = "sluice_restore";

/** A restore into this catalog was begun and is not over: nothing may be served from it. */
export class HalfRestoredError extends Error {
  override readonly name = "HalfRestoredError";
  constructor() {
    super(
      "a restore into this catalog has not come to its end: run sluice restore again, which goes on where it stopped",
    );
  }
}

/** @throws {@link HalfRestoredError} */
export async function assertNotHalfRestored(db: Queryable): Promise<void> {
  const { rowCount } = await db.query("select from pg_namespace where nspname = $1", [
    RESTORE_SCHEMA,
  ]);
  if (rowCount !== 0) throw new HalfRestoredError();
}
