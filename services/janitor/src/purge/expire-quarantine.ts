import {
  type Catalog,
  expireQuarantined,
  listQuarantined,
  type QuarantinedBlob,
  readLastBytes,
  recordEvents,
} from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import { watchClock } from "@sluice/retention";
import type { Logger, ServiceSettings } from "@sluice/runtime";
import type { MaintenanceTask } from "../maintenance/task.js";
import { Pace } from "../scrub/pace.js";
import { ensureCopy } from "./last-copy.js";
import { removeClaimed } from "./remove-bytes.js";

export interface ExpireQuarantineDeps {
  readonly settings: Pick<ServiceSettings, "quarantineMs" | "purgePerSecond" | "exportKeepMs">;
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
  readonly log: Logger;
}

const EVERY_MS = 3_600_000;
const BATCH = 100;
/** So many hashes an event names. */
const NAMED = 20;

/** Lets bytes go that were in quarantine for long enough; versions, reports and findings stay. */
export function expireQuarantineTask(deps: ExpireQuarantineDeps): MaintenanceTask {
  const { settings, catalog, log } = deps;
  const { quarantineMs: forMs } = settings;
  return {
    name: "expire-quarantine",
    everyMs: EVERY_MS,
    failuresToTell: 1,
    run: async ({ signal }) => {
      const { state } = await watchClock(catalog, Date.now());
      if (state.pause?.reason === "clock") {
        log.warn({ pause: state.pause }, "quarantine is kept as it is: a clock is wrong");
        return;
      }
      const pace = new Pace({
        objectsPerSecond: settings.purgePerSecond,
        bytesPerSecond: Infinity,
      });
      let after: QuarantinedBlob | undefined;
      while (!signal.aborted) {
        const batch = await listQuarantined(catalog, { forMs, after, limit: BATCH });
        if (batch.length === 0) return;
        const gone: string[] = [];
        try {
          for (const { sha256 } of batch) {
            if (signal.aborted) break;
            if (await expireOne(deps, sha256)) gone.push(sha256);
            await pace.spend(1, 0, signal);
          }
        } finally {
          await tell(catalog, gone);
        }
        after = batch.at(-1);
      }
    },
  };
}

async function expireOne(deps: ExpireQuarantineDeps, sha256: string): Promise<boolean> {
  const { catalog, objects, settings } = deps;
  const [bytes] = await readLastBytes(catalog, [sha256]);
  if (bytes === undefined || !(await ensureCopy(deps, bytes))) return false;
  const key = await expireQuarantined(catalog, { sha256, forMs: settings.quarantineMs });
  if (key === undefined) return false;
  await removeClaimed({ catalog, objects, keepCopiesMs: settings.exportKeepMs }, sha256, key);
  return true;
}

async function tell(catalog: Catalog, gone: readonly string[]): Promise<void> {
  if (gone.length === 0) return;
  const message = `The bytes of ${gone.length} blobs that were long enough in quarantine are gone.`;
  const details = { blobs: gone.length, sha256s: gone.slice(0, NAMED) };
  await recordEvents(catalog, [{ severity: "info", kind: "quarantine.expired", message, details }]);
}
