import { type Queryable, readStoredBlobs } from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import pMap from "p-map";
import { type NoCopy, verifyBackup } from "./blob-copy.js";

/** Of some blobs, those whose copies give their bytes back, and what is wrong with the others'. */
export interface CheckedCopies {
  readonly good: ReadonlySet<string>;
  readonly bad: ReadonlyMap<string, NoCopy>;
}

const AT_ONCE = 16;

/**
 * Reads the copy of each blob back, decodes it and holds it against the hash. Asked before anything of a blob is deleted or archived:
 * what is not `good` stays where it is. Only the copy that the blob's row names counts.
 *
 * @param onRead - told of each copy how many bytes of it were read; what it waits for is waited for
 * @throws `StoreUnavailableError` where the backup store cannot be asked: then nothing may go
 */
export async function checkCopies(
  { catalog, backup }: { readonly catalog: Queryable; readonly backup: ObjectStore },
  sha256s: readonly string[],
  {
    signal,
    onRead = async () => {},
  }: { readonly signal?: AbortSignal; readonly onRead?: (bytes: number) => Promise<void> } = {},
): Promise<CheckedCopies> {
  const good = new Set<string>();
  const bad = new Map<string, NoCopy>(
    sha256s.map((sha256) => [sha256, { state: "missing", why: "there is no such blob" }]),
  );
  const blobs = await readStoredBlobs(catalog, sha256s);
  await pMap(
    blobs,
    async ({ sha256, backupKey }) => {
      if (backupKey === undefined) {
        bad.set(sha256, { state: "missing", why: "it was not copied to the backup store yet" });
        return;
      }
      const copy = await verifyBackup(backup, { sha256, backupKey });
      await onRead(copy.state === "good" ? copy.stored.length : 0);
      if (copy.state === "good") {
        good.add(sha256);
        bad.delete(sha256);
      } else bad.set(sha256, copy);
    },
    { concurrency: AT_ONCE, ...(signal === undefined ? {} : { signal }) },
  );
  return { good, bad };
}
