import {
  forgetUnknownObjects,
  listNobodysBytes,
  neededManifests,
  recordUnknownObjects,
  type StoreName,
  type UnknownObject,
} from "@sluice/catalog";
import { hashOfKey, type KeyKind, kindOfKey, type ObjectStat } from "@sluice/object-store";
import pMap from "p-map";
import { AT_ONCE, type Step, type StepDeps, type StepOf } from "./part.js";

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
    const remember = async (found: readonly UnknownObject[]): Promise<void> => {
      unknown += found.length;
      await recordUnknownObjects(deps.catalog, { store, pass: pass.id }, found);
    };
    let found: UnknownObject[] = [];
    let ours: ObjectStat[] = [];
    let listed = 0;
    const look = async (): Promise<void> => {
      const some = found;
      const stats = ours;
      [found, ours] = [[], []];
      await remember(some);
      if (store === "backup") await remember(await nobodys(stats, deps));
    };
    const listing = deps[store].list("", ({ name, what }) => {
      if (name !== NOBODYS) found.push({ name, what, size: undefined });
    });
    for await (const stat of listing) {
      if (deps.signal.aborted) return { kind: "stopped" };
      const { key, size } = stat;
      if (belongs(store, key, deps)) ours.push(stat);
      else found.push({ name: key, what: "is none of Sluice's objects", size });
      if (found.length + ours.length >= BATCH) await look();
      listed += 1;
      if (listed % LISTED_AS_ONE_READ === 0) await deps.pace.spend(1, 0, deps.signal);
    }
    await look();
    await forgetUnknownObjects(deps.catalog, { store, pass: pass.id });
    return { kind: "went", after: undefined, counts: { unknown } } satisfies Step;
  };
}

/**
 * Copies and manifests that nothing refers to. In the object store the sweep deletes such objects; what is in the backup store is only told:
 * it may be the last that is left of something.
 */
async function nobodys(
  stats: readonly ObjectStat[],
  { catalog, backup }: StepDeps,
): Promise<UnknownObject[]> {
  const hashOf = ({ key }: ObjectStat): string[] =>
    kindOfKey(key) === "backup" ? [hashOfKey(key) ?? ""] : [];
  const manifests = stats.map(({ key }) => key).filter((key) => kindOfKey(key) === "manifest");
  const bytes = await listNobodysBytes(catalog, stats.flatMap(hashOf));
  const needed = await neededManifests(catalog, manifests);
  const found = stats.flatMap((stat) => {
    const { key: name, size } = stat;
    if (hashOf(stat).some((sha256) => bytes.has(sha256)))
      return [{ name, what: "is a copy of bytes that no version has", size }];
    if (kindOfKey(name) !== "manifest" || needed.has(name)) return [];
    return [{ name, what: "is the manifest of no version", size }];
  });
  // A purge may have removed it meanwhile, and its rows.
  const there = await pMap(found, ({ name }) => backup.stat(name), { concurrency: AT_ONCE });
  return found.filter((_, index) => there[index] !== undefined);
}

function belongs(store: StoreName, key: string, { objects, backup }: StepDeps): boolean {
  const kind = kindOfKey(key);
  if (kind === undefined) return false;
  const shared = objects.description === backup.description;
  return shared || BACKUP_KINDS.has(kind) === (store === "backup");
}
