import { isDeepStrictEqual } from "node:util";
import { type Catalog, listEvents, recordEvents } from "@sluice/catalog";

/** Names of one folder that are remembered, so that a folder of a million files costs no memory. */
const MAX_NAMES = 100_000;
const MAX_GROUPS = 1_000;
const MAX_IN_GROUP = 10;
/** Groups that an event shows. */
const SHOWN = 20;
/** Events that are looked through for what a directory's last one said. */
const LOOKED_THROUGH = 100;

/** Two paths that differ in the case of their last name alone. */
export interface CaseTwin {
  readonly path: string;
  readonly of: string;
}

/**
 * Files and folders of a directory whose names differ in case alone. They are different scripts, and namespaces, here; macOS and Windows take
 * them for one, so that of two that are copied there one is lost. Names that are one in Unicode's NFC are the refusals' to tell.
 */
export class CaseTwins {
  /** By the first of each. */
  readonly #groups = new Map<string, string[]>();
  #names = new Map<string, string>();

  /** Before the names of a folder, which are given without others in between. */
  enterFolder(): void {
    this.#names = new Map();
  }

  note(path: string): void {
    const name = path.normalize("NFC");
    // Full case mapping, as of APFS: a difference that some system sees is told all the same.
    const folded = name.toUpperCase();
    const first = this.#names.get(folded);
    if (first === undefined) {
      if (this.#names.size < MAX_NAMES) this.#names.set(folded, path);
      return;
    }
    if (first.normalize("NFC") === name) return;
    const group = this.#groups.get(first);
    if (group === undefined) {
      if (this.#groups.size < MAX_GROUPS) this.#groups.set(first, [first, path]);
    } else if (group.length < MAX_IN_GROUP) {
      group.push(path);
    }
  }

  /** Paths that belong together, in an order that does not depend on the file system's. */
  groups(): string[][] {
    return [...this.#groups.values()]
      .map((group) => group.toSorted())
      .toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  }

  list(): CaseTwin[] {
    return this.groups().flatMap(([of, ...others]) =>
      of === undefined ? [] : others.map((path) => ({ path, of })),
    );
  }
}

/** Records an event where a whole scan has found others than the directory's last event tells of, over restarts too. */
export async function recordTwins(
  catalog: Catalog,
  directory: string,
  twins: CaseTwins,
): Promise<void> {
  const groups = twins.groups();
  const [first] = groups;
  if (first === undefined) return;
  const kind = "watch.case_twins";
  const details = { directory, groups: groups.length, paths: groups.slice(0, SHOWN) };
  const { items } = await listEvents(catalog, { filter: { kind }, limit: LOOKED_THROUGH });
  const told = items.find((event) => Reflect.get(event.details, "directory") === directory);
  if (isDeepStrictEqual(told?.details, details)) return;
  const names = first.map((path) => JSON.stringify(path)).join(" and ");
  const more = groups.length > 1 ? `, and so do ${groups.length - 1} others` : "";
  const message = `In ${directory}, ${names} differ in upper and lower case alone${more}: they are kept apart here, and a system that takes them for one keeps only one when they are copied there.`;
  await recordEvents(catalog, [{ severity: "warning", kind, message, details }]);
}
