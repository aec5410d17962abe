/** Rows of the catalog as the API shows them. */
import {
  type Catalog,
  readVersion,
  type RegisteredVersion,
  type Script,
  toRegistration,
  type Version,
} from "@sluice/catalog";
import type {
  ApprovalStanding,
  Integrity,
  ScriptDetails,
  ScriptSummary,
  ScriptVersion,
  UploadedScript,
  UserFields,
} from "@sluice/contracts";
import { blobKey } from "@sluice/object-store";
import type { Response } from "express";
import { storageOf } from "../content/storage.js";
import type { Stored } from "../upload/store-upload.js";

export function statusUrl(scriptId: string, version: number): string {
  return `/api/v1/scripts/${scriptId}/versions/${version}/status`;
}

/** What the first request with an `Idempotency-Key` made. */
export function toStored(recorded: unknown): Stored {
  return toRegistration(recorded) as Stored;
}

/** Answers a request that made a version, or found it made. */
export async function sendUploaded(
  { catalog }: { catalog: Catalog },
  res: Response,
  stored: Stored,
): Promise<void> {
  const { scriptId, version, versionId } = stored;
  Object.assign(res.locals.about, { script_id: scriptId, version, version_id: versionId });
  const body: UploadedScript = {
    script_id: scriptId,
    filename: stored.filename,
    size: stored.size,
    upload_time: stored.uploadTime.toISOString(),
    version,
    sha256: stored.sha256,
    storage_path: stored.rawKey ?? (await settledKey(catalog, stored)),
    state: stored.state,
    status_url: statusUrl(scriptId, version),
  };
  res
    .status(stored.kind === "created" ? 202 : 200)
    .set("Location", body.status_url)
    .set("Cache-Control", "no-store")
    .json(body);
}

async function settledKey(catalog: Catalog, stored: RegisteredVersion): Promise<string> {
  const version = await readVersion(catalog, stored);
  return version === undefined ? blobKey(stored.sha256) : storagePath(version);
}

function storagePath(version: Version): string {
  return version.rawKey ?? version.blob?.key ?? blobKey(version.sha256);
}

function toIntegrity({ integrity }: Pick<Version, "integrity">): Integrity {
  if (integrity === undefined) return null;
  const { state, detail, foundAt } = integrity;
  return { state, detail, found_at: foundAt.toISOString() };
}

export function toSummary(script: Script): ScriptSummary {
  return {
    script_id: script.scriptId,
    filename: script.filename,
    namespace: script.namespace,
    size: script.size,
    upload_time: script.uploadTime.toISOString(),
    version: script.version,
    sha256: script.sha256,
    state: script.state,
    verdict: script.verdict ?? null,
    tags: [...script.userMetadata.tags],
    storage: storageOf(script.blobKey),
    integrity: toIntegrity(script),
    status_url: statusUrl(script.scriptId, script.version),
  };
}

export function toDetails(script: Script, approval: ApprovalStanding | null): ScriptDetails {
  return {
    ...toSummary(script),
    ...toUserFields(script),
    storage_path: script.rawKey ?? script.blobKey ?? blobKey(script.sha256),
    created_at: script.createdAt.toISOString(),
    finished_at: script.finishedAt?.toISOString() ?? null,
    batch_id: script.batchId ?? null,
    revision: script.revision,
    approval,
  };
}

export function toUserFields({ userMetadata }: Script): UserFields {
  return {
    ...userMetadata,
    tags: [...userMetadata.tags],
    labels: { ...userMetadata.labels },
  };
}

export function toVersion(version: Version): ScriptVersion {
  return {
    script_id: version.scriptId,
    version: version.version,
    filename: version.filename,
    original_filename: version.originalFilename,
    size: version.size,
    upload_time: version.uploadTime.toISOString(),
    sha256: version.sha256,
    storage_path: storagePath(version),
    state: version.state,
    verdict: version.verdict ?? null,
    finished_at: version.finishedAt?.toISOString() ?? null,
    batch_id: version.batchId ?? null,
    storage: storageOf(version.blob?.key),
    integrity: toIntegrity(version),
    restored_from: version.restoredFrom ?? null,
    status_url: statusUrl(version.scriptId, version.version),
  };
}
