import { randomUUID } from "node:crypto";
import {
  type Catalog,
  type IndexedScript,
  leaseForIndexing,
  type NewDocument,
  postponeIndexing,
  readFindings,
  recordIndexed,
  type VersionToIndex,
} from "@sluice/catalog";
import type { ObjectStore } from "@sluice/object-store";
import type { Logger } from "@sluice/runtime";
import {
  buildDocument,
  keyOfSegment,
  keysOfDocument,
  keysOfScript,
  packDocument,
  segmentOf,
} from "@sluice/search";
import { readSource } from "@sluice/worker";

export interface IndexDeps {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly log: Logger;
  readonly onIndexed: (versions: number) => void;
  readonly onFailed: () => void;
}

const BATCH = 32;
/** Bytes of source that are taken on at once: what comes on top is done in the next transaction. */
const BATCH_BYTES = 16 * 1024 * 1024;
const LEASE_MS = 120_000;
const LONGEST_DELAY_MS = 3_600_000;

/**
 * Takes versions from the queue and indexes them: the bytes of each hash once, whoever uploaded them. What cannot be indexed is
 * tried again later, at ever longer intervals; the rest goes on.
 *
 * @returns how many were taken
 */
export async function indexSome(deps: IndexDeps): Promise<number> {
  const token = randomUUID();
  const taken = await leaseForIndexing(deps.catalog, { token, limit: BATCH, leaseMs: LEASE_MS });
  let part: VersionToIndex[] = [];
  let bytes = 0;
  for (const version of taken) {
    if (part.length > 0 && bytes + version.size > BATCH_BYTES) {
      await indexPart(part, token, deps);
      part = [];
      bytes = 0;
    }
    part.push(version);
    bytes += version.size;
  }
  if (part.length > 0) await indexPart(part, token, deps);
  return taken.length;
}

async function indexPart(
  versions: readonly VersionToIndex[],
  token: string,
  deps: IndexDeps,
): Promise<void> {
  const { catalog, onIndexed } = deps;
  const documents = new Map<string, NewDocument>();
  const scripts: IndexedScript[] = [];
  const done: string[] = [];
  const built = await Promise.all(
    versions.map(async (version) => {
      if (version.isOutdated || version.isIndexed) return { version, document: undefined };
      try {
        return { version, document: await makeDocument(version, deps) };
      } catch (error) {
        await postpone(version, token, error, deps);
        return undefined;
      }
    }),
  );
  for (const each of built) {
    if (each === undefined) continue;
    const { version, document } = each;
    done.push(version.versionId);
    if (version.isOutdated) continue;
    if (document !== undefined) documents.set(version.sha256, document);
    scripts.push({ ...version, keys: keysOfScript(version) });
  }
  await recordIndexed(catalog, {
    token,
    documents: [...documents.values()],
    scripts: newest(scripts),
    done,
    keyOfSegment: (document) => keyOfSegment(segmentOf(document)),
  });
  onIndexed(done.length);
}

/** Of each script the newest version. */
function newest(scripts: readonly IndexedScript[]): IndexedScript[] {
  const byId = new Map<string, IndexedScript>();
  for (const script of scripts) {
    const other = byId.get(script.scriptId);
    if (other === undefined || other.version < script.version) byId.set(script.scriptId, script);
  }
  return [...byId.values()];
}

async function makeDocument(
  version: VersionToIndex,
  { catalog, objects }: IndexDeps,
): Promise<NewDocument> {
  const { sha256, size, rawKey, analyserVersion } = version;
  const blob =
    rawKey === undefined
      ? undefined
      : ({ key: rawKey, offset: 0, length: size, encoding: "identity" } as const);
  const { bytes } = await readSource({ catalog, objects }, { blob, sha256 });
  const { metadata, report } = await readFindings(catalog, version.versionId);
  const document = buildDocument(bytes, metadata, report);
  return {
    sha256,
    size,
    analyserVersion,
    packed: packDocument(document),
    keys: keysOfDocument(document),
  };
}

async function postpone(
  { versionId, scriptId, version, attempts, sha256 }: VersionToIndex,
  token: string,
  error: unknown,
  { catalog, log, onFailed }: IndexDeps,
): Promise<void> {
  const delayMs = Math.min(LONGEST_DELAY_MS, 1_000 * 2 ** Math.min(attempts, 20));
  log.warn(
    { err: error, script_id: scriptId, version, sha256, attempts, retry_in_ms: delayMs },
    "not indexed; it will be tried again",
  );
  onFailed();
  const message = error instanceof Error ? error.message : String(error);
  await postponeIndexing(catalog, { token, versionId, delayMs, error: message });
}
