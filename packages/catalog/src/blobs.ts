import type { BlobPlace } from "@sluice/object-store";
import type { Queryable } from "./catalog.js";

/** Whether the backup store has anything, as far as the catalog knows. */
export async function hasCopies(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ any: boolean }>(
    `select exists (select from blobs where backup_key is not null)
       or exists (select from early_copies) as any`,
  );
  return rows[0]?.any === true;
}

/** Where the bytes of a hash are at this moment; `undefined` where there is no such blob. */
export async function readBlobPlace(db: Queryable, sha256: string): Promise<BlobPlace | undefined> {
  const { rows } = await db.query<BlobPlace>({
    name: "read_blob_place",
    text: `select key, "offset"::float8 as "offset", length::float8 as length, encoding
      from blobs where sha256 = $1 and state = 'stored'`,
    values: [sha256],
  });
  return rows[0];
}
