import {
  type Condition,
  healBlob,
  type Healed,
  healUpload,
  inspectBlob,
  inspectCopy,
} from "@sluice/backup";
import {
  type BlobToScrub,
  listBlobsToScrub,
  listUploadsToScrub,
  type ScrubCounts,
  type ScrubPass,
} from "@sluice/catalog";
import pMap from "p-map";
import { AT_ONCE, BATCH, type Step, type StepDeps } from "./part.js";
import { isBad, suspicion } from "./suspicion.js";

/** Reads blobs and their copies, holds both against the hash, and repairs either from the other. */
export async function scrubBlobs(deps: StepDeps, pass: ScrubPass): Promise<Step> {
  const blobs = await listBlobsToScrub(deps.catalog, { after: pass.position.after, limit: BATCH });
  return scrubBytes(deps, pass, blobs, ({ sha256 }) => ({
    position: sha256,
    heal: () => healBlob(deps, sha256),
  }));
}

/** Does the same of raw uploads that wait for dedup, and of their copies where an export has made some. */
export async function scrubUploads(deps: StepDeps, pass: ScrubPass): Promise<Step> {
  const { after } = pass.position;
  const uploads = await listUploadsToScrub(deps.catalog, { after, limit: BATCH });
  return scrubBytes(deps, pass, uploads, ({ versionId }) => ({
    position: versionId,
    heal: () => healUpload(deps, versionId),
  }));
}

async function scrubBytes<Item extends BlobToScrub>(
  deps: StepDeps,
  pass: ScrubPass,
  items: readonly Item[],
  of: (item: Item) => { position: string; heal: () => Promise<Healed | undefined> },
): Promise<Step> {
  const last = items.at(-1);
  if (last === undefined) return { kind: "went", after: undefined, counts: {} };
  const inspected = await pMap(items, (item) => inspect(item, deps), { concurrency: AT_ONCE });
  if (!pass.trusted) {
    const why =
      (await suspicion("object store", statesOfObjects(inspected), deps.objects)) ??
      (await suspicion(
        "backup store",
        inspected.map(({ copy }) => copy),
        deps.backup,
      ));
    if (why !== undefined) return { kind: "halted", why };
  }
  const bytes = inspected.reduce((sum, one) => sum + one.bytes, 0);
  const counts = {
    checked: items.length,
    bytes,
    damaged: 0,
    missing: 0,
    repaired: 0,
    unrepairable: 0,
  };
  for (const { item, found, copy } of inspected) {
    if (!isBad(found) && !isBad(copy) && !item.marked) continue;
    if (deps.signal.aborted) return { kind: "stopped" };
    const healed = await of(item).heal();
    if (healed !== undefined) count(counts, healed);
    if (healed?.blob !== undefined || healed?.copy !== undefined)
      deps.log.error({ sha256: item.sha256, ...healed }, "bytes were damaged or missing");
  }
  return { kind: "went", after: of(last).position, counts };
}

/** By object: many blobs may be part of the same one, which is lost once. */
function statesOfObjects(
  inspected: readonly { readonly item: BlobToScrub; readonly found: Condition["state"] }[],
): readonly Condition["state"][] {
  const states = new Map<string, Condition["state"]>();
  for (const { item, found } of inspected) {
    const { key } = item.place;
    if (found !== "good" || !states.has(key)) states.set(key, found);
  }
  return [...states.values()];
}

function count(
  counts: {
    -readonly [Name in "damaged" | "missing" | "repaired" | "unrepairable"]: ScrubCounts[Name];
  },
  healed: Healed,
): void {
  for (const state of [healed.blob, healed.copy]) if (state !== undefined) counts[state] += 1;
  counts.repaired += healed.repaired;
  if (healed.unrepairable) counts.unrepairable += 1;
}

async function inspect<Item extends BlobToScrub>(item: Item, deps: StepDeps) {
  const found = await inspectBlob(deps.objects, item);
  const copy = await inspectCopy(deps.backup, item);
  const bytes = sizeOf(found) + sizeOf(copy);
  await deps.pace.spend(copy === undefined ? 1 : 2, bytes, deps.signal);
  return { item, found: found.state, copy: copy?.state, bytes };
}

function sizeOf(found: Condition | undefined): number {
  return found !== undefined && "stored" in found ? found.stored.length : 0;
}
