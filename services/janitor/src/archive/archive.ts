import {
  type AuditEvent,
  checkPacks,
  deleteDeadPack,
  dropFromArchiveQueue,
  emptyPack,
  listArchiveQueue,
  type QueuedBlob,
} from "@sluice/catalog";
import { packKey } from "@sluice/object-store";
import { stillArchived } from "@sluice/retention";
import type { ServiceSettings } from "@sluice/runtime";
import type { MaintenanceTask, TaskRun } from "../maintenance/task.js";
import { Pace } from "../scrub/pace.js";
import { PACK_BYTES, PACK_MEMBERS, writePack, type WritePackDeps } from "./write-pack.js";

export interface ArchiveDeps extends Pick<WritePackDeps, "catalog" | "objects" | "backup" | "log"> {
  readonly settings: Pick<ServiceSettings, "archivePerSecond">;
  /** How long what would not fill a pack waits for more, in milliseconds. */
  readonly patienceMs?: number;
  /** How long a pack is not looked at again, in milliseconds. */
  readonly restMs?: number;
  /** Told of each pack: how many blobs went into it, and its size in bytes. */
  readonly onPacked: (blobs: number, bytes: number) => void;
}

const EVERY_MS = 60_000;
/** One run goes on for so long, so that a stop comes through. */
const RUN_MS = 50_000;
const SECONDS_A_PACK = 60;
const PATIENCE_MS = 10 * 60_000;
const REST_MS = 3_600_000;
const PACKS_AT_ONCE = 20;
/** Bytes whose fate is decided together. */
const DECIDED_AT_ONCE = 500;
/** A pack that is in use to less than this share is emptied into another. */
const WORTH_KEEPING = 0.5;
/** How long what was purged may lie in a pack, in milliseconds: each is written anew once in so long at most. */
const DEAD_MS = 7 * 86_400_000;

/**
 * Writes packs of what the retention policy sends to the archive, and of what is left in packs that are mostly dead, or hold for long what is
 * dead; deletes packs that nothing lies in any more. The queue in the catalog says what there is to do, so that a run that is killed is gone on with by the next.
 */
export function archiveTask(deps: ArchiveDeps): MaintenanceTask {
  const pace = new Pace({
    objectsPerSecond: deps.settings.archivePerSecond,
    bytesPerSecond: Infinity,
  });
  return {
    name: "archive",
    everyMs: EVERY_MS,
    // Clean-up that waits, as for the backup store, is told at once.
    failuresToTell: 1,
    run: (run) => archiveSome(deps, pace, run),
  };
}

async function archiveSome(deps: ArchiveDeps, pace: Pace, { signal }: TaskRun): Promise<void> {
  const { catalog, log, onPacked, patienceMs = PATIENCE_MS } = deps;
  await tidyPacks(deps, signal);
  // What was decided is soon done, also at a low rate.
  const limit = Math.min(PACK_MEMBERS, deps.settings.archivePerSecond * SECONDS_A_PACK);
  const until = performance.now() + RUN_MS;
  while (!signal.aborted && performance.now() < until) {
    const queued = await listArchiveQueue(catalog, { limit });
    if (!isEnough(queued, { limit, patienceMs })) return;
    const going = await decide(queued, deps);
    if (going === undefined) return;
    if (going.blobs.length === 0) continue;
    const { blobs, bytes } = await writePack({ ...deps, pace, signal }, going.blobs, going.audit);
    // Others hold them, or they were bad: not again and again within one run.
    if (blobs === 0) return;
    log.info({ blobs, bytes }, "a pack was written");
    onPacked(blobs, bytes);
  }
}

/** A pack of few blobs would be one more small object: it waits for more, but not for ever. */
function isEnough(
  queued: readonly QueuedBlob[],
  { limit, patienceMs }: { limit: number; patienceMs: number },
): boolean {
  const [first] = queued;
  if (first === undefined) return false;
  const bytes = queued.reduce((sum, { place }) => sum + place.length, 0);
  const isFull = bytes >= PACK_BYTES || queued.length >= limit;
  // A time that is far ahead was written by a clock that has jumped.
  return isFull || Math.abs(Date.now() - first.queuedAt.getTime()) >= patienceMs;
}

interface Going {
  readonly blobs: readonly QueuedBlob[];
  readonly audit: (sha256: string) => readonly AuditEvent[];
}

/** What has left for the archive already goes on from pack to pack, whatever the policy says by now. */
async function decide(
  queued: readonly QueuedBlob[],
  { catalog }: ArchiveDeps,
): Promise<Going | undefined> {
  const entries = new Map<string, readonly AuditEvent[]>();
  const asked = queued.filter(({ byPolicy }) => byPolicy).map(({ sha256 }) => sha256);
  for (let start = 0; start < asked.length; start += DECIDED_AT_ONCE) {
    const some = await stillArchived(catalog, asked.slice(start, start + DECIDED_AT_ONCE));
    if (some === undefined) return undefined;
    for (const [sha256, events] of some) entries.set(sha256, events);
  }
  await dropFromArchiveQueue(
    catalog,
    asked.filter((sha256) => !entries.has(sha256)),
  );
  return {
    blobs: queued.filter(({ sha256, byPolicy }) => !byPolicy || entries.has(sha256)),
    audit: (sha256) => entries.get(sha256) ?? [],
  };
}

async function tidyPacks(deps: ArchiveDeps, signal: AbortSignal): Promise<void> {
  const { catalog, objects, log, restMs = REST_MS } = deps;
  for (const pack of await checkPacks(catalog, { restMs, limit: PACKS_AT_ONCE })) {
    if (signal.aborted) return;
    const { packId, ageMs, members, blobBytes, usedBytes } = pack;
    const key = packKey(packId);
    if (members === 0) {
      if (await deleteDeadPack(catalog, packId, () => objects.delete(key)))
        log.info({ key }, "a pack that nothing lay in was deleted");
    } else if (usedBytes < blobBytes * (ageMs < DEAD_MS ? WORTH_KEEPING : 1)) {
      log.info(pack, "part of a pack is dead; what is left of it goes into another");
      await emptyPack(catalog, packId);
    }
  }
}
