import { BlobCorruptError } from "@sluice/blobs";
import {
  ObjectNotFoundError,
  type ObjectStore,
  StoreFullError,
  StoreUnavailableError,
} from "@sluice/object-store";
import type { NoCopy } from "./blob-copy.js";

/**
 * What a read has found, or that there is nothing to be read.
 *
 * @throws `StoreUnavailableError` where the store cannot be asked
 */
export async function readable<T>(store: ObjectStore, read: () => Promise<T>): Promise<T | NoCopy> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BlobCorruptError) return { state: "damaged", why: error.message };
    if (error instanceof ObjectNotFoundError) return { state: "missing", why: error.message };
    if (!(error instanceof StoreUnavailableError)) throw error;
    // A store that serves others and not this one: permissions were changed, or the disk has a bad sector there.
    await store.check().catch((failure: unknown) => {
      if (!(failure instanceof StoreFullError)) throw failure;
    });
    return { state: "damaged", why: `it cannot be read: ${error.message}` };
  }
}
