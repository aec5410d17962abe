import { randomUUID } from "node:crypto";
import { backUpBlob } from "@sluice/backup";
import { encode, sha256Of } from "@sluice/blobs";
import type { Catalog } from "@sluice/catalog";
import { type BlobEncoding, blobKey, metadataKey, type ObjectStore } from "@sluice/object-store";
import { register, upload } from "../catalog/fixture.js";

export interface Stores {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
}

/** A script that is through the pipeline. */
export interface StoredScript {
  readonly scriptId: string;
  readonly versionId: string;
  readonly sha256: string;
  readonly key: string;
  readonly backupKey: string;
  readonly content: Buffer;
}

/** Makes a script of that text that is `ready`, its bytes stored, with `metadata.json` beside them, and unless told otherwise backed up. */
export async function storeScript(
  { catalog, objects, backup }: Stores,
  text: string,
  {
    encoding = "zstd",
    backedUp = true,
    namespace = "default",
  }: { encoding?: BlobEncoding; backedUp?: boolean; namespace?: string } = {},
): Promise<StoredScript> {
  const content = Buffer.from(`print(${JSON.stringify(text)})\n`.repeat(40));
  const sha256 = sha256Of(content);
  const { scriptId, versionId } = await register(
    catalog,
    upload(`${randomUUID()}.py`, content.toString(), { namespace }),
  );
  const bytes = await encode(content, encoding);
  const place = { key: blobKey(sha256, encoding), offset: 0, length: bytes.length, encoding };
  await objects.put(place.key, bytes);
  await objects.put(metadataKey(sha256), Buffer.from(JSON.stringify({ sha256 })));
  const backupKey = backedUp
    ? await backUpBlob(objects, backup, { place, sha256 })
    : `backups/${place.key}`;
  await catalog.query(
    `insert into blobs (sha256, size, key, length, encoding, backup_key) values ($1, $2, $3, $4, $5, $6)`,
    [sha256, content.length, place.key, bytes.length, encoding, backedUp ? backupKey : null],
  );
  await catalog.query("delete from stages where version_id = $1", [versionId]);
  await catalog.query(
    "update versions set state = 'ready', verdict = 'allowed', raw_key = null, finished_at = now() where id = $1",
    [versionId],
  );
  return { scriptId, versionId, sha256, key: place.key, backupKey, content };
}
