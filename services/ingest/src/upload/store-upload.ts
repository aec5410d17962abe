/**
 * The order of writes: 1. the object, 2. the version's row, 3. the queue, 4. the answer. A crash after
 * 1 leaves an object that the orphan sweep deletes; a crash after 2 leaves a row that the janitor
 * enqueues. Nothing is answered before 2, and 3 does not hold it up.
 */
import { randomBytes } from "node:crypto";
import {
  type Catalog,
  findUploadTarget,
  type OnConflict,
  type RegisteredVersion,
  type Registrar,
  type Registration,
  type UploadTarget,
} from "@sluice/catalog";
import { kindOfKey, type ObjectStore, uploadKey } from "@sluice/object-store";
import type { Logger } from "@sluice/runtime";
import { v7 as uuidv7 } from "uuid";
import type { ContentHealer } from "../content/heal.js";
import type { KeyedRequest } from "../idempotency.js";
import { ProblemError } from "../http/problem-error.js";
import type { OneAtATime } from "./one-at-a-time.js";

export interface UploadRequest {
  readonly namespace: string;
  readonly filename: string;
  readonly originalFilename: string;
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly onConflict: OnConflict;
  readonly requestId: string;
  readonly idempotency: KeyedRequest | undefined;
}

export interface UploadDependencies {
  readonly catalog: Catalog;
  readonly registrar: Registrar;
  readonly store: ObjectStore;
  readonly healer: Pick<ContentHealer, "putBack">;
  /** Uploads of one name through this process queue up, so that they do not race for its numbers. */
  readonly names: OneAtATime;
  readonly log: Logger;
}

export type Stored = RegisteredVersion & { readonly kind: "created" | "unchanged" };

/** Those that lose the race for a number this often, against other processes, are asked to come again. */
const MAX_ATTEMPTS = 10;

/** The number of a version that does not exist: a registration with it can only find one that stands. */
const NO_VERSION = 0;

/**
 * Stores and records one upload.
 *
 * @throws {@link ProblemError} `name_taken` or `upload_contended`; nothing is left behind then
 */
export async function storeUpload(
  deps: UploadDependencies,
  request: UploadRequest,
): Promise<Stored> {
  return deps.names.run(`${request.namespace}\0${request.filename}`, () =>
    storeInTurn(deps, request),
  );
}

async function storeInTurn(deps: UploadDependencies, request: UploadRequest): Promise<Stored> {
  let target = await findUploadTarget(deps.catalog, request);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const stands = target !== undefined && target.latestSha256 === request.sha256;
    if (target !== undefined && !stands && request.onConflict === "reject") {
      throw nameTaken(request, target.scriptId);
    }
    const registration =
      target !== undefined && stands
        ? await registerAgain(deps, request, target)
        : await putAndRegister(deps, request, placeFor(target, request.onConflict));
    switch (registration.kind) {
      case "created":
      case "unchanged":
        return registration;
      case "name_taken":
        throw nameTaken(request, registration.scriptId);
      case "moved":
        target = await findUploadTarget(deps.catalog, request);
    }
  }
  throw new ProblemError(
    "upload_contended",
    `Other uploads of ${JSON.stringify(request.filename)} were quicker ${MAX_ATTEMPTS} times. Nothing was stored; try again.`,
  );
}

interface Place {
  readonly scriptId: string;
  readonly version: number;
}

function placeFor(target: UploadTarget | undefined, onConflict: OnConflict): Place {
  if (target === undefined || onConflict === "keep_both") return { scriptId: uuidv7(), version: 1 };
  return { scriptId: target.scriptId, version: target.latestVersion + 1 };
}

/** Whoever sends again what stands may have the only whole bytes of it: they are put back where the store has lost its own. */
async function registerAgain(
  deps: UploadDependencies,
  request: UploadRequest,
  target: UploadTarget,
): Promise<Registration> {
  const place = { scriptId: target.scriptId, version: NO_VERSION };
  const [registration, suspect] = await Promise.all([
    register(deps, request, place, undefined),
    isSuspect(deps, target),
  ]);
  if (registration.kind === "unchanged" && suspect)
    await deps.healer.putBack(registration, request.bytes);
  return registration;
}

/** By a look at the object: what is damaged in the same length is the scrub's to find, and that of downloads. */
async function isSuspect(
  { store, log }: UploadDependencies,
  { latestPlace: place, latestMarked }: UploadTarget,
): Promise<boolean> {
  if (place === undefined || latestMarked) return latestMarked;
  if (kindOfKey(place.key) === "archive") return false;
  try {
    return (await store.stat(place.key))?.size !== place.length;
  } catch (error) {
    log.warn({ err: error, key: place.key }, "could not look at what was uploaded again");
    return false;
  }
}

async function putAndRegister(
  deps: UploadDependencies,
  request: UploadRequest,
  place: Place,
): Promise<Registration> {
  const key = uploadKey(new Date(), place.scriptId, place.version, randomBytes(6).toString("hex"));
  await deps.store.put(key, request.bytes);
  const registration = await register(deps, request, place, key);
  if (registration.kind !== "created") {
    // Nothing refers to this key and nothing will. Where the delete fails, the orphan sweep remains.
    await deps.store.delete(key).catch((error: unknown) => {
      deps.log.warn({ err: error, key }, "could not delete an object that is not needed");
    });
  }
  return registration;
}

function register(
  { registrar }: UploadDependencies,
  request: UploadRequest,
  { scriptId, version }: Place,
  rawKey: string | undefined,
): Promise<Registration> {
  const {
    namespace,
    filename,
    originalFilename,
    sha256,
    bytes,
    onConflict,
    requestId,
    idempotency,
  } = request;
  return registrar.register({
    scriptId,
    version,
    namespace,
    filename,
    originalFilename,
    sha256,
    size: bytes.length,
    rawKey,
    onConflict,
    requestId,
    idempotency,
  });
}

function nameTaken({ namespace, filename }: UploadRequest, scriptId: string): ProblemError {
  return new ProblemError(
    "name_taken",
    `${JSON.stringify(filename)} exists in the namespace ${JSON.stringify(namespace)}, with other bytes.`,
    { script_id: scriptId },
  );
}
