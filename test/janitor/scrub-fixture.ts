import type { HealDeps } from "@sluice/backup";
import { type Catalog, listEvents, type RecordedEvent, requestScrubPass } from "@sluice/catalog";
import { createLog } from "@sluice/runtime";
import type { TaskRun } from "../../services/janitor/src/maintenance/task.js";
import { type ScrubDeps, scrubTask } from "../../services/janitor/src/scrub/scrub.js";

const DAY_MS = 86_400_000;

/** What a scrub is run with, as quick as the stores are. */
export function scrubDeps(stores: HealDeps, overrides: Partial<ScrubDeps> = {}): ScrubDeps {
  return {
    ...stores,
    log: createLog("janitor", { logLevel: "silent" }),
    settings: { scrubIntervalMs: DAY_MS, scrubObjectsPerSecond: 1e6, scrubBytesPerSecond: 1e12 },
    onScrubbed: () => {},
    ...overrides,
  };
}

/** One run of the task, as a janitor does it. */
export async function runScrub(
  deps: ScrubDeps,
  signal: TaskRun["signal"] = new AbortController().signal,
): Promise<void> {
  await scrubTask(deps).run({ cursor: undefined, save: async () => {}, signal });
}

/** A pass from the beginning, whenever the last one was. */
export async function scrubPass(deps: ScrubDeps, trusted = false): Promise<void> {
  await deps.catalog.query("update scrub_passes set finished_at = now() where finished_at is null");
  await requestScrubPass(deps.catalog, { askedBy: "test", trusted });
  await runScrub(deps);
}

/** What was told, the oldest first. */
export async function eventsOf(catalog: Catalog): Promise<RecordedEvent[]> {
  return (await listEvents(catalog, { filter: {}, limit: 200 })).items.toReversed();
}
