import { healBlob, type HealDeps, healUpload, inspectBlob } from "@sluice/backup";
import { BlobCorruptError, sha256Of } from "@sluice/blobs";
import { readBlobPlace, type StageScript } from "@sluice/catalog";
import {
  blobKey,
  type BlobPlace,
  ObjectNotFoundError,
  type ObjectStore,
} from "@sluice/object-store";
import { advance } from "@sluice/pipeline";
import type { PolicyInForce } from "@sluice/policies";
import { policyFor, policyVersion } from "@sluice/python-analysis";
import type { Handler } from "@sluice/worker";

export interface DedupDeps extends HealDeps {
  /** Results are reused only of the analyser that is at work now, and of the policy that is in force for the namespace. */
  readonly analyserVersion: string;
  readonly policies: Pick<PolicyInForce, "current">;
}

/**
 * Settles the raw upload at its content address. Whether somebody else's results will do is decided
 * where this is committed, in one transaction with whoever else has the same bytes. A blob that is there already is read before the
 * upload is let go of, and repaired from it where it is not what its hash says.
 */
export const dedup: Handler<"dedup", DedupDeps> = async (script, deps) => {
  const { analyserVersion, policies } = deps;
  const place = await settle(script, deps);
  const { rawKey } = script;
  const garbage = rawKey === undefined ? [] : [rawKey];
  const { id: policyId, document } = await policies.current();
  const policy = policyVersion(policyFor(document, script.namespace));
  const verified = rawKey !== undefined;
  return advance({ place, analyserVersion, policyVersion: policy, policyId, verified }, garbage);
};

async function settle(script: StageScript, deps: DedupDeps): Promise<BlobPlace> {
  const { blob, rawKey, sha256 } = script;
  if (rawKey === undefined) {
    if (blob === undefined) throw new Error(`neither an upload nor a blob holds ${sha256}`);
    return blob;
  }
  if (blob === undefined) return storeBlob(sha256, await readUpload(script, rawKey, deps), deps);
  const { state } = await inspectBlob(deps.objects, { sha256, place: blob, backupKey: undefined });
  if (state === "good") return blob;
  const bytes = await readUpload(script, rawKey, deps);
  const healed = await healBlob(deps, sha256, { content: bytes, from: rawKey });
  if (healed?.unrepairable === true)
    throw new BlobCorruptError(blob.key, sha256, "it cannot be put back");
  // Where the blob is gone by now, what was read of it said nothing.
  return (await readBlobPlace(deps.catalog, sha256)) ?? storeBlob(sha256, bytes, deps);
}

async function readUpload(
  { versionId, sha256 }: StageScript,
  rawKey: string,
  deps: DedupDeps,
): Promise<Buffer> {
  try {
    return await read(deps.objects, rawKey, sha256);
  } catch (error) {
    if (!(error instanceof BlobCorruptError) && !(error instanceof ObjectNotFoundError))
      throw error;
    await healUpload(deps, versionId);
    return read(deps.objects, rawKey, sha256);
  }
}

async function read(objects: ObjectStore, key: string, sha256: string): Promise<Buffer> {
  const bytes = await objects.get(key);
  const actual = sha256Of(bytes);
  if (actual !== sha256) throw new BlobCorruptError(key, sha256, `the hash is ${actual}`);
  return bytes;
}

async function storeBlob(
  sha256: string,
  bytes: Buffer,
  { objects }: DedupDeps,
): Promise<BlobPlace> {
  const key = blobKey(sha256);
  // Racing uploads of the same bytes write the same object; the row that says so is made once.
  await objects.put(key, bytes);
  return { key, offset: 0, length: bytes.length, encoding: "identity" };
}
