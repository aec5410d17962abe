import {
  forgetUnknownObjects,
  recordUnknownObjects,
  type StoreName,
  type UnknownObject,
} from "@sluice/catalog";
import { type KeyKind, kindOfKey } from "@sluice/object-store";
import type { Step, StepDeps, StepOf } from "./part.js";

/** So many are remembered together. */
const BATCH = 500;
/** A list costs a store as much as so many reads. */
const LISTED_AS_ONE_READ = 100;

/** What belongs to the backup store. */
const BACKUP_KINDS: ReadonlySet<KeyKind | undefined> = new Set(["backup", "manifest", "export"]);
/** A file system's own. */
const NOBODYS = "lost+found";

/**
 * Looks through all names in a store for what is none of Sluice's: somebody has put it there. It is told once and left alone. A list
 * has no middle to go on from, so that this is one step, whatever its length.
 */
export function scrubNames(store: StoreName): StepOf {
  return async (deps, pass) => {
    let unknown = 0;
    let found: UnknownObject[] = [];
    const remember = async (): Promise<void> => {
      unknown += found.length;
      await recordUnknownObjects(deps.catalog, { store, pass: pass.id }, found);
      found = [];
    };
    let listed = 0;
    const listing = deps[store].list("", ({ name, what }) => {
      if (name !== NOBODYS) found.push({ name, what, size: undefined });
    });
    for await (const { key, size } of listing) {
      if (deps.signal.aborted) return { kind: "stopped" };
      if (!belongs(store, key, deps))
        found.push({ name: key, what: "is none of Sluice's objects", size });
      if (found.length >= BATCH) await remember();
      listed += 1;
      if (listed % LISTED_AS_ONE_READ === 0) await deps.pace.spend(1, 0, deps.signal);
    }
    await remember();
    await forgetUnknownObjects(deps.catalog, { store, pass: pass.id });
    return { kind: "went", after: undefined, counts: { unknown } } satisfies Step;
  };
}

function belongs(store: StoreName, key: string, { objects, backup }: StepDeps): boolean {
  const kind = kindOfKey(key);
  if (kind === undefined) return false;
  const shared = objects.description === backup.description;
  return shared || BACKUP_KINDS.has(kind) === (store === "backup");
}
