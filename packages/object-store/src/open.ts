import { FileSystemObjectStore } from "./filesystem.js";
import type { ObjectStore } from "./object-store.js";
import { S3ObjectStore } from "./s3.js";
import { parseObjectStoreUrl } from "./url.js";

/**
 * Opens the store that a URL names; its directory or bucket is made if it is missing.
 *
 * @throws {@link ObjectStoreUrlError} where the URL is wrong
 * @throws {@link StoreUnavailableError} where the store cannot be reached, made or used
 */
export async function openObjectStore(url: string): Promise<ObjectStore> {
  const location = parseObjectStoreUrl(url);
  return location.kind === "file"
    ? FileSystemObjectStore.open(location.directory)
    : S3ObjectStore.open(location);
}
