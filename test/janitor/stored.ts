import { randomUUID } from "node:crypto";
import { backUpBlob } from "@sluice/backup";
import { encode, sha256Of } from "@sluice/blobs";
import type { Catalog } from "@sluice/catalog";
import type { AnalysisMetadata } from "@sluice/contracts";
import { type BlobEncoding, blobKey, metadataKey, type ObjectStore } from "@sluice/object-store";
import { register, upload } from "../catalog/fixture.js";
import { METADATA } from "../http/stages.js";

export interface Stores {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly backup: ObjectStore;
}

/** A script that is through the pipeline. */
export interface StoredScript {
  readonly scriptId: string;
  readonly versionId: string;
  readonly filename: string;
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
  const filename = `${randomUUID()}.py`;
  const { scriptId, versionId } = await register(
    catalog,
    upload(filename, content.toString(), { namespace }),
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
  return { scriptId, versionId, filename, sha256, key: place.key, backupKey, content };
}

/** Has a script be analysed, and what extract stores of that lie beside its bytes. @returns what lies there */
export async function describeScript(
  { catalog, objects }: Stores,
  { versionId, scriptId, filename, sha256 }: StoredScript,
  metadata: AnalysisMetadata = METADATA,
): Promise<object> {
  await catalog.query(
    `insert into analyses (sha256, analyser_version, policy_version, leader, state, verdict, metadata)
     values ($1, 'a1', 'p1', $2, 'done', 'allowed', $3)`,
    [sha256, versionId, JSON.stringify(metadata)],
  );
  const { rows } = await catalog.query<{ namespace: string; created_at: Date }>(
    "select s.namespace, v.created_at from versions v join scripts s on s.id = v.script_id where v.id = $1",
    [versionId],
  );
  const { namespace, created_at } = rows[0] as (typeof rows)[0];
  const upload_time = created_at.toISOString();
  const head = { script_id: scriptId, namespace, filename, upload_time, version: 1, sha256 };
  const description = { ...head, ...metadata, tools: metadata.tools.fastmcp };
  await objects.put(metadataKey(sha256), Buffer.from(JSON.stringify(description)));
  return description;
}
