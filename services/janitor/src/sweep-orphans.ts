import {
  type Catalog,
  claimOrphan,
  findBlobs,
  giveUpPacks,
  neededPacks,
  neededUploads,
  readClock,
  recordEvents,
  releaseOrphan,
  tidyOrphanClaims,
} from "@sluice/catalog";
import {
  ARCHIVE,
  hashOfKey,
  isPackKey,
  type KeyKind,
  kindOfKey,
  metadataKey,
  type ObjectStat,
  type ObjectStore,
} from "@sluice/object-store";
import type { Logger } from "@sluice/runtime";
import { removeSuperseded } from "@sluice/worker";

export interface SweepOrphansDeps {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly log: Logger;
  /** Younger objects are left alone, in milliseconds: their row may be about to come. */
  readonly graceMs: number;
  /** Stops the sweep between two batches. */
  readonly signal: AbortSignal;
  readonly onDeleted: (key: string) => void;
}

const BATCH = 500;

/** How long a janitor may take to write a pack that it has announced, in milliseconds. */
const PACK_GRACE_MS = 600_000;

/** So many deleted keys an event names. */
const NAMED = 20;

/**
 * Deletes objects that no row refers to: what crashes have left between an object and its row. Only keys that Sluice gives are touched;
 * what somebody else has put there is the scrub's to tell.
 */
export async function sweepOrphans(deps: SweepOrphansDeps): Promise<void> {
  const deleted: string[] = [];
  const telling = {
    ...deps,
    onDeleted: (key: string) => {
      deleted.push(key);
      deps.onDeleted(key);
    },
  };
  try {
    await sweep(telling);
  } finally {
    await tell(deleted, deps);
  }
}

async function tell(deleted: readonly string[], { catalog }: SweepOrphansDeps): Promise<void> {
  if (deleted.length === 0) return;
  const message = `${deleted.length} objects that nothing refers to were deleted.`;
  const details = { objects: deleted.length, keys: deleted.slice(0, NAMED) };
  await recordEvents(catalog, [
    { severity: "info", kind: "object.orphans_deleted", message, details },
  ]);
}

interface Sweep extends SweepOrphansDeps {
  /** What was written before this moment is old, in milliseconds since 1970. */
  readonly youngFrom: number;
}

async function sweep(sweeping: SweepOrphansDeps): Promise<void> {
  const deps: Sweep = { ...sweeping, youngFrom: (await earliestNow(sweeping)) - sweeping.graceMs };
  await tidyOrphanClaims(deps.catalog);
  for await (const batch of oldObjects("uploads/", deps)) await sweepUploads(batch, deps);
  for (const prefix of ["blobs/", "quarantine/"]) {
    for await (const batch of oldObjects(prefix, deps)) await sweepBlobs(batch, deps);
  }
  await giveUpPacks(deps.catalog, Math.max(deps.graceMs, PACK_GRACE_MS));
  for await (const batch of oldObjects(ARCHIVE, deps)) await sweepPacks(batch, deps);
}

/**
 * The clock of this machine, the catalog's, or this process's own, which no jump moves: whichever is behind. One that is ahead would make
 * an object old whose row is about to come.
 */
async function earliestNow({ catalog }: SweepOrphansDeps): Promise<number> {
  const ownClock = performance.timeOrigin + performance.now();
  return Math.min(Date.now(), ownClock, (await readClock(catalog)).getTime());
}

const SWEPT: ReadonlySet<KeyKind | undefined> = new Set([
  "upload",
  "blob",
  "metadata",
  "quarantine",
  "archive",
]);

async function* oldObjects(
  prefix: string,
  { objects, youngFrom, signal }: Sweep,
): AsyncGenerator<ObjectStat[]> {
  let batch: ObjectStat[] = [];
  for await (const object of objects.list(prefix)) {
    if (signal.aborted) return;
    if (!isOld(object, youngFrom) || !SWEPT.has(kindOfKey(object.key))) continue;
    batch.push(object);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function isOld({ modifiedAt }: ObjectStat, youngFrom: number): boolean {
  return modifiedAt.getTime() < youngFrom;
}

async function sweepUploads(batch: readonly ObjectStat[], deps: Sweep): Promise<void> {
  const keys = batch.map(({ key }) => key);
  const needed = await neededUploads(deps.catalog, keys);
  for (const key of keys) {
    if (needed.has(key)) continue;
    // The row may have come since the batch was looked up.
    if ((await neededUploads(deps.catalog, [key])).has(key)) continue;
    await remove(key, deps);
  }
}

/** A pack is announced before its object is put, so that one that nothing knows of by now is never needed again. */
async function sweepPacks(batch: readonly ObjectStat[], deps: Sweep): Promise<void> {
  const keys = batch.map(({ key }) => key);
  const needed = await neededPacks(deps.catalog, keys);
  for (const key of keys) if (!needed.has(key)) await remove(key, deps);
}

async function sweepBlobs(batch: readonly ObjectStat[], deps: Sweep): Promise<void> {
  const { catalog, objects, youngFrom } = deps;
  const hashes = [...new Set(batch.flatMap(({ key }) => hashOfKey(key) ?? []))];
  const rows = await findBlobs(catalog, hashes);
  for (const { key } of batch) {
    const sha256 = hashOfKey(key);
    if (sha256 === undefined || belongs(key, sha256, rows.get(sha256)?.key)) continue;
    if (rows.has(sha256)) {
      // Another form of a blob that has moved; whoever is about to make it the one that counts has
      // just written it.
      const isStillOld = async (): Promise<boolean> => {
        const stat = await objects.stat(key);
        return stat !== undefined && isOld(stat, youngFrom);
      };
      if (await removeSuperseded({ catalog, objects }, { sha256, key }, isStillOld))
        told(key, deps);
    } else if (await claimOrphan(catalog, { sha256, key })) {
      try {
        // Dedup may have stored it anew before the claim; its commit will find the claim and try again.
        const stat = await objects.stat(key);
        if (stat !== undefined && isOld(stat, youngFrom)) await remove(key, deps);
      } finally {
        await releaseOrphan(catalog, sha256);
      }
    }
  }
}

function belongs(key: string, sha256: string, blobKey: string | undefined): boolean {
  if (blobKey === undefined || key === blobKey) return blobKey !== undefined;
  // With the blob, what was beside it has gone into the pack.
  return key === metadataKey(sha256) && !isPackKey(blobKey);
}

async function remove(key: string, deps: SweepOrphansDeps): Promise<void> {
  await deps.objects.delete(key);
  told(key, deps);
}

function told(key: string, { log, onDeleted }: SweepOrphansDeps): void {
  log.info({ key }, "an orphan was deleted");
  onDeleted(key);
}
