import {
  BlobIsGoingError,
  type Catalog,
  type Ending,
  GroupCommit,
  isConflict,
  isUnavailable,
  PolicyChangedError,
  settleStage,
  type Settlement,
  type StageScript,
} from "@sluice/catalog";
import type { StageName } from "@sluice/pipeline";
import type { Logger } from "@sluice/runtime";
import { type NextWork, enqueueWork } from "./enqueue.js";
import type { Queue } from "@sluice/queue";
import { fromThrow } from "./run-script.js";

export interface SettleRequest<Stage extends StageName> extends Settlement<Stage> {
  readonly script: StageScript;
}

/**
 * Commits endings in groups, as they come, and enqueues what each group made pending.
 *
 * @returns a function that resolves, once committed, to the ending that was: another one where the
 *   given one could not be written; `undefined` where the script's lease was lost
 */
export function createSettler<Stage extends StageName>(
  stage: Stage,
  {
    catalog,
    queue,
    log,
    stopping,
  }: { catalog: Catalog; queue: Queue; log: Logger; stopping: AbortSignal },
): (request: SettleRequest<Stage>) => Promise<Ending<Stage> | undefined> {
  const group = new GroupCommit<SettleRequest<Stage>, Ending<Stage> | undefined>(
    async (requests) => {
      const { endings, next } = await settleAll({ catalog, stopping }, stage, requests);
      // Enqueued before the job is completed; what fails here the janitor does.
      await enqueueWork(queue, next, log);
      return requests.map(({ versionId }) => endings.get(versionId));
    },
  );
  return (request) => group.add(request);
}

interface AllSettled<Stage extends StageName> {
  /** What was committed, by version; without those whose lease was lost. */
  readonly endings: ReadonlyMap<string, Ending<Stage>>;
  readonly next: readonly NextWork[];
}

interface Settling {
  readonly catalog: Catalog;
  readonly stopping: AbortSignal;
}

async function settleAll<Stage extends StageName>(
  settling: Settling,
  stage: Stage,
  requests: readonly SettleRequest<Stage>[],
): Promise<AllSettled<Stage>> {
  try {
    return await settleGroup(settling, stage, requests);
  } catch (error) {
    const [first] = requests;
    if (first === undefined || isUnavailable(error)) throw error;
    if (requests.length === 1) {
      // The result itself could not be written: that is a failure of this script like any other.
      return settleGroup(settling, stage, [
        { ...first, ending: fromSettleError(stage, first, error) },
      ]);
    }
    // One of the group cannot be written; apart from each other, the rest can.
    const endings = new Map<string, Ending<Stage>>();
    const next: NextWork[] = [];
    for (const request of requests) {
      const settled = await settleAll(settling, stage, [request]);
      for (const [id, ending] of settled.endings) endings.set(id, ending);
      next.push(...settled.next);
    }
    return { endings, next };
  }
}

async function settleGroup<Stage extends StageName>(
  { catalog, stopping }: Settling,
  stage: Stage,
  requests: readonly SettleRequest<Stage>[],
): Promise<AllSettled<Stage>> {
  const { versionIds, next } = await persistently(
    () => settleStage(catalog, stage, requests),
    stopping,
  );
  const held = requests.filter(({ versionId }) => versionIds.has(versionId));
  return { endings: new Map(held.map(({ versionId, ending }) => [versionId, ending])), next };
}

function fromSettleError<Stage extends StageName>(
  stage: Stage,
  { script }: SettleRequest<Stage>,
  error: unknown,
): Ending<Stage> {
  if (error instanceof BlobIsGoingError) {
    // Nobody's fault: dedup stores the bytes again.
    const told = { code: "blob_is_going", message: error.message };
    return { kind: "later", delayMs: 1_000, error: told, failure: false };
  }
  if (error instanceof PolicyChangedError) {
    const told = { code: "policy_changed", message: error.message };
    return { kind: "later", delayMs: POLICY_DELAY_MS, error: told, failure: false };
  }
  return fromThrow(stage, script.failures + 1, error);
}

/** By then every worker has heard of a new policy, in milliseconds. */
const POLICY_DELAY_MS = 1_500;

const RETRIES = 8;

/**
 * Tries again while the catalog is away, has no room or asks for it. A commit whose answer was lost changes nothing
 * the second time, because its tokens are gone.
 *
 * @param stopping - until it is aborted, a catalog that is away is waited for, however long that takes
 */
export async function persistently<T>(work: () => Promise<T>, stopping?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const away = isUnavailable(error);
      const patient = away && stopping?.aborted === false;
      if ((attempt > RETRIES && !patient) || !(away || isConflict(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** attempt, 3_000)));
    }
  }
}
