import { createHash } from "node:crypto";
import type { VersionToManifest } from "@sluice/catalog";
import { ObjectNotFoundError, type ObjectStore, StoreUnavailableError } from "@sluice/object-store";
import { VERDICTS } from "@sluice/pipeline";
import { z } from "zod";

/**
 * What the backup store says of one version: with the blob that it names, enough to bring the version
 * back. What the analysis found is left out, because it follows from the bytes.
 */
export const manifest = z.object({
  format: z.literal("sluice.manifest/1"),
  script_id: z.uuid(),
  version_id: z.uuid(),
  version: z.int().positive(),
  namespace: z.string(),
  filename: z.string(),
  original_filename: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of the source, in bytes. */
  size: z.int().nonnegative(),
  upload_time: z.iso.datetime(),
  verdict: z.enum(VERDICTS).nullable(),
  blob: z.object({
    key: z.string(),
    encoding: z.enum(["identity", "zstd", "gzip"]),
  }),
});
export type Manifest = z.infer<typeof manifest>;

/** What the manifest of a version says. */
export function manifestOf(version: VersionToManifest): Manifest {
  return {
    format: "sluice.manifest/1",
    script_id: version.scriptId,
    version_id: version.versionId,
    version: version.version,
    namespace: version.namespace,
    filename: version.filename,
    original_filename: version.originalFilename,
    sha256: version.sha256,
    size: version.size,
    upload_time: version.uploadTime.toISOString(),
    verdict: version.verdict ?? null,
    blob: { key: version.backupKey, encoding: version.encoding },
  };
}

/** `backups/manifests/<script_id>/v<n>.json` */
export function manifestKey(scriptId: string, version: number): string {
  return `${MANIFESTS}${scriptId}/v${version}.json`;
}

/** Where all manifests are. */
export const MANIFESTS = "backups/manifests/";

/**
 * Writes a manifest and reads it back.
 *
 * @returns its key
 * @throws {@link BackupNotVerifiedError}
 */
export async function writeManifest(backup: ObjectStore, content: Manifest): Promise<string> {
  const key = manifestKey(content.script_id, content.version);
  await putVerified(backup, key, Buffer.from(`${JSON.stringify(manifest.parse(content))}\n`));
  return key;
}

/**
 * Writes an object unless it is there already, and reads it back.
 *
 * @throws {@link BackupNotVerifiedError} where what is read differs
 */
export async function putVerified(store: ObjectStore, key: string, bytes: Buffer): Promise<void> {
  // One that cannot be read is replaced; a store that is away does not take the new one either.
  const there = await holds(store, key, bytes).catch((error: unknown) => {
    if (error instanceof StoreUnavailableError) return false;
    throw error;
  });
  if (there) return;
  await store.put(key, bytes);
  if (!(await holds(store, key, bytes))) throw new BackupNotVerifiedError(key);
}

async function holds(store: ObjectStore, key: string, bytes: Buffer): Promise<boolean> {
  const stat = await store.stat(key);
  if (stat?.size !== bytes.length) return false;
  try {
    return digest(await store.get(key)) === digest(bytes);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return false;
    throw error;
  }
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What was written to the backup store does not come back the same. */
export class BackupNotVerifiedError extends Error {
  override readonly name = "BackupNotVerifiedError";
  constructor(key: string) {
    super(`${key} was written to the backup store and does not read back the same`);
  }
}
