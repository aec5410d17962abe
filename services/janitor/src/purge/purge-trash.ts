import { manifestKey } from "@sluice/backup";
import {
  type Catalog,
  type DueTrash,
  listDueTrash,
  listLastReferences,
  type PurgedItem,
  purgeStep,
  readLastBytes,
  recordEvents,
} from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import { watchClock } from "@sluice/retention";
import type { Logger, ServiceSettings } from "@sluice/runtime";
import pMap from "p-map";
import type { MaintenanceTask } from "../maintenance/task.js";
import { Pace } from "../scrub/pace.js";
import { ensureCopy } from "./last-copy.js";
import {
  removeCopies,
  type RemoveBytesDeps,
  removePurgedObjects,
  removeUnreferenced,
} from "./remove-bytes.js";

export interface PurgeTrashDeps {
  readonly settings: Pick<ServiceSettings, "purgePerSecond" | "exportKeepMs">;
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
  readonly log: Logger;
  /** Told of what went. */
  readonly onPurged: (what: "scripts" | "versions" | "blobs" | "copies", count: number) => void;
}

const EVERY_MS = 60_000;
/** What is told by one event. */
const BATCH = 50;
/** Versions that go in one transaction. */
const VERSIONS = 100;
const AT_ONCE = 8;
/** So many of what went an event names. */
const NAMED = 20;

/**
 * Removes what has been in the trash for long enough: rows, then the objects that nothing refers to any more, then, when no export needs
 * them, the copies. How far it has come is in the catalog alone: killed anywhere, the next run goes on there.
 */
export function purgeTrashTask(deps: PurgeTrashDeps): MaintenanceTask {
  const { settings, catalog, objects, backup, log, onPurged } = deps;
  return {
    name: "purge-trash",
    everyMs: EVERY_MS,
    // Clean-up that waits, as for the backup store, is told at once.
    failuresToTell: 1,
    run: async ({ signal }) => {
      const pace = new Pace({
        objectsPerSecond: settings.purgePerSecond,
        bytesPerSecond: Infinity,
      });
      const removing: RemoveBytesDeps = {
        catalog,
        objects,
        backup,
        pace,
        signal,
        keepCopiesMs: settings.exportKeepMs,
      };
      const { state } = await watchClock(catalog, Date.now());
      const clockIsWrong = state.pause?.reason === "clock";
      if (clockIsWrong) log.warn({ pause: state.pause }, "nothing is purged: a clock is wrong");
      else await purgeDue(deps, pace, signal);
      const blobs = await removeUnreferenced(removing);
      await removePurgedObjects(removing);
      const copies = clockIsWrong ? 0 : await removeCopies(removing);
      onPurged("blobs", blobs);
      onPurged("copies", copies);
      if (blobs + copies > 0) log.info({ blobs, copies }, "bytes that nothing refers to are gone");
    },
  };
}

async function purgeDue(deps: PurgeTrashDeps, pace: Pace, signal: AbortSignal): Promise<void> {
  const { catalog, backup, onPurged } = deps;
  let after: DueTrash | undefined;
  while (!signal.aborted) {
    const batch = await listDueTrash(catalog, { after, limit: BATCH });
    if (batch.length === 0) return;
    // Where it does not answer nothing goes, whether it is needed or not.
    await backup.stat("backups/manifests/none");
    const purged: PurgedItem[] = [];
    let versions = 0;
    try {
      for (const item of batch) {
        if (signal.aborted) break;
        const gone = await purgeItem(deps, item, pace, signal);
        versions += gone.versions;
        if (gone.item !== undefined) purged.push(gone.item);
      }
    } finally {
      onPurged("versions", versions);
      onPurged("scripts", purged.filter(({ version }) => version === undefined).length);
      await tell(catalog, purged, versions);
    }
    after = batch.at(-1);
  }
}

async function purgeItem(
  deps: PurgeTrashDeps,
  item: DueTrash,
  pace: Pace,
  signal: AbortSignal,
): Promise<{ readonly versions: number; readonly item: PurgedItem | undefined }> {
  const { catalog, log } = deps;
  let versions = 0;
  while (!signal.aborted) {
    const last = await readLastBytes(catalog, await listLastReferences(catalog, item, VERSIONS));
    const safe = await pMap(last, (bytes) => ensureCopy(deps, bytes), { concurrency: AT_ONCE });
    if (safe.includes(false)) {
      log.warn({ script_id: item.scriptId }, "its bytes have no copy that can be read: it stays");
      break;
    }
    const step = await purgeStep(catalog, { item, limit: VERSIONS, manifestKey });
    if (step.kind === "left") break;
    versions += step.versions;
    await pace.spend(Math.max(step.versions, last.length, 1), 0, signal);
    if (step.kind === "purged") return { versions, item: step.script };
  }
  return { versions, item: undefined };
}

async function tell(
  catalog: Catalog,
  purged: readonly PurgedItem[],
  versions: number,
): Promise<void> {
  if (purged.length === 0) return;
  const scripts = purged.filter(({ version }) => version === undefined).length;
  const message = `Purged from the trash: scripts: ${scripts}, single versions: ${purged.length - scripts}, versions in all: ${versions}.`;
  const details = {
    scripts,
    versions,
    purged: purged.slice(0, NAMED).map((item) => ({
      script_id: item.scriptId,
      version: item.version ?? null,
      namespace: item.namespace,
      filename: item.filename,
      deleted_by: item.deletedBy,
      rule: item.rule ?? null,
    })),
  };
  await recordEvents(catalog, [{ severity: "info", kind: "trash.purged", message, details }]);
}
