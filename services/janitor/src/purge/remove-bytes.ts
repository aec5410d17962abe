import {
  type Catalog,
  claimUnreferenced,
  forgetPurgedObjects,
  listDueCopies,
  listPurgedObjects,
  listUnreferenced,
  noteRemoved,
} from "@sluice/catalog";
import { hashOfKey, metadataKey, type ObjectStore } from "@sluice/object-store";
import { purgeCopies } from "@sluice/recovery";
import pMap from "p-map";
import type { Pace } from "../scrub/pace.js";

export interface RemoveBytesDeps {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
  readonly pace: Pace;
  readonly signal: AbortSignal;
  /** How long copies outlive their blobs, in milliseconds: as long as exports are kept that need them. */
  readonly keepCopiesMs: number;
}

const BATCH = 100;
const AT_ONCE = 8;
/** Hashes whose copies go under one lock: exports, and uploads of the same bytes, wait for it. */
const COPIES_AT_ONCE = 10;
/** Others take a claim over after two minutes; whoever was frozen deletes nothing any more. */
const LONGEST_CLAIM_MS = 60_000;

/** Deletes the objects of blobs that no version refers to. @returns how many blobs went */
export async function removeUnreferenced(deps: RemoveBytesDeps): Promise<number> {
  const { catalog, pace, signal } = deps;
  let removed = 0;
  for (let after = ""; !signal.aborted;) {
    const batch = await listUnreferenced(catalog, { after, limit: BATCH });
    const last = batch.at(-1);
    if (last === undefined) break;
    after = last;
    await pMap(
      batch,
      async (sha256) => {
        if (!signal.aborted && (await removeOne(deps, sha256))) removed += 1;
      },
      { concurrency: AT_ONCE },
    );
    await pace.spend(batch.length, 0, signal);
  }
  return removed;
}

async function removeOne(deps: RemoveBytesDeps, sha256: string): Promise<boolean> {
  const claimed = await claimUnreferenced(deps.catalog, sha256);
  if (claimed === undefined) return false;
  await removeClaimed(deps, sha256, claimed.key);
  return true;
}

/** Deletes the objects of a hash that was just claimed, and ends the claim. */
export async function removeClaimed(
  { catalog, objects, keepCopiesMs }: Pick<RemoveBytesDeps, "catalog" | "objects" | "keepCopiesMs">,
  sha256: string,
  blobKey: string | undefined,
): Promise<void> {
  const until = performance.now() + LONGEST_CLAIM_MS;
  // An object that others are in, too, as in the archive, stays: only its own row told where the bytes were.
  const own = blobKey !== undefined && hashOfKey(blobKey) === sha256 ? [blobKey] : [];
  for (const key of [...own, metadataKey(sha256)]) {
    if (performance.now() > until) throw new Error(`the claim on ${sha256} was held for too long`);
    await objects.delete(key);
  }
  await noteRemoved(catalog, { sha256, keepCopiesMs });
}

/** Deletes manifests and uploads of purged versions. */
export async function removePurgedObjects({
  catalog,
  objects,
  backup,
  pace,
  signal,
}: RemoveBytesDeps): Promise<void> {
  while (!signal.aborted) {
    const batch = await listPurgedObjects(catalog, BATCH);
    await pMap(batch, ({ store, key }) => (store === "backup" ? backup : objects).delete(key), {
      concurrency: AT_ONCE,
    });
    await forgetPurgedObjects(catalog, batch);
    if (batch.length < BATCH) return;
    await pace.spend(batch.length, 0, signal);
  }
}

/** Deletes copies that no export needs any more. @returns of how many blobs */
export async function removeCopies({
  catalog,
  backup,
  pace,
  signal,
}: RemoveBytesDeps): Promise<number> {
  let removed = 0;
  while (!signal.aborted) {
    const batch = await listDueCopies(catalog, COPIES_AT_ONCE);
    if (batch.length === 0) return removed;
    const gone = await purgeCopies({ catalog, backup, signal }, batch);
    // An export is being written, or somebody has claimed them all: the next run goes on.
    if (gone === undefined || gone.length === 0) return removed;
    removed += gone.length;
    await pace.spend(batch.length, 0, signal);
  }
  return removed;
}
