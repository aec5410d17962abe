import { copyKeys, findCopy } from "@sluice/backup";
import type { ObjectStore } from "@sluice/object-store";
import pMap from "p-map";
import type { BackupKey } from "./backup-key.js";
import { chooseExport } from "./choose-export.js";
import type { ExportIndex } from "./export-index.js";
import type { OnProgress } from "./load-catalog.js";
import type { LostBlob } from "./restore-objects.js";
import { readSegment } from "./segments.js";

export interface VerifyDeps {
  readonly backup: ObjectStore;
  readonly keys: readonly BackupKey[];
  /** How many blobs, taken at random, are read back and held against their hashes. */
  readonly sample: number;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** What there is to say of a backup store. */
export interface Verified {
  readonly exportId: string;
  readonly exportedAt: string;
  readonly segments: number;
  /** Hashes that exported versions name, and how many of their copies were read back. */
  readonly blobs: number;
  readonly read: number;
  /** Copies that are not there or not whole. */
  readonly lost: readonly LostBlob[];
}

const AT_ONCE = 32;

/**
 * Reads the newest export back, all of it, and looks for a copy of every blob that its versions need; some or all of them are read and
 * held against their hashes.
 *
 * @throws `RestoreRefusedError` where there is no export; `DamagedExportError` that names the object; `KeyMissingError`
 */
export async function verifyBackup(deps: VerifyDeps): Promise<Verified> {
  const { backup, sample, signal, onProgress } = deps;
  const chain = await chooseExport(backup, {});
  const needed = await readNeeded(chain, deps);
  const copies = await listCopies(backup, signal);
  const lost: LostBlob[] = [...needed.keys()]
    .filter((sha256) => !candidates(sha256, needed).some((key) => copies.has(key)))
    .map((sha256) => ({ sha256, why: "there is no copy" }));
  const missing = new Set(lost.map(({ sha256 }) => sha256));
  const present = [...needed.keys()].filter((sha256) => !missing.has(sha256));
  const chosen = sample >= present.length ? present : shuffled(present).slice(0, sample);
  let read = 0;
  await pMap(
    chosen,
    async (sha256) => {
      signal.throwIfAborted();
      const { key, earlyKey } = needed.get(sha256) ?? NOWHERE;
      const copy = await findCopy(backup, sha256, [key, earlyKey]);
      if ("why" in copy) lost.push({ sha256, why: copy.why });
      onProgress("reading blobs back", ++read, chosen.length);
    },
    { concurrency: AT_ONCE },
  );
  const { id: exportId, created_at: exportedAt } = chain.at(-1) as ExportIndex;
  const segments = chain.reduce((sum, index) => sum + index.segments.length, 0);
  return { exportId, exportedAt, segments, blobs: needed.size, read, lost };
}

interface Kept {
  key: string | null;
  earlyKey: string | null;
}
const NOWHERE: Kept = { key: null, earlyKey: null };

/** What the versions of an export need, by hash, with the keys that rows say of their copies. */
async function readNeeded(
  chain: readonly ExportIndex[],
  { backup, keys, signal, onProgress }: VerifyDeps,
): Promise<Map<string, Kept>> {
  const versions = new Map<string, string>();
  /** Of versions whose bytes are not kept any more. */
  const expired = new Set<string>();
  const kept = new Map<string, Kept>();
  const keptOf = (sha256: string): Kept => {
    const known = kept.get(sha256) ?? { ...NOWHERE };
    kept.set(sha256, known);
    return known;
  };
  const total = chain.reduce((sum, index) => sum + index.segments.length, 0);
  let done = 0;
  for (const { segments, key_id: keyId } of chain) {
    for (const kind of ["deletions", "rows"] as const) {
      for (const segment of segments.filter((one) => one.kind === kind)) {
        signal.throwIfAborted();
        const lines = await readSegment(backup, segment, { keyId, keys });
        onProgress("reading the export", ++done, total);
        if (!TABLES.has(segment.table)) continue;
        for (const line of lines) {
          if (kind === "deletions") {
            const [id] = JSON.parse(line) as [string];
            if (segment.table === "versions") versions.delete(id);
            else if (segment.table === "expired_blobs") expired.delete(id);
            continue;
          }
          const row = JSON.parse(line) as Record<string, string | null>;
          const sha256 = row["sha256"] ?? "";
          if (segment.table === "versions") versions.set(row["id"] ?? "", sha256);
          else if (segment.table === "expired_blobs") expired.add(sha256);
          else if (segment.table === "blobs") keptOf(sha256).key = row["backup_key"] ?? null;
          else keptOf(sha256).earlyKey = row["key"] ?? null;
        }
      }
    }
  }
  const needed = [...new Set(versions.values())].filter((sha256) => !expired.has(sha256));
  return new Map(needed.map((sha256) => [sha256, keptOf(sha256)]));
}

const TABLES = new Set(["versions", "blobs", "early_copies", "expired_blobs"]);

function candidates(sha256: string, needed: ReadonlyMap<string, Kept>): string[] {
  const { key, earlyKey } = needed.get(sha256) ?? NOWHERE;
  return [key, earlyKey, ...copyKeys(sha256)].filter((one) => one !== null);
}

async function listCopies(backup: ObjectStore, signal: AbortSignal): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const prefix of ["backups/blobs/", "backups/quarantine/"]) {
    for await (const { key } of backup.list(prefix)) {
      signal.throwIfAborted();
      keys.add(key);
    }
  }
  return keys;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
