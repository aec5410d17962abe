import { isEmpty, type NoCopy } from "@sluice/backup";
import type { ObjectStore } from "@sluice/object-store";

/** So many bad ones in a batch, and more than half of it, are no accident of single objects. */
const SUSPICIOUS = 20;

/** How an object was found; `undefined` where there is none to be looked for. */
export type State = "good" | "stale" | NoCopy["state"] | undefined;

/** Why a store seems not to be the one that it should be. */
export async function suspicion(
  name: string,
  states: readonly State[],
  store: ObjectStore,
): Promise<string | undefined> {
  const bad = states.filter(isBad).length;
  const asked = states.filter((state) => state !== undefined).length;
  if (bad >= SUSPICIOUS && bad * 2 > asked)
    return `${bad} of ${asked} objects in a row are damaged or missing in the ${name}`;
  if (states.includes("missing") && (await isEmpty(store))) return `the ${name} is empty`;
  return undefined;
}

export function isBad(state: State): state is NoCopy["state"] {
  return state === "damaged" || state === "missing";
}
