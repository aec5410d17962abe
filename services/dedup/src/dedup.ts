import type { StageScript } from "@sluice/catalog";
import { blobKey, type BlobPlace, type ObjectStore } from "@sluice/object-store";
import { advance } from "@sluice/pipeline";
import type { PolicyInForce } from "@sluice/policies";
import { policyFor, policyVersion } from "@sluice/python-analysis";
import type { Handler } from "@sluice/worker";
import { BlobCorruptError, sha256Of } from "@sluice/blobs";

export interface DedupDeps {
  readonly objects: ObjectStore;
  /** Results are reused only of the analyser that is at work now, and of the policy that is in force for the namespace. */
  readonly analyserVersion: string;
  readonly policies: Pick<PolicyInForce, "current">;
}

/**
 * Settles the raw upload at its content address. Whether somebody else's results will do is decided
 * where this is committed, in one transaction with whoever else has the same bytes.
 */
export const dedup: Handler<"dedup", DedupDeps> = async (
  script,
  { objects, analyserVersion, policies },
) => {
  const place = script.blob ?? (await storeBlob(script, objects));
  const garbage = script.rawKey === undefined ? [] : [script.rawKey];
  const { id: policyId, document } = await policies.current();
  const policy = policyVersion(policyFor(document, script.namespace));
  return advance({ place, analyserVersion, policyVersion: policy, policyId }, garbage);
};

async function storeBlob(script: StageScript, objects: ObjectStore): Promise<BlobPlace> {
  const { rawKey, sha256 } = script;
  if (rawKey === undefined) throw new Error(`neither an upload nor a blob holds ${sha256}`);
  const bytes = await objects.get(rawKey);
  const actual = sha256Of(bytes);
  if (actual !== sha256) throw new BlobCorruptError(rawKey, sha256, `the hash is ${actual}`);
  const key = blobKey(sha256);
  // Racing uploads of the same bytes write the same object; the row that says so is made once.
  await objects.put(key, bytes);
  return { key, offset: 0, length: bytes.length, encoding: "identity" };
}
