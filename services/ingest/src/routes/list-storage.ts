import type { StorageList, StorageSteps } from "@sluice/contracts";
import type { StorageView } from "@sluice/disk";
import type { Dependencies } from "../dependencies.js";
import { route, type Route } from "../http/route.js";

export function listStorage({ storage }: Dependencies): Route {
  return route("listStorage", ({ res }) => {
    const closedBy = storage.closedBy.map(({ name }) => name);
    const body: StorageList = {
      intake: { open: closedBy.length === 0, closed_by: closedBy },
      items: storage.stores.map(toStorage),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}

function toStorage({ seen, ...view }: StorageView): StorageList["items"][number] {
  const { thresholds } = seen;
  return {
    name: view.name,
    description: seen.description,
    state: view.state,
    since: view.since.toISOString(),
    checked_at: view.checkedAt.toISOString(),
    stale: view.stale,
    holds_intake: seen.holdsIntake,
    free_bytes: seen.freeBytes ?? null,
    total_bytes: seen.totalBytes ?? null,
    free_inodes: seen.freeInodes ?? null,
    total_inodes: seen.totalInodes ?? null,
    thresholds:
      thresholds === undefined
        ? null
        : { bytes: toSteps(thresholds.bytes), inodes: toSteps(thresholds.inodes) },
    refusal: seen.refusal ?? null,
    error: seen.error ?? null,
  };
}

function toSteps({ low, lowUntil, full, fullUntil }: StorageSteps) {
  return { low, low_until: lowUntil, full, full_until: fullUntil };
}
