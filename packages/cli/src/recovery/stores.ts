import { type ObjectStore, openObjectStore, type OpenOptions } from "@sluice/object-store";
import { UsageError } from "../usage-error.js";

/** Opens an object store that is closed when the work is over. */
export type OpenStore = (url: string, options?: OpenOptions) => Promise<ObjectStore>;

/** Runs work with object stores; whatever it opens is closed at its end, however that comes. */
export async function withObjectStores<T>(work: (open: OpenStore) => Promise<T>): Promise<T> {
  const opened: ObjectStore[] = [];
  try {
    return await work(async (url, options) => {
      if (!/^(s3|file):\/\//.test(url))
        throw new UsageError(
          "--from must be s3://KEY:SECRET@HOST:PORT/BUCKET or file:///DIRECTORY",
        );
      const store = await openObjectStore(url, options);
      opened.push(store);
      return store;
    });
  } finally {
    await Promise.allSettled(opened.map((store) => store.close()));
  }
}

/** The store that `--from` names, where that is another than the installation's own. */
export async function openSource(
  from: string | undefined,
  own: ObjectStore,
  open: OpenStore,
): Promise<ObjectStore> {
  if (from === undefined) return own;
  const source = await open(from, { mustExist: true });
  return source.description === own.description ? own : source;
}
