import { type Catalog, dropPurged, dropUnusedDocuments, queueUnindexed } from "@sluice/catalog";
import type { Logger } from "@sluice/runtime";
import { z } from "zod";
import type { MaintenanceTask } from "./maintenance/task.js";

export interface TidySearchDeps {
  readonly catalog: Catalog;
  readonly log: Logger;
}

const HOUR_MS = 3_600_000;
const SCRIPTS = 2_000;
const ROWS = 500;

const cursor = z.object({ after: z.uuid().optional() });

/**
 * Queues for the search index what it lacks: all there was before there was an index, or after a restore, which brings the scripts
 * and not the index. And takes out of it what nothing refers to any more.
 */
export function tidySearchTask({ catalog, log }: TidySearchDeps): MaintenanceTask {
  return {
    name: "tidy-search",
    everyMs: HOUR_MS,
    async run({ signal, cursor: saved, save }) {
      let after = cursor.safeParse(saved).data?.after;
      let queued = 0;
      do {
        const some = await queueUnindexed(catalog, { after, limit: SCRIPTS });
        queued += some.queued;
        after = some.last;
        await save(after === undefined ? undefined : { after });
      } while (after !== undefined && !signal.aborted);
      let dropped = 0;
      for (const drop of [dropPurged, dropUnusedDocuments]) {
        while (!signal.aborted) {
          const some = await drop(catalog, ROWS);
          dropped += some;
          if (some === 0) break;
        }
      }
      if (queued + dropped > 0) log.info({ queued, dropped }, "the search index was tidied");
    },
  };
}
