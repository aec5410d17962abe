import { BlobCorruptError } from "@sluice/blobs";
import {
  InvalidKeyError,
  type ObjectStore,
  StoreFullError,
  StoreUnavailableError,
} from "@sluice/object-store";
import { BackupNotVerifiedError } from "./manifest.js";

/**
 * Why a store does not take one object, though it takes others: a directory lies in its place, it may not be written there, or what was
 * written reads back otherwise. One such object must not keep the scrub from all that come after it.
 *
 * @returns `undefined` where it was taken
 * @throws `StoreUnavailableError` where the store is away, or has no room
 */
export async function refusal(
  store: ObjectStore,
  write: () => Promise<void>,
): Promise<string | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    if (
      error instanceof InvalidKeyError ||
      error instanceof BackupNotVerifiedError ||
      error instanceof BlobCorruptError
    )
      return error.message;
    if (!(error instanceof StoreUnavailableError) || error instanceof StoreFullError) throw error;
    await store.check();
    return error.message;
  }
}
