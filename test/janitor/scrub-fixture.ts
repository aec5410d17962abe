import { backUpBlob, type HealDeps } from "@sluice/backup";
import { encode, sha256Of } from "@sluice/blobs";
import { type Catalog, listEvents, type RecordedEvent, requestScrubPass } from "@sluice/catalog";
import { type BlobEncoding, blobKey } from "@sluice/object-store";
import { createLog } from "@sluice/runtime";
import { randomUUID } from "node:crypto";
import type { TaskRun } from "../../services/janitor/src/maintenance/task.js";
import { type ScrubDeps, scrubTask } from "../../services/janitor/src/scrub/scrub.js";
import { register, upload } from "../catalog/fixture.js";

const DAY_MS = 86_400_000;

/** What a scrub is run with, as quick as the stores are. */
export function scrubDeps(stores: HealDeps, overrides: Partial<ScrubDeps> = {}): ScrubDeps {
  return {
    ...stores,
    log: createLog("janitor", { logLevel: "silent" }),
    settings: { scrubIntervalMs: DAY_MS, scrubObjectsPerSecond: 1e6, scrubBytesPerSecond: 1e12 },
    onScrubbed: () => {},
    ...overrides,
  };
}

/** One run of the task, as a janitor does it. */
export async function runScrub(
  deps: ScrubDeps,
  signal: TaskRun["signal"] = new AbortController().signal,
): Promise<void> {
  await scrubTask(deps).run({ cursor: undefined, save: async () => {}, signal });
}

/** A pass from the beginning, whenever the last one was. */
export async function scrubPass(deps: ScrubDeps, trusted = false): Promise<void> {
  await deps.catalog.query("update scrub_passes set finished_at = now() where finished_at is null");
  await requestScrubPass(deps.catalog, { askedBy: "test", trusted });
  await runScrub(deps);
}

export interface StoredScript {
  readonly versionId: string;
  readonly scriptId: string;
  readonly filename: string;
  readonly sha256: string;
  readonly key: string;
  readonly backupKey: string;
  readonly content: Buffer;
}

/** A script with these bytes, stored and, unless told otherwise, backed up. */
export async function storeScript(
  { catalog, objects, backup }: HealDeps,
  text: string,
  { encoding = "zstd", backedUp = true }: { encoding?: BlobEncoding; backedUp?: boolean } = {},
): Promise<StoredScript> {
  const content = Buffer.from(`print(${JSON.stringify(text)})\n`.repeat(40));
  const sha256 = sha256Of(content);
  const filename = `${randomUUID()}.py`;
  const { versionId, scriptId } = await register(
    catalog,
    upload(filename, content.toString(), { rawKey: undefined }),
  );
  const bytes = await encode(content, encoding);
  const place = { key: blobKey(sha256, encoding), offset: 0, length: bytes.length, encoding };
  await objects.put(place.key, bytes);
  const backupKey = backedUp
    ? await backUpBlob(objects, backup, { place, sha256 })
    : `backups/${place.key}`;
  await catalog.query(
    `insert into blobs (sha256, size, key, length, encoding, backup_key) values ($1, $2, $3, $4, $5, $6)`,
    [sha256, content.length, place.key, bytes.length, encoding, backedUp ? backupKey : null],
  );
  return { versionId, scriptId, filename, sha256, key: place.key, backupKey, content };
}

/** What was told, the oldest first. */
export async function eventsOf(catalog: Catalog): Promise<RecordedEvent[]> {
  return (await listEvents(catalog, { filter: {}, limit: 200 })).items.toReversed();
}
