import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createLog, type Logger, type ServiceSettings, type Settings } from "@sluice/runtime";
import { openDataDir } from "./data-dir.js";
import { preparePostgres, runningCatalogUrl } from "./postgres/server.js";
import type { Supervisor } from "./supervisor.js";

/** Where all stores are, and what of them is on which disk. */
export type StoreUrls = Pick<
  ServiceSettings,
  "catalogUrl" | "queueUrl" | "objectStoreUrl" | "backupUrl" | "diskPaths"
>;

/** The embedded stores' directories, made where they are missing. */
function directoriesOf({
  dataDir,
  objectStoreUrl,
  backupUrl,
}: Settings): Pick<StoreUrls, "objectStoreUrl" | "backupUrl"> {
  const directory = (name: string): string => {
    const path = join(dataDir, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return pathToFileURL(path).href;
  };
  return {
    objectStoreUrl: objectStoreUrl ?? directory("objects"),
    backupUrl: backupUrl ?? directory("backup"),
  };
}

interface Opening {
  readonly signal: AbortSignal;
  readonly unlessStopped: <T>(work: Promise<T>) => Promise<T>;
  /** Told of PostgreSQL before it is started: whoever is told stops it. */
  readonly onPostgres: (supervisor: Supervisor) => void;
}

/**
 * The URLs of all stores; what the settings do not name is embedded, and its PostgreSQL started.
 *
 * @returns also the version of that PostgreSQL
 */
export async function openStores(
  settings: Settings,
  log: Logger,
  say: (line: string) => void,
  { signal, unlessStopped, onPostgres }: Opening,
): Promise<{ urls: StoreUrls; postgres: string | undefined }> {
  const { dataDir, catalogUrl, queueUrl, diskPaths } = settings;
  const objects = directoriesOf(settings);
  // The queue's tables have a schema of their own, so that they may share the catalog's database.
  if (catalogUrl !== undefined)
    return {
      urls: { catalogUrl, queueUrl: queueUrl ?? catalogUrl, ...objects, diskPaths },
      postgres: undefined,
    };

  const postgres = await preparePostgres(dataDir, log, say, signal);
  signal.throwIfAborted();
  onPostgres(postgres.supervisor);
  await unlessStopped(postgres.supervisor.start());
  const urls = await unlessStopped(postgres.openDatabases());
  const isNamed = diskPaths.some(({ name }) => name === "catalog");
  const own = isNamed ? [] : [{ name: "catalog", path: join(dataDir, "postgres") }];
  return {
    urls: {
      catalogUrl: urls.catalogUrl,
      queueUrl: queueUrl ?? urls.queueUrl,
      ...objects,
      diskPaths: [...diskPaths, ...own],
    },
    postgres: postgres.version,
  };
}

/**
 * Does something with the stores that `npm start` would run on, while nothing else does: the data directory is held, and what is
 * embedded runs for as long as it takes.
 *
 * @throws `StartError` where a Sluice holds the data directory, or PostgreSQL does not start
 */
export async function withStores<T>(
  settings: Settings,
  say: (line: string) => void,
  work: (urls: StoreUrls) => Promise<T>,
): Promise<T> {
  const log = createLog("sluice", { logLevel: "fatal" });
  const dataDir = openDataDir(settings.dataDir);
  let started: Supervisor | undefined;
  try {
    const { urls } = await openStores(settings, log, say, {
      signal: new AbortController().signal,
      unlessStopped: (starting) => starting,
      onPostgres: (supervisor) => (started = supervisor),
    });
    return await work(urls);
  } finally {
    await started?.stop();
    dataDir.release();
  }
}

/**
 * Does something with the stores of an installation, whether it runs or not.
 *
 * @throws `StartError` where PostgreSQL does not start
 */
export async function withStoresInUse<T>(
  settings: Settings,
  say: (line: string) => void,
  work: (urls: Omit<StoreUrls, "queueUrl" | "diskPaths">) => Promise<T>,
): Promise<T> {
  const catalogUrl = settings.catalogUrl ?? runningCatalogUrl(settings.dataDir);
  return catalogUrl === undefined
    ? withStores(settings, say, work)
    : work({ catalogUrl, ...directoriesOf(settings) });
}
