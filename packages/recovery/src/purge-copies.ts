import { copyKeys } from "@sluice/backup";
import {
  type Catalog,
  claimOrphan,
  forgetUnreferenced,
  isReferredTo,
  type Queryable,
  releaseOrphan,
} from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import { EXPORT_LOCK } from "./export-catalog.js";

export interface PurgeCopiesDeps {
  readonly catalog: Catalog;
  readonly backup: ObjectStore;
  readonly signal: AbortSignal;
}

/** A transaction is ended by the server when nothing comes for half a minute: what it protects must be over long before. */
const LONGEST_MS = 15_000;

/**
 * Deletes the copies of bytes that no version has and no export needs. No export runs meanwhile, which copies what is under way, and
 * nobody can settle on these bytes: whoever uploads them again stores and copies them anew.
 *
 * @param sha256s - some tens of hashes
 * @returns those whose copies are gone; `undefined` where an export is being written, and it is to be tried later
 */
export async function purgeCopies(
  { catalog, backup, signal }: PurgeCopiesDeps,
  sha256s: readonly string[],
): Promise<readonly string[] | undefined> {
  // Committed before the first copy goes: an export must not take one for there that is not.
  const forgotten = await catalog.transaction(async (tx) => {
    if (!(await keepExportsAway(tx))) return false;
    await tx.query(
      `delete from early_copies e where e.sha256 = any($1::text[])
         and not exists (select from versions v where v.sha256 = e.sha256 and (v.raw_key is not null
           or not exists (select from expired_blobs x where x.sha256 = v.sha256)))`,
      [sha256s],
    );
    return true;
  });
  if (!forgotten) return undefined;
  return catalog.transaction(async (tx) => {
    if (!(await keepExportsAway(tx))) return undefined;
    const until = performance.now() + LONGEST_MS;
    const gone: string[] = [];
    for (const sha256 of sha256s) {
      if (signal.aborted) break;
      if (!(await claimOrphan(tx, { sha256, key: "" }))) {
        if (await isStored(tx, sha256)) await forgetUnreferenced(tx, sha256);
        continue;
      }
      if (!(await isNeeded(tx, sha256))) {
        for (const key of copyKeys(sha256)) {
          if (performance.now() > until) throw new Error("the backup store deletes too slowly");
          await backup.delete(key);
        }
        gone.push(sha256);
      }
      await releaseOrphan(tx, sha256);
      await forgetUnreferenced(tx, sha256);
    }
    return gone;
  });
}

async function keepExportsAway(tx: Queryable): Promise<boolean> {
  const { rows } = await tx.query<{ locked: boolean }>(
    "select pg_try_advisory_xact_lock($1) as locked",
    [EXPORT_LOCK],
  );
  return rows[0]?.locked === true;
}

async function isStored(tx: Queryable, sha256: string): Promise<boolean> {
  const { rowCount } = await tx.query("select from blobs where sha256 = $1 and state = 'stored'", [
    sha256,
  ]);
  return rowCount === 1;
}

async function isNeeded(tx: Queryable, sha256: string): Promise<boolean> {
  const { rowCount } = await tx.query("select from early_copies where sha256 = $1", [sha256]);
  return rowCount === 1 || (await isReferredTo(tx, sha256));
}
