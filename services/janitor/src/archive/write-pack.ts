import { checkCopies, describe, healBlob, type HealDeps } from "@sluice/backup";
import {
  BlobCorruptError,
  decodeVerified,
  PACK_ENCODING,
  PackBuilder,
  packIdOf,
  type PackMember,
  readBlob,
} from "@sluice/blobs";
import {
  type AuditEvent,
  beginPack,
  commitPack,
  dropFromArchiveQueue,
  type PackedBlob,
  type QueuedBlob,
  readDescriptions,
  withSupersededForm,
} from "@sluice/catalog";
import {
  isPackKey,
  metadataKey,
  ObjectNotFoundError,
  type ObjectStore,
  packKey,
} from "@sluice/object-store";
import type { Logger } from "@sluice/runtime";
import pMap from "p-map";
import type { Pace } from "../scrub/pace.js";
import { suspicion } from "../scrub/suspicion.js";

/** A blob that is to go into a pack, and where it is. */
export type BlobToPack = Pick<QueuedBlob, "sha256" | "place">;

export interface WritePackDeps extends HealDeps {
  readonly log: Logger;
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

/** A pack is full with so many bytes, so that it fits into memory, or so many members, so that one transaction moves them. */
export const PACK_BYTES = 16 * 1024 * 1024;
export const PACK_MEMBERS = 4_000;

const AT_ONCE = 8;

/** A pack as it was put does not come back the same. */
class PackNotVerifiedError extends Error {
  override readonly name = "PackNotVerifiedError";
  constructor(key: string, options: ErrorOptions) {
    super(`${key} was written to the object store and does not read back the same`, options);
  }
}

/** So many copies are bad that the backup store seems to be another one. */
export class BackupSuspectedError extends Error {
  override readonly name = "BackupSuspectedError";
  constructor(readonly why: string) {
    super(`nothing is archived, because ${why}: is the right volume mounted?`);
  }
}

/**
 * Moves blobs into a new pack, in this order: each one's copy in the backup store is read back; the pack is put, and read back; the
 * catalog says that they lie there; what they were before is deleted. Killed anywhere, it leaves objects that nothing refers to, which the
 * sweep deletes, and never a row without its bytes.
 *
 * A blob whose bytes or whose copy are bad stays where it is, is told and repaired as far as it can be, and waits for the next round of
 * the retention policy.
 *
 * @param audit - what the audit log is to have of each
 * @returns how many blobs went; what did not fit stays queued
 * @throws `StoreUnavailableError` where either store is away: nothing has gone then
 */
export async function writePack(
  deps: WritePackDeps,
  queued: readonly BlobToPack[],
  audit: (sha256: string) => readonly AuditEvent[],
): Promise<{ readonly blobs: number; readonly bytes: number }> {
  const { catalog, objects, pace, signal } = deps;
  const { good, bad } = await checkCopies(
    deps,
    queued.map(({ sha256 }) => sha256),
    { signal, onRead: (bytes) => pace.spend(1, bytes, signal) },
  );
  const why = await suspicion(
    "backup store",
    queued.map(({ sha256 }) => bad.get(sha256)?.state ?? "good"),
    deps.backup,
  );
  if (why !== undefined) throw new BackupSuspectedError(why);
  await leave([...bad.keys()], deps);
  const pack = new PackBuilder();
  const from = new Map<string, BlobToPack["place"]>();
  for (let start = 0; start < queued.length && pack.length < PACK_BYTES; start += AT_ONCE) {
    if (signal.aborted) return { blobs: 0, bytes: 0 };
    const some = queued.slice(start, start + AT_ONCE).filter(({ sha256 }) => good.has(sha256));
    const read = await readSome(some, deps);
    for (const each of read) {
      if (each === undefined) continue;
      await pack.add(each.sha256, each.content, each.metadata);
      from.set(each.sha256, each.place);
    }
  }
  if (pack.members.length === 0) return { blobs: 0, bytes: 0 };

  const bytes = await pack.finish();
  const packId = packIdOf(bytes);
  const key = packKey(packId);
  await beginPack(catalog, packId);
  await objects.put(key, bytes);
  await verify(objects, key, pack.members);
  const members = pack.members.flatMap(({ sha256, offset, length }): PackedBlob[] => {
    const place = from.get(sha256);
    return place === undefined ? [] : [{ sha256, from: place, offset, length }];
  });
  const moved = await commitPack(catalog, { packId, size: bytes.length, members, audit });
  await removeHot(
    members.filter(({ sha256 }) => moved.has(sha256)),
    key,
    deps,
  );
  return { blobs: moved.size, bytes: bytes.length };
}

interface Read {
  readonly sha256: string;
  readonly place: BlobToPack["place"];
  readonly content: Buffer;
  /** What is to lie beside it. */
  readonly metadata: Buffer | undefined;
}

/** What was moved meanwhile is left out, and goes the next time; so is what is not whole. */
async function readSome(
  blobs: readonly BlobToPack[],
  deps: WritePackDeps,
): Promise<readonly (Read | undefined)[]> {
  const hashes = blobs.map(({ sha256 }) => sha256);
  const descriptions = new Map(
    (await readDescriptions(deps.catalog, hashes)).map((one) => [one.sha256, describe(one)]),
  );
  return Promise.all(blobs.map((blob) => readOne(blob, descriptions.get(blob.sha256), deps)));
}

async function readOne(
  { sha256, place }: BlobToPack,
  description: Buffer | undefined,
  deps: WritePackDeps,
): Promise<Read | undefined> {
  try {
    const content = await readBlob(deps.objects, place, sha256);
    const metadata = description ?? (await readBeside(deps.objects, sha256));
    return { sha256, place, content, metadata };
  } catch (error) {
    if (!isBad(error)) throw error;
    await leave([sha256], deps);
    return undefined;
  }
}

function isBad(error: unknown): boolean {
  return error instanceof BlobCorruptError || error instanceof ObjectNotFoundError;
}

async function readBeside(objects: ObjectStore, sha256: string): Promise<Buffer | undefined> {
  try {
    return await objects.get(metadataKey(sha256));
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError)) throw error;
    return undefined;
  }
}

/** What is not whole, or has no whole copy, is looked at and repaired as the scrub does, and stays where it is. */
async function leave(sha256s: readonly string[], deps: WritePackDeps): Promise<void> {
  for (const sha256 of sha256s) {
    const healed = await healBlob(deps, sha256);
    if (healed?.blob !== undefined || healed?.copy !== undefined)
      deps.log.error({ sha256, ...healed }, "not archived: its bytes or their copy were bad");
  }
  await dropFromArchiveQueue(deps.catalog, sha256s);
}

async function verify(
  objects: ObjectStore,
  key: string,
  members: readonly PackMember[],
): Promise<void> {
  const bytes = await objects.get(key);
  try {
    for (const { sha256, offset, length } of members) {
      const stored = bytes.subarray(offset, offset + length);
      await decodeVerified(stored, { key, encoding: PACK_ENCODING }, sha256);
    }
  } catch (error) {
    throw new PackNotVerifiedError(key, { cause: error });
  }
}

async function removeHot(
  members: readonly PackedBlob[],
  packed: string,
  { catalog, objects, log, signal }: WritePackDeps,
): Promise<void> {
  await pMap(
    members.filter(({ from }) => !isPackKey(from.key)),
    async ({ sha256, from: { key } }) => {
      if (signal.aborted) return;
      try {
        await withSupersededForm(catalog, { sha256, key }, async (current) => {
          if (current !== packed) return;
          await objects.delete(key);
          await objects.delete(metadataKey(sha256));
        });
      } catch (error) {
        log.warn({ err: error, key }, "not deleted; the orphan sweep will");
      }
    },
    { concurrency: AT_ONCE },
  );
}
