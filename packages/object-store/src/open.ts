import { FileSystemObjectStore } from "./filesystem.js";
import type { ObjectStore, OpenOptions } from "./object-store.js";
import { S3ObjectStore } from "./s3.js";
import { parseObjectStoreUrl } from "./url.js";

/**
 * Opens the store that a URL names; its directory or bucket is made if it is missing.
 *
 * @param mustExist - it is not made
 * @throws {@link ObjectStoreUrlError} where the URL is wrong
 * @throws {@link StoreUnavailableError} where the store cannot be reached, made or used
 * @throws {@link StoreMissingError} where it is missing and must exist
 */
export async function openObjectStore(
  url: string,
  { mustExist = false }: OpenOptions = {},
): Promise<ObjectStore> {
  const location = parseObjectStoreUrl(url);
  return location.kind === "file"
    ? FileSystemObjectStore.open(location.directory, { mustExist })
    : S3ObjectStore.open(location, { mustExist });
}
