import {
  type DocumentCondition,
  healDescription,
  type HealedDocument,
  healManifest,
  inspectDescription,
  inspectManifest,
} from "@sluice/backup";
import { listDescriptions, listManifested, type ScrubPass } from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import pMap from "p-map";
import { AT_ONCE, BATCH, type Step, type StepDeps } from "./part.js";
import { isBad, suspicion } from "./suspicion.js";

/** Holds what is stored beside blobs (`metadata.json`) against the catalog, and writes it anew where it is not right. */
export async function scrubDescriptions(deps: StepDeps, pass: ScrubPass): Promise<Step> {
  const { after } = pass.position;
  const descriptions = await listDescriptions(deps.catalog, { after, limit: BATCH });
  return scrubDocuments(deps, pass, {
    store: deps.objects,
    storeName: "object store",
    items: descriptions.map((description) => ({
      position: description.sha256,
      inspect:
        description.candidates.length === 0
          ? undefined
          : () => inspectDescription(deps.objects, description),
      heal: () => healDescription(deps, description.sha256),
    })),
  });
}

/** Does the same of the manifests in the backup store. */
export async function scrubManifests(deps: StepDeps, pass: ScrubPass): Promise<Step> {
  const { after } = pass.position;
  const versions = await listManifested(deps.catalog, { after, limit: BATCH });
  return scrubDocuments(deps, pass, {
    store: deps.backup,
    storeName: "backup store",
    items: versions.map((version) => ({
      position: version.versionId,
      inspect: () => inspectManifest(deps.backup, version),
      heal: () => healManifest(deps, version.versionId),
    })),
  });
}

interface Documents {
  readonly store: ObjectStore;
  readonly storeName: string;
  readonly items: readonly {
    readonly position: string;
    /** Absent where there is none to be. */
    readonly inspect: (() => Promise<DocumentCondition>) | undefined;
    readonly heal: () => Promise<HealedDocument | undefined>;
  }[];
}

async function scrubDocuments(
  { pace, signal, log }: StepDeps,
  pass: ScrubPass,
  { store, storeName, items }: Documents,
): Promise<Step> {
  const last = items.at(-1);
  if (last === undefined) return { kind: "went", after: undefined, counts: {} };
  const inspected = await pMap(
    items,
    async (item) => {
      const found = await item.inspect?.();
      if (found !== undefined) await pace.spend(1, found.bytes, signal);
      return { item, found };
    },
    { concurrency: AT_ONCE },
  );
  if (!pass.trusted) {
    const states = inspected.map(({ found }) => found?.state);
    const why = await suspicion(storeName, states, store);
    if (why !== undefined) return { kind: "halted", why };
  }
  const counts = {
    documents: inspected.filter(({ found }) => found !== undefined).length,
    bytes: inspected.reduce((sum, { found }) => sum + (found?.bytes ?? 0), 0),
    damaged: 0,
    missing: 0,
    repaired: 0,
  };
  for (const { item, found } of inspected) {
    if (!isBad(found?.state) && found?.state !== "stale") continue;
    if (signal.aborted) return { kind: "stopped" };
    const healed = await item.heal();
    if (healed === undefined) continue;
    counts[healed.found] += 1;
    if (healed.repaired) counts.repaired += 1;
    log.error({ why: found.why, repaired: healed.repaired }, "a document was damaged or missing");
  }
  return { kind: "went", after: last.position, counts };
}
