import { type ObjectStore, StoreFullError } from "@sluice/object-store";

/** The same store, which also tells whenever a write found no room in it. */
export function tellingWhenFull(
  store: ObjectStore,
  tell: (error: StoreFullError) => void,
): ObjectStore {
  const told = async (write: Promise<void>): Promise<void> => {
    try {
      await write;
    } catch (error) {
      if (error instanceof StoreFullError) tell(error);
      throw error;
    }
  };
  return {
    description: store.description,
    put: (key, bytes) => told(store.put(key, bytes)),
    copy: (from, to) => told(store.copy(from, to)),
    get: (key, range) => store.get(key, range),
    stat: (key) => store.stat(key),
    delete: (key) => store.delete(key),
    list: (prefix, onForeign) => store.list(prefix, onForeign),
    check: () => store.check(),
    probeRoom: () => store.probeRoom(),
    close: () => store.close(),
  };
}
