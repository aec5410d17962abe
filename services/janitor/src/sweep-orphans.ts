import {
  type Catalog,
  claimOrphan,
  findBlobs,
  neededUploads,
  releaseOrphan,
} from "@sluice/catalog";
import type { ObjectStat, ObjectStore } from "@sluice/object-store";
import { metadataKey } from "@sluice/object-store";
import type { Logger } from "@sluice/runtime";

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

/** Deletes objects that no row refers to: what crashes have left between an object and its row. */
export async function sweepOrphans(deps: SweepOrphansDeps): Promise<void> {
  for await (const batch of oldObjects("uploads/", deps)) await sweepUploads(batch, deps);
  for (const prefix of ["blobs/", "quarantine/"]) {
    for await (const batch of oldObjects(prefix, deps)) await sweepBlobs(batch, deps);
  }
}

async function* oldObjects(
  prefix: string,
  { objects, graceMs, signal }: SweepOrphansDeps,
): AsyncGenerator<ObjectStat[]> {
  let batch: ObjectStat[] = [];
  for await (const object of objects.list(prefix)) {
    if (signal.aborted) return;
    if (!isOld(object, graceMs)) continue;
    batch.push(object);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function isOld({ modifiedAt }: ObjectStat, graceMs: number): boolean {
  return modifiedAt.getTime() < Date.now() - graceMs;
}

async function sweepUploads(batch: readonly ObjectStat[], deps: SweepOrphansDeps): Promise<void> {
  const keys = batch.map(({ key }) => key);
  const needed = await neededUploads(deps.catalog, keys);
  for (const key of keys) {
    if (needed.has(key)) continue;
    // The row may have come since the batch was looked up.
    if ((await neededUploads(deps.catalog, [key])).has(key)) continue;
    await remove(key, deps);
  }
}

async function sweepBlobs(batch: readonly ObjectStat[], deps: SweepOrphansDeps): Promise<void> {
  const { catalog, objects, graceMs } = deps;
  const hashes = [...new Set(batch.flatMap(({ key }) => hashOf(key) ?? []))];
  const rows = await findBlobs(catalog, hashes);
  for (const { key } of batch) {
    const sha256 = hashOf(key);
    if (sha256 === undefined || belongs(key, sha256, rows.get(sha256)?.key)) continue;
    if (rows.has(sha256)) {
      // Another form of a blob that has moved. Look again at object and row before it goes.
      const stat = await objects.stat(key);
      const row = (await findBlobs(catalog, [sha256])).get(sha256);
      if (stat === undefined || !isOld(stat, graceMs) || belongs(key, sha256, row?.key)) continue;
      await remove(key, deps);
    } else if (await claimOrphan(catalog, { sha256, key })) {
      try {
        // Dedup may have stored it anew before the claim; its commit will find the claim and try again.
        const stat = await objects.stat(key);
        if (stat !== undefined && isOld(stat, graceMs)) await remove(key, deps);
      } finally {
        await releaseOrphan(catalog, sha256);
      }
    }
  }
}

function belongs(key: string, sha256: string, blobKey: string | undefined): boolean {
  return blobKey !== undefined && (key === blobKey || key === metadataKey(sha256));
}

function hashOf(key: string): string | undefined {
  return /\/([0-9a-f]{64})(\.[a-z.]+)?$/.exec(key)?.[1];
}

async function remove(key: string, { objects, log, onDeleted }: SweepOrphansDeps): Promise<void> {
  await objects.delete(key);
  log.info({ key }, "an orphan was deleted");
  onDeleted(key);
}
