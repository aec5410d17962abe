import { fileURLToPath } from "node:url";
import { type Catalog, isCatalogFull, probeCatalogRoom } from "@sluice/catalog";
import { type ObjectStore, StoreFullError } from "@sluice/object-store";
import { isQueueFull, type Queue } from "@sluice/queue";
import { type ServiceSettings, withoutPasswords } from "@sluice/runtime";
import type { StoreToWatch } from "./watched-store.js";

export interface OpenStores {
  readonly catalog: Catalog;
  readonly queue: Queue;
  readonly objects: ObjectStore;
  /** `undefined` in a process that does not use it; its directory is looked at all the same. */
  readonly backup: ObjectStore | undefined;
}

/** Every store that a process with these settings sees. */
export function storesToWatch(
  settings: Pick<
    ServiceSettings,
    "backupUrl" | "catalogUrl" | "objectStoreUrl" | "queueUrl" | "diskPaths"
  >,
  { catalog, queue, objects, backup }: OpenStores,
): StoreToWatch[] {
  const paths = new Map(settings.diskPaths.map(({ name, path }) => [name, path]));
  const known: StoreToWatch[] = [
    ofObjects("objects", settings.objectStoreUrl, objects),
    ofObjects("backup", settings.backupUrl, backup),
    {
      name: "catalog",
      description: withoutCredentials(settings.catalogUrl),
      probe: () => probeCatalogRoom(catalog),
      isFull: isCatalogFull,
      holdsIntake: true,
    },
    {
      name: "queue",
      description: withoutCredentials(settings.queueUrl),
      check: () => queue.check(),
      isFull: isQueueFull,
      // What cannot be enqueued waits in the catalog.
      holdsIntake: false,
    },
  ];
  const named = known.map((store) => ({
    ...store,
    directory: paths.get(store.name) ?? store.directory,
  }));
  const others = settings.diskPaths.filter(
    ({ name }) => !known.some((store) => store.name === name),
  );
  return [
    ...named.filter(({ directory, check, probe }) => directory ?? check ?? probe),
    ...others.map(({ name, path }) => ({
      name,
      description: path,
      directory: path,
      isFull: () => false,
      holdsIntake: true,
    })),
  ];
}

function ofObjects(name: string, url: string, store: ObjectStore | undefined): StoreToWatch {
  const isDirectory = url.startsWith("file:");
  return {
    name,
    description: store?.description ?? withoutCredentials(url),
    directory: isDirectory ? fileURLToPath(url) : undefined,
    // A directory's file system says it all, but for a quota.
    check: isDirectory || store === undefined ? undefined : () => store.check(),
    probe: store === undefined ? undefined : () => store.probeRoom(),
    isFull: (error) => error instanceof StoreFullError,
    holdsIntake: true,
  };
}

function withoutCredentials(url: string): string {
  const { protocol, host, pathname } = new URL(withoutPasswords(url));
  return `${protocol}//${host}${pathname}`;
}
