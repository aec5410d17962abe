import { readBlob } from "@sluice/blobs";
import { type Catalog, readBlobPlace, type StageScript } from "@sluice/catalog";
import { type BlobPlace, ObjectNotFoundError, type ObjectStore } from "@sluice/object-store";

/** A script's bytes, and where they were found. */
export interface Source {
  readonly bytes: Buffer;
  readonly place: BlobPlace;
}

/**
 * Reads a script's bytes, held against their hash. Another stage may have moved them since the script
 * was leased, as compress does while extract runs: then the place is looked up anew.
 *
 * @throws `BlobCorruptError`; `ObjectNotFoundError` where they are lost
 */
export async function readSource(
  { catalog, objects }: { catalog: Catalog; objects: ObjectStore },
  { blob, sha256 }: Pick<StageScript, "blob" | "sha256">,
): Promise<Source> {
  let place = blob ?? (await readBlobPlace(catalog, sha256));
  for (;;) {
    if (place === undefined) throw new Error(`dedup has left no blob of ${sha256}`);
    try {
      return { bytes: await readBlob(objects, place, sha256), place };
    } catch (error) {
      const now = await readBlobPlace(catalog, sha256);
      const moved = now !== undefined && now.key !== place.key;
      if (!(error instanceof ObjectNotFoundError) || !moved) throw error;
      place = now;
    }
  }
}
