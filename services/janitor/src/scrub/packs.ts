import { type DocumentCondition, inspectPack } from "@sluice/backup";
import {
  deleteDeadPack,
  listLivingMembers,
  listPacks,
  type PackToScrub,
  recordEvents,
  type ScrubPass,
  withPackHeld,
} from "@sluice/catalog";
import { packKey } from "@sluice/object-store";
import { BackupSuspectedError, writePack } from "../archive/write-pack.js";
import type { Step, StepDeps } from "./part.js";
import { isBad, suspicion } from "./suspicion.js";

/**
 * Reads a pack of the archive as a whole and holds it against its name. Blobs in it have been looked at by then: what was damaged of them
 * has left it. What is left of a pack that is not as it was written goes into another, and the damaged one goes.
 */
export async function scrubPacks(deps: StepDeps, pass: ScrubPass): Promise<Step> {
  const { catalog, objects, pace, signal, log } = deps;
  const [pack] = await listPacks(catalog, { after: pass.position.after, limit: 1 });
  if (pack === undefined) return { kind: "went", after: undefined, counts: {} };
  const { state, bytes } = await inspectPack(objects, pack);
  await pace.spend(1, bytes, signal);
  const counts = { documents: 1, bytes, damaged: 0, missing: 0, repaired: 0 };
  if (isBad(state) || state === "stale") {
    const why = pass.trusted ? undefined : await suspicion("object store", [state], objects);
    if (why !== undefined) return { kind: "halted", why };
    if (signal.aborted) return { kind: "stopped" };
    try {
      const renewed = await renew(pack, deps);
      if (renewed !== undefined && isBad(renewed.found)) {
        counts[renewed.found] += 1;
        if (renewed.isGone) counts.repaired += 1;
        log.error({ pack: pack.packId, ...renewed }, "a pack was damaged or missing");
      }
    } catch (error) {
      if (error instanceof BackupSuspectedError) return { kind: "halted", why: error.why };
      throw error;
    }
  }
  return { kind: "went", after: pack.packId, counts };
}

/** @returns `undefined` where there is nothing to be done, or told, about it */
async function renew(
  pack: PackToScrub,
  deps: StepDeps,
): Promise<{ readonly found: DocumentCondition["state"]; readonly isGone: boolean } | undefined> {
  const { catalog, objects } = deps;
  const { packId } = pack;
  const found = await withPackHeld(catalog, packId, () => inspectPack(objects, pack));
  if (found === undefined || found.state === "good") return undefined;
  const members = await listLivingMembers(catalog, packId);
  const going = members.filter(({ marked }) => !marked);
  // What is left of it is lost, and was told: whoever puts the pack back brings it back.
  if (members.length > 0 && going.length === 0) return undefined;
  if (going.length > 0) await writePack(deps, going, () => []);
  const key = packKey(packId);
  const isGone = await deleteDeadPack(catalog, packId, () => objects.delete(key));
  if (isBad(found.state)) await tell(deps, { key, found: found.state, why: found.why, isGone });
  return { found: found.state, isGone };
}

async function tell(
  { catalog }: StepDeps,
  {
    key,
    found,
    why,
    isGone,
  }: { key: string; found: "damaged" | "missing"; why: string; isGone: boolean },
): Promise<void> {
  const message = isGone ? why : `${why}; not all that lies in it could be moved to another pack`;
  await recordEvents(catalog, [
    { severity: "warning", kind: `object.${found}`, message, details: { key } },
  ]);
  if (!isGone) return;
  const repaired = `What lay in ${key} is elsewhere, whole.`;
  await recordEvents(catalog, [
    { severity: "info", kind: "object.repaired", message: repaired, details: { key } },
  ]);
}
