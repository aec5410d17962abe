import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { backUpBlob, type HealDeps } from "@sluice/backup";
import { encode, sha256Of } from "@sluice/blobs";
import { blobKey, type BlobEncoding } from "@sluice/object-store";
import pLimit from "p-limit";

export interface StoredScript {
  readonly scriptId: string;
  readonly key: string;
  readonly backupKey: string;
  readonly sha256: string;
  /** Of the source, in bytes. */
  readonly size: number;
}

/** Stores so many scripts as the pipeline leaves them, made of the .py files below a directory: each as often as it takes, never twice alike. */
export async function storeScripts(
  { catalog, objects, backup }: HealDeps,
  { directory, count, encoding }: { directory: string; count: number; encoding: BlobEncoding },
): Promise<StoredScript[]> {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".py"))
    .toSorted();
  const sources = paths.map((path) => readFileSync(join(directory, path)));
  const limit = pLimit(16);
  const store = async (n: number) => {
    const source = sources[n % sources.length] ?? Buffer.alloc(0);
    const content = Buffer.concat([source, Buffer.from(`\n# ${n}\n`)]);
    const sha256 = sha256Of(content);
    const stored = await encode(content, encoding);
    const place = { key: blobKey(sha256, encoding), offset: 0, length: stored.length, encoding };
    await objects.put(place.key, stored);
    const backupKey = await backUpBlob(objects, backup, { place, sha256 });
    return { ...place, scriptId: randomUUID(), backupKey, sha256, size: content.length };
  };
  const scripts = await Promise.all(Array.from({ length: count }, (_, n) => limit(() => store(n))));
  await catalog.query(
    `with item as (select * from jsonb_to_recordset($1::jsonb) as item (
         "scriptId" uuid, sha256 text, size integer, key text, length bigint, encoding text, "backupKey" text)
     ), script as (
       insert into scripts (id, namespace, filename, latest_version)
         select "scriptId", 'bench', sha256 || '.py', 1 from item
     ), version as (
       insert into versions (id, script_id, number, sha256, size, original_filename, state, verdict, request_id)
         select gen_random_uuid(), "scriptId", 1, sha256, size, 's.py', 'ready', 'allowed', 'r' from item
     )
     insert into blobs (sha256, size, key, length, encoding, backup_key)
       select sha256, size, key, length, encoding, "backupKey" from item`,
    [JSON.stringify(scripts)],
  );
  await catalog.query("analyze");
  return scripts;
}
